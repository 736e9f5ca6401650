package postgres

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/pgname"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// A KeyStore keeps the keys of personal data in the table subject_keys: the [privacy.KeyStore] that privacy.NewKeys needs. Tx
// is what its methods run in, as for [Store]. It is immutable and safe for concurrent use.
//
// Keys are in the same database as the log, and made in the transaction of the append that needs them first, unless
// [KeyStore.In] says otherwise. In REPEATABLE READ and SERIALIZABLE nothing is cached, since a transaction does not see there
// that a key was erased meanwhile; two transactions that make the first key of a subject at once are a serialization failure
// there.
type KeyStore[Tx any] struct {
	bind   func(Tx) querier
	apart  querier // of another database; nil: there is none
	alone  bool    // each statement is a transaction of its own
	tables keyTables
	sql    keyStatements
}

// keyTables are the tables that keys need, by their validated names.
type keyTables struct {
	tables
	keys pgname.Table
}

// WithSubjectKeysTable sets the table of the keys of personal data; see [Config].
func WithSubjectKeysTable(name string) Option {
	return option(func(c *Config) { c.SubjectKeysTable = name })
}

// NewKeyStore returns the store of keys for the caller's pgx transactions. Options are those of [New]; give both the same.
// The error says which part of the configuration is invalid; the database is not asked, see [Check].
func NewKeyStore(opts ...Option) (*KeyStore[pgx.Tx], error) {
	return newKeyStore(func(tx pgx.Tx) querier {
		if tx == nil {
			return nil
		}
		return pgxQuerier{tx}
	}, opts)
}

// NewKeyStoreSQL is [NewKeyStore] for the caller's database/sql transactions, of the driver pgx/v5/stdlib.
func NewKeyStoreSQL(opts ...Option) (*KeyStore[*sql.Tx], error) {
	return newKeyStore(func(tx *sql.Tx) querier {
		if tx == nil {
			return nil
		}
		return sqlQuerier{tx}
	}, opts)
}

// NewKeyStorePool is [NewKeyStore] beside a store of [NewPool]: each call is a transaction of its own, so a key is there
// although the append that it was made for may fail.
func NewKeyStorePool(opts ...Option) (*KeyStore[*pgxpool.Pool], error) {
	return alone(newKeyStore(func(pool *pgxpool.Pool) querier {
		if pool == nil {
			return nil
		}
		return pgxQuerier{pool}
	}, opts))
}

// NewKeyStoreGroup is [NewKeyStorePool] beside a [Group], on connections of the same pool.
func NewKeyStoreGroup(opts ...Option) (*KeyStore[*Group], error) {
	return alone(newKeyStore(func(g *Group) querier {
		if g == nil {
			return nil
		}
		return pgxQuerier{g.pool}
	}, opts))
}

// alone makes each statement of a store a transaction of its own.
func alone[Tx any](s *KeyStore[Tx], err error) (*KeyStore[Tx], error) {
	if s != nil {
		s.alone = true
	}
	return s, err
}

func newKeyStore[Tx any](bind func(Tx) querier, opts []Option) (*KeyStore[Tx], error) {
	var c Config
	for _, o := range opts {
		o.apply(&c)
	}
	t, err := c.keyTables()
	if err != nil {
		return nil, err
	}
	texts, err := renderKeys(t)
	if err != nil {
		return nil, err
	}
	return &KeyStore[Tx]{bind: bind, tables: t, sql: texts}, nil
}

// keyTables returns the names that the configuration stands for, or the first rule that one of them breaks.
func (c *Config) keyTables() (keyTables, error) {
	t, err := c.tables()
	if err != nil {
		return keyTables{}, err
	}
	keys := t.events.Sibling(pgname.SubjectKeysTable)
	if c.SubjectKeysTable != "" {
		if keys, err = pgname.ParseTable(c.SubjectKeysTable); err != nil {
			return keyTables{}, fmt.Errorf("subject keys table: %w", err)
		}
	}
	if keys == t.events || keys == t.heads || keys == t.snapshots {
		return keyTables{}, fmt.Errorf("subject keys table: %q is another table of the store", keys)
	}
	return keyTables{t, keys}, nil
}

// In returns a store whose keys are in another database, so that the backups of the log hold none. The table there is the one
// that migrate-gen --subject-keys only writes. It has its price: a key that is missing is made, and a subject is forgotten, at
// once and whatever becomes of the caller's transaction; keys that are not cached take a round trip to that database on a
// connection of its pool; and both databases have to be there for an append or a read of personal data.
func (s *KeyStore[Tx]) In(pool *pgxpool.Pool) *KeyStore[Tx] { return s.in(pgxQuerier{pool}) }

// InSQL is [KeyStore.In] for a *sql.DB of the driver pgx/v5/stdlib.
func (s *KeyStore[Tx]) InSQL(db *sql.DB) *KeyStore[Tx] { return s.in(sqlQuerier{db}) }

func (s *KeyStore[Tx]) in(apart querier) *KeyStore[Tx] {
	moved := *s
	moved.apart = apart
	return &moved
}

// querier returns what runs statements on the table of keys.
func (s *KeyStore[Tx]) querier(tx Tx) (querier, error) {
	if s.apart != nil {
		return s.apart, nil
	}
	if q := s.bind(tx); q != nil {
		return q, nil
	}
	return nil, errNoTransaction
}

// MakeKeys implements [privacy.KeyStore].
func (s *KeyStore[Tx]) MakeKeys(ctx context.Context, tx Tx, keys []privacy.StoredKey, readmit bool) ([]privacy.StoredKey, error) {
	q, err := s.querier(tx)
	if err != nil {
		return nil, err
	}
	var newest []privacy.StoredKey
	for range 10 {
		found, err := s.collect(ctx, q, s.sql.make, keyIDs(keys), subjects(keys), wrapped(keys), wrappedBy(keys), readmit)
		if err != nil {
			return nil, s.tables.keysError(err, "select and insert")
		}
		newest = append(newest, found...)
		// Where another transaction has made a key meanwhile, the statement saw neither that nor made one. The next one sees it.
		if keys = without(keys, found); len(keys) == 0 {
			return newest, nil
		}
	}
	return nil, fmt.Errorf("table %s takes no key of subject %q, and has none; a trigger, rule or policy may keep it out", s.tables.keys, keys[0].Subject)
}

// FindKeys implements [privacy.KeyStore].
func (s *KeyStore[Tx]) FindKeys(ctx context.Context, tx Tx, k privacy.KeyQuery) ([]privacy.StoredKey, error) {
	q, err := s.querier(tx)
	if err != nil {
		return nil, err
	}
	var found []privacy.StoredKey
	switch {
	case k.IDs != nil:
		found, err = s.collect(ctx, q, s.sql.byID, texts(k.IDs))
	case k.Subjects != nil:
		found, err = s.collect(ctx, q, s.sql.bySubject, k.Subjects)
	case k.Forgotten:
		found, err = s.collect(ctx, q, s.sql.forgotten, k.After.String(), k.Limit)
	default:
		found, err = s.collect(ctx, q, s.sql.notWrappedBy, k.NotWrappedBy, k.Limit)
	}
	if err != nil {
		return nil, s.tables.keysError(err, "select")
	}
	return found, nil
}

// ForgetKeys implements [privacy.KeyStore].
func (s *KeyStore[Tx]) ForgetKeys(ctx context.Context, tx Tx, keys []privacy.StoredKey) error {
	q, err := s.querier(tx)
	if err != nil {
		return err
	}
	generations := make([]int32, len(keys))
	for i := range keys {
		generations[i] = int32(keys[i].Generation)
	}
	if err := exec(ctx, q, query{s.sql.forget, []any{keyIDs(keys), subjects(keys), generations}}); err != nil {
		return s.tables.keysError(err, "select, insert and update")
	}
	return s.dropSealed(ctx, tx, keys)
}

// dropSealed deletes the snapshots that are sealed with keys, where there are snapshots.
func (s *KeyStore[Tx]) dropSealed(ctx context.Context, tx Tx, keys []privacy.StoredKey) error {
	q := s.bind(tx)
	if q == nil {
		return errNoTransaction
	}
	var kept bool
	if err := queryRow(ctx, q, query{s.sql.hasSnapshots, []any{s.tables.snapshots.Quoted()}}, &kept); err != nil || !kept {
		return err
	}
	err := exec(ctx, q, query{s.sql.dropSealed, []any{keyIDs(keys)}})
	if state(err) == stateInsufficientRights {
		return fmt.Errorf("the role needs select and delete on %s: %w", s.tables.snapshots, err)
	}
	return err
}

// RewrapKeys implements [privacy.KeyStore].
func (s *KeyStore[Tx]) RewrapKeys(ctx context.Context, tx Tx, keys []privacy.StoredKey) error {
	q, err := s.querier(tx)
	if err != nil {
		return err
	}
	if err := exec(ctx, q, query{s.sql.rewrap, []any{keyIDs(keys), wrapped(keys), wrappedBy(keys)}}); err != nil {
		return s.tables.keysError(err, "select and update")
	}
	return nil
}

// collect returns the keys that a statement gives.
func (s *KeyStore[Tx]) collect(ctx context.Context, q querier, text string, args ...any) ([]privacy.StoredKey, error) {
	r, err := q.query(ctx, query{text, args})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var keys []privacy.StoredKey
	for r.Next() {
		var k privacy.StoredKey
		var keyID string
		if err := r.Scan(&keyID, &k.Subject, &k.Generation, &k.Wrapped, &k.WrappedBy, &k.CreatedAt, &k.ForgottenAt, &k.Settled); err != nil {
			return nil, err
		}
		if k.KeyID, err = uuid.Parse(keyID); err != nil {
			return nil, err
		}
		if !k.IsForgotten() {
			k.ForgottenAt = time.Time{}
		}
		k.Settled = k.Settled || s.alone || s.apart != nil
		keys = append(keys, k)
	}
	r.Close()
	return keys, r.Err()
}

// keysError explains what the server says about a statement that needs the table of keys, with the rights that it needs.
func (t keyTables) keysError(err error, rights string) error {
	switch state(err) {
	case stateUndefinedTable, stateUndefinedColumn, stateInvalidSchema:
		return fmt.Errorf("table %s is needed for personal data, and it is missing or older than this runtime; "+
			"run the SQL that `migrate-gen --subject-keys here%s` writes: %w", t.keys, t.flags(), err)
	case stateInsufficientRights:
		return fmt.Errorf("the role needs %s on %s: %w", rights, t.keys, err)
	}
	return err
}

// flags returns the options of migrate-gen that make these tables, each after a blank.
func (t keyTables) flags() string {
	flags := t.tables.flags()
	if t.keys != t.events.Sibling(pgname.SubjectKeysTable) {
		flags += " --subject-keys-table " + t.keys.String()
	}
	return flags
}

// state returns the SQLSTATE of a server's error, or nothing.
func state(err error) string {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return server.Code
	}
	return ""
}

// without returns the keys whose subjects none of the others have.
func without(keys, others []privacy.StoredKey) []privacy.StoredKey {
	known := make(map[string]bool, len(others))
	for i := range others {
		known[others[i].Subject] = true
	}
	var rest []privacy.StoredKey
	for _, k := range keys {
		if !known[k.Subject] {
			rest = append(rest, k)
		}
	}
	return rest
}

// The columns of keys, as the arrays of a statement; see appendQuery for why they are text.

func keyIDs(keys []privacy.StoredKey) []string {
	ids := make([]string, len(keys))
	for i := range keys {
		ids[i] = keys[i].KeyID.String()
	}
	return ids
}

func subjects(keys []privacy.StoredKey) []string {
	all := make([]string, len(keys))
	for i := range keys {
		all[i] = keys[i].Subject
	}
	return all
}

func wrapped(keys []privacy.StoredKey) []string {
	all := make([]string, len(keys))
	for i := range keys {
		all[i] = base64.StdEncoding.EncodeToString(keys[i].Wrapped)
	}
	return all
}

// wrappedBy returns the name of the wrapper, which is the same for all keys of a call.
func wrappedBy(keys []privacy.StoredKey) string {
	if len(keys) == 0 {
		return ""
	}
	return keys[0].WrappedBy
}

func texts(ids []uuid.UUID) []string {
	all := make([]string, len(ids))
	for i := range ids {
		all[i] = ids[i].String()
	}
	return all
}

var (
	_ privacy.KeyStore[pgx.Tx]        = (*KeyStore[pgx.Tx])(nil)
	_ privacy.KeyStore[*sql.Tx]       = (*KeyStore[*sql.Tx])(nil)
	_ privacy.KeyStore[*pgxpool.Pool] = (*KeyStore[*pgxpool.Pool])(nil)
	_ privacy.KeyStore[*Group]        = (*KeyStore[*Group])(nil)
)
