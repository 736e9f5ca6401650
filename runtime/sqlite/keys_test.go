package sqlite_test

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/runtime/privacy"
	"github.com/eventmap/eventmap/runtime/privacy/keystest"
	"github.com/eventmap/eventmap/runtime/sqlite"
	"github.com/eventmap/eventmap/runtime/storetest"
)

func newKeyStore(t testing.TB, opts ...sqlite.Option) *sqlite.KeyStore {
	t.Helper()
	store, err := sqlite.NewKeyStore(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestKeyStore_contract(t *testing.T) {
	t.Parallel()
	db, log, keys := migrated(t, inFile(t)), migrated(t, inFile(t)), open(t, inFile(t))
	text, err := migration.Schema(design.Options{Dialect: "sqlite", SubjectKeys: "only"})
	if err != nil {
		t.Fatal(err)
	}
	execute(t, keys, text)
	for name, h := range map[string]keystest.Harness[*sql.Tx]{
		"same file": {
			Store: newKeyStore(t), Begin: beginner(db, nil), Snapshots: newStore(t), Without: []storetest.Ability{storetest.ConcurrentWriters},
		},
		"another file": {
			Store: newKeyStore(t).In(keys), Begin: beginner(log, nil), Snapshots: newStore(t),
			Without: []storetest.Ability{storetest.ConcurrentWriters, storetest.Transactions},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keystest.Run(t, h)
		})
	}
}

func localWrapper(t testing.TB) privacy.KeyWrapper {
	t.Helper()
	w, err := privacy.NewLocalWrapper([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// What SQLite removes it leaves in the file until something else needs the place.
func TestForgetKeys_overwritesTheFile(t *testing.T) {
	t.Parallel()
	address := inFile(t)
	db := migrated(t, address)
	keys := privacy.NewKeys(newKeyStore(t), localWrapper(t))
	var wrapped []byte
	tx := begin(t, db, nil)
	if _, err := keys.ForSubjects(t.Context(), tx, "ada"); err != nil {
		t.Fatal(err)
	}
	commit(t, tx)
	wrapped = one[[]byte](t, db, "select wrapped from subject_keys")
	if !inFiles(t, db, address, wrapped) {
		t.Fatal("the test does not find the key where it is")
	}
	tx = begin(t, db, nil)
	if err := keys.Forget(t.Context(), tx, "ada"); err != nil {
		t.Fatal(err)
	}
	commit(t, tx)
	if inFiles(t, db, address, wrapped) {
		t.Error("the erased key is still in the file")
	}
}

// inFiles reports whether the database's files hold the bytes once its log was written back.
func inFiles(t testing.TB, db *sql.DB, address string, part []byte) bool {
	t.Helper()
	execute(t, db, "pragma wal_checkpoint(truncate)")
	files, err := filepath.Glob(address + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, part) {
			return true
		}
	}
	return false
}

func TestKeyStore_missingTable(t *testing.T) {
	t.Parallel()
	db := migrated(t, inFile(t))
	execute(t, db, "drop table subject_keys")
	keys := privacy.NewKeys(newKeyStore(t), localWrapper(t))
	_, err := keys.ForSubjects(t.Context(), begin(t, db, nil), "ada")
	if err == nil || !strings.Contains(err.Error(), "table subject_keys is missing; migrate the database with sqlite.Migrate") {
		t.Errorf("error is %v", err)
	}
}
