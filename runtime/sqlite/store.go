package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/eventmap/eventmap/runtime"
)

// A Store keeps events in SQLite, in transactions of the caller's. It is immutable and safe for concurrent use; a
// transaction is not, so concurrent calls need one each.
//
// It implements every interface of package runtime, optional ones included.
type Store struct {
	tables tables
	sql    statements
	fences fences
	logger runtime.Logger // or nil
	clock  func() time.Time
}

// New returns a store. The error says which part of the configuration is invalid; the database is not asked, see
// [Check].
func New(opts ...Option) (*Store, error) {
	c, t, err := configure(opts)
	if err != nil {
		return nil, err
	}
	texts, err := render(t)
	if err != nil {
		return nil, err
	}
	return &Store{tables: t, sql: texts, logger: c.Logger, clock: c.Clock}, nil
}

// debug tells the logger, if there is one. Callers whose arguments are costly check for themselves.
func (s *Store) debug(ctx context.Context, msg string, keyvals ...any) {
	if s.logger != nil {
		s.logger.Debug(ctx, msg, keyvals...)
	}
}

// That a store is all this is checked here rather than by its first user.
var (
	_ runtime.Store[*sql.Tx]                = (*Store)(nil)
	_ runtime.EventReader[*sql.Tx]          = (*Store)(nil)
	_ runtime.GlobalPositionReader[*sql.Tx] = (*Store)(nil)
	_ runtime.StreamsAppender[*sql.Tx]      = (*Store)(nil)
	_ runtime.SafePositionReader[*sql.Tx]   = (*Store)(nil)
	_ runtime.StreamIterator[*sql.Tx]       = (*Store)(nil)
	_ runtime.LogIterator[*sql.Tx]          = (*Store)(nil)
	_ runtime.SnapshotStore[*sql.Tx]        = (*Store)(nil)
)
