package postgres

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
)

// A Store keeps events in PostgreSQL. Tx is what its methods run in: pgx.Tx, *sql.Tx or *pgxpool.Pool. It is immutable
// and safe for concurrent use; a transaction is not, so concurrent calls need one each, or a pool. Its first call takes one
// round trip more, to see whether the server is one that can keep a log, see [ErrEngine], and whether the session's settings
// let values through as they are; else the error is a [*runtime.CheckError].
//
// It implements every interface of package runtime, optional ones included.
type Store[Tx any] struct {
	bind    func(Tx) querier // nil for no transaction
	alone   bool             // each statement is a transaction of its own
	tables  tables
	log     string // where there are many and streams are not spread over them
	sql     statements
	payload PayloadType
	invalid error          // the name of the log is none
	notify  string         // channel, or empty
	logger  runtime.Logger // or nil
	clock   func() time.Time
	engine  *engine
	looks   *looks
	lent    *sync.Pool // of *lent; see LendFromSnapshot
}

// New returns a store for the caller's pgx transactions. The error says which part of the configuration is invalid; the
// database is not asked, see [Check].
func New(opts ...Option) (*Store[pgx.Tx], error) {
	return newStore(bindPgx, opts)
}

// NewSQL returns a store for the caller's database/sql transactions, which must come from the driver pgx/v5/stdlib.
// Reading the log takes two round trips instead of one, since database/sql cannot send two statements together. The
// error says which part of the configuration is invalid.
func NewSQL(opts ...Option) (*Store[*sql.Tx], error) {
	return newStore(bindSQL, opts)
}

// NewPool returns a store each of whose calls is a transaction of its own, in one round trip, on a connection of the
// pool. The error says which part of the configuration is invalid.
func NewPool(opts ...Option) (*Store[*pgxpool.Pool], error) {
	s, err := newStore(bindPool, opts)
	if err != nil {
		return nil, err
	}
	s.alone = true
	return s, nil
}

// Same reports whether other appends to the same streams because it was made from the same constructor call: it is s, or of
// the same log by [Logs.Of].
func (s *Store[Tx]) Same(other runtime.Store[Tx]) bool {
	o, ok := other.(*Store[Tx])
	return ok && o.engine == s.engine && (o.log == s.log || s.tables.hashed > 0)
}

func bindPgx(tx pgx.Tx) querier {
	if pooled, ok := tx.(*pgxpool.Tx); tx == nil || ok && pooled == nil {
		return nil
	}
	return pgxQuerier{tx}
}

func bindSQL(tx *sql.Tx) querier {
	if tx == nil {
		return nil
	}
	return sqlQuerier{tx}
}

func bindPool(pool *pgxpool.Pool) querier {
	if pool == nil {
		return nil
	}
	return pgxQuerier{pool}
}

func newStore[Tx any](bind func(Tx) querier, opts []Option) (*Store[Tx], error) {
	s, err := newLayoutStore(bind, opts)
	if err != nil {
		return nil, err
	}
	if s = s.inLog(s.log); s.invalid != nil {
		return nil, s.invalid
	}
	return s, nil
}

// newLayoutStore returns a store that may have no log yet.
func newLayoutStore[Tx any](bind func(Tx) querier, opts []Option) (*Store[Tx], error) {
	var c Config
	for _, o := range opts {
		o.apply(&c)
	}
	t, err := c.tables()
	if err != nil {
		return nil, err
	}
	if err := c.Payload.check(); err != nil {
		return nil, err
	}
	if err := checkChannel(c.NotifyChannel); err != nil {
		return nil, err
	}
	if c.NotifyChannel != "" && t.citus {
		return nil, errors.New("notify channel: on Citus an append commits on the node of its log, and would notify listeners of that node only")
	}
	texts, err := render(t, c.Payload, c.NotifyChannel != "")
	if err != nil {
		return nil, err
	}
	clock := c.Clock
	if clock == nil {
		clock = time.Now
	}
	return &Store[Tx]{
		bind: bind, tables: t, log: c.Log, sql: texts, payload: c.Payload, notify: c.NotifyChannel, logger: c.Logger, clock: clock,
		engine: new(engine), looks: newLooks(t), lent: &sync.Pool{New: func() any { return newLent() }},
	}, nil
}

// debug tells the logger, if there is one. Callers whose arguments are costly check for themselves.
func (s *Store[Tx]) debug(ctx context.Context, msg string, keyvals ...any) {
	if s.logger != nil {
		s.logger.Debug(ctx, msg, keyvals...)
	}
}

// That a store is all this is checked here rather than by its first user.
var (
	_ runtime.Store[pgx.Tx]                = (*Store[pgx.Tx])(nil)
	_ runtime.EventReader[pgx.Tx]          = (*Store[pgx.Tx])(nil)
	_ runtime.GlobalPositionReader[pgx.Tx] = (*Store[pgx.Tx])(nil)
	_ runtime.StreamsAppender[pgx.Tx]      = (*Store[pgx.Tx])(nil)
	_ runtime.SafePositionReader[pgx.Tx]   = (*Store[pgx.Tx])(nil)
	_ runtime.StreamIterator[pgx.Tx]       = (*Store[pgx.Tx])(nil)
	_ runtime.LogIterator[pgx.Tx]          = (*Store[pgx.Tx])(nil)
	_ runtime.SnapshotStore[pgx.Tx]        = (*Store[pgx.Tx])(nil)
	_ runtime.StreamsReader[pgx.Tx]        = (*Store[pgx.Tx])(nil)
)
