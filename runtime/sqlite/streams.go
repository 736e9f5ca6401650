package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/internal/appending"
)

// AppendStreams appends to several streams, all or nothing; see [runtime.StreamsAppender]. Errors and what they do to the
// transaction are those of [Store.Append]; a conflict is that of the first stream, by the order of the arguments, that
// has one. No appends at all is [runtime.ErrNoEvents].
//
// When every stream holds its events right after its expected version, the whole has happened before and every result is
// the first one. When only some do, the error is [runtime.ErrDuplicateEvent].
//
// A guard holds until the transaction ends because only one transaction writes at a time. One that did not begin as a writer
// and has guards alone finds out at its first write whether another has written since.
func (s *Store) AppendStreams(ctx context.Context, tx *sql.Tx, appends ...runtime.StreamAppend) ([]runtime.AppendResult, error) {
	if err := appending.ValidateStreams(appends, appending.ValidateStream); err != nil {
		return nil, fmt.Errorf("append to %d streams: %w", len(appends), err)
	}
	results, err := s.appendStreams(ctx, tx, appends)
	if err != nil {
		s.debug(ctx, "append refused", "streams", len(appends), "error", err)
		return nil, fmt.Errorf("append to %d streams: %w", len(appends), s.explain(ctx, tx, err))
	}
	s.debug(ctx, "appended", "streams", len(appends))
	return results, nil
}

// appendStreams looks at all streams before it writes to the first.
func (s *Store) appendStreams(ctx context.Context, tx *sql.Tx, appends []runtime.StreamAppend) ([]runtime.AppendResult, error) {
	versions := make([]int64, len(appends))
	var all []runtime.Event
	var end int64 // of the log
	expected := true
	for i, a := range appends {
		name := appending.NameOf(a)
		var err error
		if versions[i], end, err = s.ends(ctx, tx, name.AggregateType, name.AggregateID); err != nil {
			return nil, err
		}
		expected = expected && a.Expected.Matches(versions[i])
		all = append(all, a.Events...)
	}
	if !expected {
		version := 0
		return appending.StreamsAgain(appends, func(a runtime.StreamAppend) (runtime.AppendResult, error) {
			version++
			return s.whyNot(ctx, tx, a, versions[version-1])
		})
	}
	if err := s.refuseStored(ctx, tx, all); err != nil {
		return nil, err
	}
	results := make([]runtime.AppendResult, len(appends))
	next := end
	for i, a := range appends {
		if a.IsGuard() {
			continue
		}
		results[i] = appending.Result(appending.Events(a.Events, s.clock), make([]int64, len(a.Events)), versions[i]+1)
		if err := s.insert(ctx, tx, next, results[i]); err != nil {
			return nil, err
		}
		next += int64(len(a.Events))
	}
	if next > end {
		s.fences.set(tx, end)
	}
	return results, nil
}
