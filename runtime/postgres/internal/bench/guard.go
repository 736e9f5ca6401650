package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// look is the part of an append that looks whether the sequence is behind the log.
var look = regexp.MustCompile(`(?s)ln\(case when .*? end::double precision\)`)

// guard compares appends of one event with the same statement without its look at the sequence.
func guard(p plan) comparison {
	store, newErr := postgres.New()
	appending := func(name string, in func(pgx.Tx) pgx.Tx) side {
		return side{name, func(ctx context.Context, pool *pgxpool.Pool) (float64, string, error) {
			if newErr != nil {
				return 0, "", newErr
			}
			rate, err := writeFor(ctx, p, pool, func(ctx context.Context, tx pgx.Tx, w *writer) error {
				events := w.next(1)
				r, err := store.Append(ctx, in(tx), runtime.Exact(w.version), events)
				w.version = r.ToVersion()
				return err
			})
			return rate, "", err
		}}
	}
	return comparison{
		name: "append 1 event, the look at the sequence",
		unit: "appends/s",
		sides: []side{
			appending("without it", func(tx pgx.Tx) pgx.Tx { return &unlooked{tx} }),
			appending("eventmap", func(tx pgx.Tx) pgx.Tx { return &same{tx} }),
		},
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

// same is a transaction behind one more call, like unlooked.
type same struct{ pgx.Tx }

// unlooked is a transaction that takes the look out of the statement that it stands in. It does not say which connection it is on,
// so that the store looks with each.
type unlooked struct{ pgx.Tx }

var errNoLook = errors.New("the append has no look at the sequence that could be left out")

// Conn implements [pgx.Tx].
func (*unlooked) Conn() *pgx.Conn { return nil }

// Query implements [pgx.Tx].
func (u *unlooked) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	text, ok := withoutLook.Load(sql)
	if !ok {
		if strings.HasPrefix(sql, "-- eventmap: append") && !look.MatchString(sql) {
			return nil, errNoLook
		}
		text, _ = withoutLook.LoadOrStore(sql, look.ReplaceAllString(sql, "0::double precision"))
	}
	return u.Tx.Query(ctx, text.(string), args...)
}

// withoutLook has the texts without their look, by those with it: finding it takes longer than the look.
var withoutLook sync.Map
