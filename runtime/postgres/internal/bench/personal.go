package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	events "github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/postgres/internal/personal/domain/letter"
	"github.com/eventmap/eventmap/runtime/postgres/internal/personal/personalstore"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// sealedText is what is sealed: 64 bytes.
var sealedText = strings.Repeat("personal", 8)

// A correspondence is the generated stores of one form of event, in clear and with two sealed fields.
type correspondence struct {
	cards   *personalstore.CardStore[pgx.Tx]
	letters *personalstore.LetterStore[pgx.Tx]
	fresh   func() *personalstore.LetterStore[pgx.Tx] // with no key cached
}

func newCorrespondence() (*correspondence, error) {
	store, err := postgres.New()
	if err != nil {
		return nil, err
	}
	keys, err := postgres.NewKeyStore()
	if err != nil {
		return nil, err
	}
	wrapper, err := privacy.NewLocalWrapper(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		return nil, err
	}
	fresh := func() *personalstore.LetterStore[pgx.Tx] {
		return personalstore.NewLetterStore(store, privacy.NewKeys(keys, wrapper))
	}
	return &correspondence{cards: personalstore.NewCardStore(store), letters: fresh(), fresh: fresh}, nil
}

func (c *correspondence) card(ctx context.Context, tx pgx.Tx, stream string, expected events.ExpectedVersion, n int) error {
	sent := make([]personalstore.CardEvent, n)
	for i := range sent {
		sent[i] = letter.Sent{By: "writer", Subject: sealedText, Body: sealedText, Pages: 1}
	}
	_, err := c.cards.Append(ctx, tx, stream, expected, sent)
	return err
}

func letters(ctx context.Context, tx pgx.Tx, store *personalstore.LetterStore[pgx.Tx], stream string, expected events.ExpectedVersion, n int) error {
	written := make([]personalstore.LetterEvent, n)
	for i := range written {
		written[i] = letter.Written{By: "writer", Subject: sealedText, Body: sealedText, Pages: 1}
	}
	_, err := store.Append(ctx, tx, stream, expected, written)
	return err
}

// personalData compares events with two sealed fields of 64 bytes with the same events in clear.
func personalData(p plan) []comparison {
	c, newErr := newCorrespondence()
	writing := func(name string, write func(ctx context.Context, tx pgx.Tx, stream string, at events.ExpectedVersion) error) side {
		return side{name, func(ctx context.Context, pool *pgxpool.Pool) (float64, string, error) {
			if newErr != nil {
				return 0, "", newErr
			}
			rate, err := writeFor(ctx, p, pool, func(ctx context.Context, tx pgx.Tx, w *writer) error {
				_ = w.next(0) // goes to the next stream
				at := events.Exact(w.version)
				w.version++
				return write(ctx, tx, w.stream, at)
			})
			return rate, "", err
		}}
	}
	prepare := func(ctx context.Context, pool *pgxpool.Pool) error {
		if newErr != nil {
			return newErr
		}
		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			if err := letters(ctx, tx, c.letters, longStream, events.NoStream(), longLength); err != nil {
				return err
			}
			return c.card(ctx, tx, longStream, events.NoStream(), longLength)
		})
	}
	return []comparison{
		{
			name: fmt.Sprintf("append an event with two sealed fields, key cached, %d writers", p.writers), unit: "appends/s", prepare: prepare,
			sides: []side{
				writing("in clear", func(ctx context.Context, tx pgx.Tx, stream string, at events.ExpectedVersion) error {
					return c.card(ctx, tx, stream, at, 1)
				}),
				writing("sealed", func(ctx context.Context, tx pgx.Tx, stream string, at events.ExpectedVersion) error {
					return letters(ctx, tx, c.letters, stream, at, 1)
				}),
			},
			goals: []goal{{against: "in clear", ratio: 0.9}},
		},
		sealingTrips(c, newErr),
		{
			name: "load 10,000 events with two sealed fields of one subject", unit: "loads/s", prepare: prepare,
			sides: []side{
				loading(p, "in clear", func(ctx context.Context, tx pgx.Tx) (int, error) {
					state, _, err := c.cards.Load(ctx, tx, longStream)
					return state.Pages, err
				}),
				loading(p, "sealed", func(ctx context.Context, tx pgx.Tx) (int, error) {
					state, _, err := c.letters.Load(ctx, tx, longStream)
					return state.Pages, err
				}),
			},
			goals: []goal{{against: "in clear", ratio: 0.65}},
		},
	}
}

// loading loads for a round, and returns how many loads there were each second.
func loading(p plan, name string, load func(ctx context.Context, tx pgx.Tx) (int, error)) side {
	return side{name, func(ctx context.Context, pool *pgxpool.Pool) (float64, string, error) {
		loads, begin := 0, time.Now()
		for ; time.Since(begin) < p.round; loads++ {
			err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
				n, err := load(ctx, tx)
				if err == nil && n != longLength {
					err = fmt.Errorf("loaded %d events of %d", n, longLength)
				}
				return err
			})
			if err != nil {
				return 0, "", err
			}
		}
		return float64(loads) / time.Since(begin).Seconds(), "", nil
	}}
}

// sealingTrips counts round trips of an append: in clear, with the key cached, and with no key cached.
func sealingTrips(c *correspondence, newErr error) comparison {
	counted := func(name string, write func(ctx context.Context, tx pgx.Tx, stream string) error) side {
		return side{name, func(ctx context.Context, pool *pgxpool.Pool) (float64, string, error) {
			if newErr != nil {
				return 0, "", newErr
			}
			return tripsOf(ctx, pool, func(counted *pgxpool.Pool) error { // the first time makes the key
				return pgx.BeginFunc(ctx, counted, func(tx pgx.Tx) error {
					return write(ctx, tx, fmt.Sprint("letter-", streamNumber.Add(1)))
				})
			})
		}}
	}
	return comparison{
		name: "round trips of an append with two sealed fields", unit: "round trips, begin and commit included",
		sides: []side{
			counted("in clear", func(ctx context.Context, tx pgx.Tx, stream string) error {
				return c.card(ctx, tx, stream, events.NoStream(), 1)
			}),
			counted("key cached", func(ctx context.Context, tx pgx.Tx, stream string) error {
				return letters(ctx, tx, c.letters, stream, events.NoStream(), 1)
			}),
			counted("no key cached", func(ctx context.Context, tx pgx.Tx, stream string) error {
				return letters(ctx, tx, c.fresh(), stream, events.NoStream(), 1)
			}),
		},
		goals: []goal{{against: "in clear", ratio: 1.34, atMost: true}, {against: "key cached", ratio: 1.34, atMost: true}},
	}
}
