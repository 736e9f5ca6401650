package postgres

import (
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/jackc/pgx/v5"
)

// lookAgain is for how long an append relies on the last look at the sequence over its connection.
const lookAgain = 100 * time.Millisecond

// looks remembers the last look at the sequence over each connection: what one server, or one database, was found to be says
// nothing about another's.
type looks struct {
	byConnection sync.Map // weak.Pointer[pgx.Conn] to *look
}

// newLooks returns looks that remember none; nil where there are many logs: they count their positions themselves.
func newLooks(t tables) *looks {
	if t.areMany() {
		return nil
	}
	return new(looks)
}

// A look is what the last look over a connection found. A nil one is of a connection that is not known: each append looks.
type look struct {
	at       atomic.Int64 // see sinceStart
	position atomic.Int64 // that the sequence has given out since; 0: there was no look yet
}

// over returns the look over the connection that q is on, nil where the driver does not say which that is.
func (l *looks) over(q querier) *look {
	if l == nil {
		return nil
	}
	p, _ := q.(pgxQuerier)
	on, ok := p.db.(interface{ Conn() *pgx.Conn })
	if !ok {
		return nil
	}
	conn := on.Conn()
	if conn == nil {
		return nil
	}
	key := weak.Make(conn)
	found, ok := l.byConnection.Load(key)
	if !ok {
		if found, ok = l.byConnection.LoadOrStore(key, new(look)); !ok {
			goruntime.AddCleanup(conn, func(key weak.Pointer[pgx.Conn]) { l.byConnection.Delete(key) }, key)
		}
	}
	return found.(*look)
}

// recent returns a position at or above which the sequence of a sound log is, and 0 if it is time to look again.
func (k *look) recent() int64 {
	if k == nil || sinceStart()-time.Duration(k.at.Load()) > lookAgain {
		return 0
	}
	return k.position.Load()
}

// drew notes the highest position of an append, and whether that looked at the sequence, after the time.
func (k *look) drew(position int64, looked bool, after time.Duration) {
	if k == nil {
		return
	}
	k.position.Store(position)
	if looked {
		k.at.Store(int64(after))
	}
}

var start = time.Now()

// sinceStart returns the time since the process started, whatever happens to its wall clock.
func sinceStart() time.Duration { return time.Since(start) }
