package postgres

import (
	"context"
	"fmt"
	"iter"
	"math"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/internal/reading"
)

// ReadAggregateStream reads a stream, or a window of it; see [runtime.AggregateStreamReader]. It works at every isolation
// level, in read-only transactions and on a standby.
//
// The head's version is read before the events. So in READ COMMITTED, where each has a snapshot of its own, Version may
// miss an append that ends at that very moment, but never counts an event that was not read: an append that expects it
// then conflicts and no update is lost.
func (s *Store[Tx]) ReadAggregateStream(ctx context.Context, tx Tx, aggregateType, aggregateID string, fromVersion, toVersion *int64) (runtime.Stream, error) {
	return s.ReadStreamParts(ctx, tx, aggregateType, aggregateID, fromVersion, toVersion, nil)
}

// ReadStreamParts is ReadAggregateStream that shows events while it reads further ones; see [runtime.StreamPartsReader].
// A stream of few events is not shown, and neither are the last ones of any.
func (s *Store[Tx]) ReadStreamParts(
	ctx context.Context, tx Tx, aggregateType, aggregateID string, fromVersion, toVersion *int64, show func([]runtime.PersistedEvent),
) (runtime.Stream, error) {
	from, to := int64(0), int64(math.MaxInt64)
	if fromVersion != nil {
		from = *fromVersion
	}
	if toVersion != nil {
		to = *toVersion
	}
	p := streamPage{aggregateType: aggregateType, aggregateID: aggregateID, from: from, to: to, limit: math.MaxInt64}
	if !p.exists() {
		return runtime.NewStream(aggregateType, aggregateID, 0, nil), nil
	}
	db, err := s.querier(ctx, tx)
	if err != nil {
		return runtime.Stream{}, s.streamError(p, err)
	}
	version, r, err := s.openStream(ctx, db, s.sql.head, p)
	if err != nil {
		return runtime.Stream{}, s.streamError(p, err)
	}
	expected := room(from, min(to, version))
	d := newDecoder()
	d.show = show
	events, err := d.collect(make([]runtime.PersistedEvent, 0, expected), r, expected)
	if err != nil {
		return runtime.Stream{}, s.streamError(p, err)
	}
	stream := runtime.NewStream(aggregateType, aggregateID, version, events)
	if err := stream.Complete(fromVersion, toVersion); err != nil {
		return runtime.Stream{}, s.streamError(p, err)
	}
	return stream, nil
}

// PartsOf returns s; see [runtime.StreamPartsReader].
func (s *Store[Tx]) PartsOf() runtime.AggregateStreamReader[Tx] { return s }

// room returns how many events to make room for at once in order to read the versions from and to, both included.
func room(from, to int64) int {
	const most = 1 << 16
	return int(min(max(max(to, 0)-max(from, 1)+1, 0), most))
}

// StreamEvents yields the events that query selects, up to the end of the stream as it stood when the sequence began; see
// [runtime.StreamIterator]. It reads page by page, so memory stays flat, leaving the loop early costs nothing, and tx may
// be used inside the loop.
func (s *Store[Tx]) StreamEvents(ctx context.Context, tx Tx, aggregateType, aggregateID string, q runtime.StreamQuery) iter.Seq2[runtime.PersistedEvent, error] {
	return func(yield func(runtime.PersistedEvent, error) bool) {
		p := streamPage{
			aggregateType: aggregateType,
			aggregateID:   aggregateID,
			from:          max(q.FromVersion, 1),
			to:            q.ToVersion,
			backward:      q.Backward,
		}
		db, err := s.querier(ctx, tx)
		if err == nil {
			err = s.yieldStream(ctx, db, p, q, yield)
		}
		if err != nil {
			yield(runtime.PersistedEvent{}, s.streamError(p, err))
		}
	}
}

// yieldStream yields the events of a stream, from the page p on, until the loop is left.
func (s *Store[Tx]) yieldStream(ctx context.Context, db querier, p streamPage, q runtime.StreamQuery, yield func(runtime.PersistedEvent, error) bool) error {
	if q.Limit < 0 {
		return fmt.Errorf("%w: %d", errLimit, q.Limit)
	}
	if !p.exists() {
		return nil
	}
	if p.to < 1 {
		p.to = math.MaxInt64
	}
	var versions *reading.Versions
	open := func(limit int) (rows, error) {
		p.limit = int64(limit)
		if versions != nil {
			return db.query(ctx, s.streamQuery(p))
		}
		end, r, err := s.openStream(ctx, db, s.sql.end, p)
		p.to = min(p.to, end)
		versions = reading.NewVersions(p.aggregateType, p.aggregateID, end, q)
		return r, err
	}
	for pages := newPager(q.Limit); !pages.done; {
		page, err := pages.next(open)
		if err != nil {
			return err
		}
		for _, e := range page {
			if e.AggregateVersion > p.to {
				pages.skip() // it was appended since the end was looked up
				continue
			}
			if err := versions.Meet(e.AggregateVersion); err != nil {
				return err
			}
			if !yield(e, nil) {
				return nil
			}
			if p.backward {
				p.to = e.AggregateVersion - 1
			} else {
				p.from = e.AggregateVersion + 1
			}
		}
	}
	return versions.End()
}

// A streamPage is a part of a stream.
type streamPage struct {
	aggregateType, aggregateID string
	from, to, limit            int64
	backward                   bool
}

// exists reports whether there can be such a stream. PostgreSQL's text has no NUL and no invalid UTF-8: the server would
// not answer that there is none, but end the transaction.
func (p *streamPage) exists() bool {
	return runtime.ValidName(p.aggregateType) && runtime.ValidName(p.aggregateID)
}

func (s *Store[Tx]) streamQuery(p streamPage) query {
	text := s.sql.streamForward
	if p.backward {
		text = s.sql.streamBackward
	}
	return s.of(p.aggregateID, text, p.aggregateType, p.aggregateID, p.from, p.to, p.limit)
}

// openStream returns the version that the statement head gives of a stream and then, never older, the rows of the page.
func (s *Store[Tx]) openStream(ctx context.Context, q querier, head string, p streamPage) (version int64, r rows, err error) {
	r, err = q.queryAfter(ctx,
		s.of(p.aggregateID, head, p.aggregateType, p.aggregateID), []any{&version},
		s.streamQuery(p))
	return version, r, err
}

func (s *Store[Tx]) streamError(p streamPage, err error) error {
	return fmt.Errorf("read %s %q: %w", p.aggregateType, p.aggregateID, s.tables.classify(err, false))
}
