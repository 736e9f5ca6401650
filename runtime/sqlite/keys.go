package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	goruntime "runtime"
	"sync"
	"time"
	"weak"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime/privacy"
)

// A KeyStore keeps the keys of personal data in the table subject_keys: the [privacy.KeyStore] that privacy.NewKeys needs. It
// is safe for concurrent use.
//
// Keys are in the same file as the log, and made in the transaction of the append that needs them first, unless [KeyStore.In]
// says otherwise. What was erased is overwritten in the file and is gone from its write-ahead log with the next checkpoint
// that empties it.
//
// A transaction that only reads sees keys as they were when it began. What it reads is cached all the same, so that a subject
// that is forgotten meanwhile may be readable for the length of that transaction longer than the time to live.
type KeyStore struct {
	apart  *sql.DB // another database; nil: there is none
	tables tables
	sql    keyStatements
	clock  func() time.Time
	wrote  *writers
}

// WithSubjectKeysTable sets the table of the keys of personal data; see [Config].
func WithSubjectKeysTable(name string) Option {
	return option(func(c *Config) { c.SubjectKeysTable = name })
}

// NewKeyStore returns the store of keys for the caller's transactions. Options are those of [New]; give both the same. The
// error says which part of the configuration is invalid; the database is not asked, see [Check].
func NewKeyStore(opts ...Option) (*KeyStore, error) {
	c, t, err := configure(opts)
	if err != nil {
		return nil, err
	}
	texts, err := renderKeys(t)
	if err != nil {
		return nil, err
	}
	return &KeyStore{tables: t, sql: texts, clock: c.Clock, wrote: new(writers)}, nil
}

// In returns a store whose keys are in another database, from [Open], so that copies of the log hold none. The table there is
// the one that migrate-gen --dialect sqlite --subject-keys only writes. It has its price: a key that is missing is made, and a
// subject is forgotten, at once and whatever becomes of the caller's transaction, and both files have to be there for an
// append or a read of personal data.
func (s *KeyStore) In(db *sql.DB) *KeyStore {
	moved := *s
	moved.apart = db
	return &moved
}

// within runs do on the table of keys: in the caller's transaction, or in one of the other database. settled says whether what
// is read may be cached; changes says that do writes.
func (s *KeyStore) within(ctx context.Context, tx *sql.Tx, changes bool, do func(tx *sql.Tx, settled bool) error) error {
	if s.apart == nil {
		if tx == nil {
			return errNoTransaction
		}
		if changes {
			s.wrote.add(tx)
		}
		return s.explain(ctx, tx, do(tx, !s.wrote.has(tx)))
	}
	own, err := s.apart.BeginTx(ctx, &sql.TxOptions{ReadOnly: !changes})
	if err != nil {
		return withState(err)
	}
	defer func() { _ = own.Rollback() }() // after a commit it does nothing
	if err := do(own, true); err != nil {
		return s.explain(ctx, own, err)
	}
	return withState(own.Commit())
}

func (s *KeyStore) explain(ctx context.Context, tx *sql.Tx, err error) error {
	if err == nil {
		return nil
	}
	return s.tables.explain(ctx, tx, err, keysTable(s.tables))
}

// MakeKeys implements [privacy.KeyStore].
func (s *KeyStore) MakeKeys(ctx context.Context, tx *sql.Tx, keys []privacy.StoredKey, readmit bool) ([]privacy.StoredKey, error) {
	var newest []privacy.StoredKey
	var missing []privacy.StoredKey
	look := func(among []privacy.StoredKey) func(*sql.Tx, bool) error {
		return func(tx *sql.Tx, settled bool) error {
			found, err := s.collect(ctx, tx, settled, s.sql.newest, array(among, func(k privacy.StoredKey) string { return k.Subject }))
			if err != nil {
				return err
			}
			known := make(map[string]bool, len(found))
			for _, k := range found {
				if readmit && k.IsForgotten() {
					continue
				}
				known[k.Subject] = true
				newest = append(newest, k)
			}
			missing = nil
			for _, k := range among {
				if !known[k.Subject] {
					missing = append(missing, k)
				}
			}
			return nil
		}
	}
	if err := s.within(ctx, tx, false, look(keys)); err != nil || len(missing) == 0 {
		return newest, err
	}
	err := s.within(ctx, tx, true, func(tx *sql.Tx, settled bool) error {
		// In another database somebody else may have made one since. In the caller's transaction nobody has.
		if err := look(missing)(tx, settled); err != nil {
			return err
		}
		for _, k := range missing {
			if err := execute(ctx, tx, s.sql.make, k.KeyID.String(), k.Subject, k.Wrapped, k.WrappedBy, timeText(s.clock())); err != nil {
				return err
			}
		}
		readmit = false
		return look(missing)(tx, settled)
	})
	return newest, err
}

// FindKeys implements [privacy.KeyStore].
func (s *KeyStore) FindKeys(ctx context.Context, tx *sql.Tx, k privacy.KeyQuery) (found []privacy.StoredKey, err error) {
	text, args := s.sql.notWrappedBy, []any{k.NotWrappedBy, k.Limit}
	switch {
	case k.IDs != nil:
		text, args = s.sql.byID, []any{array(k.IDs, uuid.UUID.String)}
	case k.Subjects != nil:
		text, args = s.sql.bySubject, []any{array(k.Subjects, func(subject string) string { return subject })}
	case k.Forgotten:
		text, args = s.sql.forgotten, []any{k.After.String(), k.Limit}
	}
	err = s.within(ctx, tx, false, func(tx *sql.Tx, settled bool) error {
		found, err = s.collect(ctx, tx, settled, text, args...)
		return err
	})
	return found, err
}

// ForgetKeys implements [privacy.KeyStore].
func (s *KeyStore) ForgetKeys(ctx context.Context, tx *sql.Tx, keys []privacy.StoredKey) error {
	if tx == nil {
		return errNoTransaction
	}
	err := s.within(ctx, tx, true, func(tx *sql.Tx, _ bool) error {
		return overwriting(ctx, tx, func() error {
			for _, k := range keys {
				if err := execute(ctx, tx, s.sql.forget, k.KeyID.String(), k.Subject, k.Generation, timeText(s.clock())); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	made := ""
	if err := checkEach(ctx, tx, "table.sql", []any{s.tables.Snapshots.Name}, []any{&made}, func() {}); err != nil || made == "" {
		return withState(err)
	}
	return withState(overwriting(ctx, tx, func() error {
		for _, k := range keys {
			if err := execute(ctx, tx, s.sql.dropSealed, k.KeyID.String()); err != nil {
				return err
			}
		}
		return nil
	}))
}

// RewrapKeys implements [privacy.KeyStore].
func (s *KeyStore) RewrapKeys(ctx context.Context, tx *sql.Tx, keys []privacy.StoredKey) error {
	return s.within(ctx, tx, true, func(tx *sql.Tx, _ bool) error {
		return overwriting(ctx, tx, func() error {
			for _, k := range keys {
				if err := execute(ctx, tx, s.sql.rewrap, k.KeyID.String(), k.Wrapped, k.WrappedBy); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// collect returns the keys that a statement gives.
func (s *KeyStore) collect(ctx context.Context, tx *sql.Tx, settled bool, text string, args ...any) (keys []privacy.StoredKey, err error) {
	return keys, each(ctx, tx, text, args, func(r *sql.Rows) error {
		k := privacy.StoredKey{Settled: settled}
		var keyID, createdAt, forgottenAt string
		err := r.Scan(&keyID, &k.Subject, &k.Generation, &k.Wrapped, &k.WrappedBy, &createdAt, &forgottenAt)
		if err == nil {
			k.KeyID, err = uuid.Parse(keyID)
		}
		if err == nil {
			k.CreatedAt, err = parseTime(createdAt)
		}
		switch {
		case err != nil:
		case forgottenAt != "":
			k.ForgottenAt, err = parseTime(forgottenAt)
			k.Wrapped = nil
		case k.Wrapped == nil: // what is empty comes as nil, and only a forgotten key has none
			k.Wrapped = []byte{}
		}
		keys = append(keys, k)
		return err
	})
}

// overwriting has what do removes overwritten in the file: sqlite.org/pragma.html, secure_delete.
func overwriting(ctx context.Context, tx *sql.Tx, do func() error) error {
	var before int
	if err := queryRow(ctx, tx, "pragma secure_delete", nil, &before); err != nil {
		return err
	}
	set := func(to int) error {
		var is int
		return queryRow(ctx, tx, fmt.Sprintf("pragma secure_delete = %d", to), nil, &is)
	}
	if err := set(1); err != nil {
		return err
	}
	if err := do(); err != nil {
		_ = set(before) // the connection may be gone, and the first error says more
		return err
	}
	return set(before)
}

// array returns texts as an argument for json_each.
func array[T any](values []T, text func(T) string) string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = text(v)
	}
	encoded, _ := json.Marshal(all) // texts can always be
	return string(encoded)
}

// writers remember the transactions that have written keys: what those read may be rolled back. SQLite has nothing by which a
// statement could tell its transaction from the one before.
type writers struct{ transactions sync.Map } // of weak.Pointer[sql.Tx]. An entry goes when its transaction has.

func (w *writers) add(tx *sql.Tx) {
	key := weak.Make(tx)
	if _, known := w.transactions.LoadOrStore(key, true); !known {
		goruntime.AddCleanup(tx, func(key weak.Pointer[sql.Tx]) { w.transactions.Delete(key) }, key)
	}
}

func (w *writers) has(tx *sql.Tx) bool {
	_, is := w.transactions.Load(weak.Make(tx))
	return is
}

var _ privacy.KeyStore[*sql.Tx] = (*KeyStore)(nil)
