package sqlite

import (
	"database/sql"
	goruntime "runtime"
	"sync"
	"weak"
)

// fences remember, of transactions that have appended, where the log ended before: what is beyond is theirs and may still
// be rolled back. SQLite has nothing by which a statement could tell its transaction from the one before.
type fences struct {
	ends sync.Map // by weak.Pointer[sql.Tx]: int64. An entry goes when its transaction has.
}

// set notes where the log ended before the first append of tx.
func (f *fences) set(tx *sql.Tx, end int64) {
	key := weak.Make(tx)
	if _, known := f.ends.LoadOrStore(key, end); !known {
		goruntime.AddCleanup(tx, func(key weak.Pointer[sql.Tx]) { f.ends.Delete(key) }, key)
	}
}

// before returns the position up to which tx may read, where the log ends as far as it sees.
func (f *fences) before(tx *sql.Tx, end int64) int64 {
	if fence, ok := f.ends.Load(weak.Make(tx)); ok {
		return min(end, fence.(int64))
	}
	return end
}
