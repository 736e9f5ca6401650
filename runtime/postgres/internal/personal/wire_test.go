package personal_test

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres/internal/personal/domain/letter"
	store "github.com/eventmap/eventmap/runtime/postgres/internal/personal/personalstore"
	"github.com/eventmap/eventmap/runtime/postgres/internal/wire"
)

// What sealing and opening cost on the wire, where all statements are prepared.
func TestPersonal_roundTrips(t *testing.T) {
	t.Parallel()
	var counter wire.Counter
	d := onPostgres(t, &counter)
	trips := func(work func(tx pgx.Tx)) (n int64) {
		d.in(t, func(tx pgx.Tx) {
			before := counter.Trips()
			work(wire.Unknown{Tx: tx})
			n = counter.Trips() - before
		})
		return n
	}
	written := func(n int) []store.LetterEvent {
		events := make([]store.LetterEvent, n)
		for i := range events {
			events[i] = letter.Written{By: fmt.Sprint("writer-", i), Subject: "about", Body: "this"}
		}
		return events
	}
	p, cards := d.process(), store.NewCardStore(d.log)
	stream := 0
	appendLetters := func(p *process[pgx.Tx], n int) int64 {
		stream++
		id := fmt.Sprint("l", stream)
		return trips(func(tx pgx.Tx) {
			_, err := p.letters.Append(t.Context(), tx, id, runtime.NoStream(), written(n))
			check(t, err)
		})
	}
	load := func(p *process[pgx.Tx], id string) int64 {
		return trips(func(tx pgx.Tx) {
			_, _, err := p.letters.Load(t.Context(), tx, id)
			check(t, err)
		})
	}
	appendLetters(p, 2) // prepares the statements
	appendLetters(p, 2)
	sent := make([]store.CardEvent, 500)
	for i := range sent {
		sent[i] = letter.Sent{By: "writer"}
	}
	var plain int64
	for i := range 2 {
		plain = trips(func(tx pgx.Tx) {
			_, err := cards.Append(t.Context(), tx, fmt.Sprint("c", i), runtime.NoStream(), sent)
			check(t, err)
		})
	}
	appendLetters(p, 500) // makes all keys, which are not known to be committed
	appendLetters(p, 500) // caches them
	load(d.process(), "l3")
	for what, got := range map[string]int64{
		"append, no key cached, 500 subjects": appendLetters(d.process(), 500) - plain - 1,
		"append, keys cached":                 appendLetters(p, 500) - plain,
		"load, no key cached, 500 subjects":   load(d.process(), "l3") - load(p, "l3") - 1,
	} {
		if got != 0 {
			t.Errorf("%s: %d round trips too many", what, got)
		}
	}
}
