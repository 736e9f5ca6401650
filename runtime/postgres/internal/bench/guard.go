package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// look is the part of an append that looks whether the sequence is behind the log.
var look = regexp.MustCompile(`(?s)ln\(case when .*? end::double precision\)`)

// guard compares an append of one event with the same statement without its look at the sequence.
func guard(p plan) comparison {
	store, newErr := postgres.New()
	appending := func(name, replacement string) side {
		return side{name, func(ctx context.Context, pool *pgxpool.Pool) (float64, string, error) {
			if newErr != nil {
				return 0, "", newErr
			}
			rate, err := writeFor(ctx, p, pool, func(ctx context.Context, tx pgx.Tx, w *writer) error {
				events := w.next(1)
				r, err := store.Append(ctx, &rewriting{Tx: tx, replacement: replacement}, runtime.Exact(w.version), events)
				w.version = r.ToVersion()
				return err
			})
			return rate, "", err
		}}
	}
	return comparison{
		name:  "append 1 event, the look at the sequence",
		unit:  "appends/s",
		sides: []side{appending("without it", "0::double precision"), appending("eventmap", "$0")},
		goals: []goal{{against: "without it", ratio: 0.97}},
	}
}

// completeness compares reading a stream, which ends with a look whether a version is missing, with the same and a second such
// look: what the second costs, the first does.
func completeness(p plan, length int) comparison {
	store, newErr := postgres.New()
	reading := func(name string, further int) side {
		return readsStreams(p, length, name, func(ctx context.Context, tx pgx.Tx, stream string) (int, error) {
			if newErr != nil {
				return 0, newErr
			}
			s, err := store.ReadAggregateStream(ctx, tx, "Order", stream, nil, nil)
			for range further {
				err = errors.Join(err, s.Complete(nil, nil))
			}
			return s.Len(), err
		})
	}
	return comparison{
		name:    fmt.Sprintf("read a stream of %d events, the look at its versions", length),
		unit:    "streams/s",
		prepare: fill("", 20*length, length),
		sides:   []side{reading("eventmap", 0), reading("and a second look", 1)},
		goals:   []goal{{against: "eventmap", ratio: 0.98}},
	}
}

// rewriting is a transaction that replaces the look in the statements that have one.
type rewriting struct {
	pgx.Tx
	replacement string
}

var errNoLook = errors.New("the append has no look at the sequence that could be left out")

// Query implements [pgx.Tx].
func (r *rewriting) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if strings.HasPrefix(sql, "-- eventmap: append") && !look.MatchString(sql) {
		return nil, errNoLook
	}
	return r.Tx.Query(ctx, look.ReplaceAllString(sql, r.replacement), args...)
}
