package personal_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/postgres/internal/personal/domain/customer"
	"github.com/eventmap/eventmap/runtime/postgres/internal/personal/domain/transfer"
	store "github.com/eventmap/eventmap/runtime/postgres/internal/personal/personalstore"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// on runs a test on both databases.
func on(t *testing.T, name string, onPostgresDB func(*testing.T, *database[pgx.Tx]), onSQLiteDB func(*testing.T, *database[*sql.Tx])) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		t.Run("postgres", func(t *testing.T) { t.Parallel(); onPostgresDB(t, onPostgres(t, nil)) })
		t.Run("many logs", func(t *testing.T) { t.Parallel(); onPostgresDB(t, onLogs(t)) })
		t.Run("sqlite", func(t *testing.T) { t.Parallel(); onSQLiteDB(t, onSQLite(t)) })
	})
}

// What holds for personal data in generated code, whatever the database.
func TestPersonal(t *testing.T) {
	t.Parallel()
	on(t, "every kind of field", everyField[pgx.Tx], everyField[*sql.Tx])
	on(t, "nothing is stored in clear", nothingInClear[pgx.Tx], nothingInClear[*sql.Tx])
	on(t, "forgotten", forgotten[pgx.Tx], forgotten[*sql.Tx])
	on(t, "rolled back", rolledBack[pgx.Tx], rolledBack[*sql.Tx])
	on(t, "other processes", otherProcesses[pgx.Tx], otherProcesses[*sql.Tx])
	on(t, "snapshots", snapshots[pgx.Tx], snapshots[*sql.Tx])
	on(t, "stored already", storedAlready[pgx.Tx], storedAlready[*sql.Tx])
	on(t, "upcasters", upcasters[pgx.Tx], upcasters[*sql.Tx])
	on(t, "marked later", markedLater[pgx.Tx], markedLater[*sql.Tx])
	on(t, "codecs", codecs[pgx.Tx], codecs[*sql.Tx])
	on(t, "service away", serviceAway[pgx.Tx], serviceAway[*sql.Tx])
	on(t, "away from consumers", awayFromConsumers[pgx.Tx], awayFromConsumers[*sql.Tx])
	on(t, "queries for keys", keyQueries[pgx.Tx], keyQueries[*sql.Tx])
	on(t, "long streams", longStreams[pgx.Tx], longStreams[*sql.Tx])
	on(t, "attacks", attacks[pgx.Tx], attacks[*sql.Tx])
	on(t, "rows changed by hand", changedByHand[pgx.Tx], changedByHand[*sql.Tx])
	on(t, "rows deleted by hand", deletedByHand[pgx.Tx], deletedByHand[*sql.Tx])
	on(t, "keys damaged by hand", keysDamagedByHand[pgx.Tx], keysDamagedByHand[*sql.Tx])
	on(t, "keys older than the log", olderKeys[pgx.Tx], olderKeys[*sql.Tx])
	on(t, "restored backup", restoredBackup[pgx.Tx], restoredBackup[*sql.Tx])
	on(t, "forgotten in a batch", forgottenInBatch[pgx.Tx], forgottenInBatch[*sql.Tx])
	on(t, "decisions on two", decideOnTwo[pgx.Tx], decideOnTwo[*sql.Tx])
	on(t, "consumers", consumers[pgx.Tx], consumers[*sql.Tx])
	on(t, "forgetter", forgetter[pgx.Tx], forgetter[*sql.Tx])
	on(t, "subjects", subjects[pgx.Tx], subjects[*sql.Tx])
	on(t, "everything at once", everythingAtOnce[pgx.Tx], everythingAtOnce[*sql.Tx])
	on(t, "forgetter that is killed", forgetterKilled[pgx.Tx], forgetterKilled[*sql.Tx])
	on(t, "forgetter that replays", forgetterReplays[pgx.Tx], forgetterReplays[*sql.Tx])
	on(t, "export", export[pgx.Tx], export[*sql.Tx])
}

// Over a group, each of whose calls is a transaction of its own, all of it holds that needs no longer one, and no consumers.
func TestPersonal_group(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]func(*testing.T, *database[*postgres.Group]){
		"every kind of field": everyField[*postgres.Group], "forgotten": forgotten[*postgres.Group],
		"other processes": otherProcesses[*postgres.Group], "snapshots": snapshots[*postgres.Group],
		"stored already": storedAlready[*postgres.Group], "upcasters": upcasters[*postgres.Group], "codecs": codecs[*postgres.Group],
		"service away": serviceAway[*postgres.Group], "attacks": attacks[*postgres.Group], "long streams": longStreams[*postgres.Group], "decisions on two": decideOnTwo[*postgres.Group],
		"rows deleted by hand": deletedByHand[*postgres.Group], "export": export[*postgres.Group],
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); run(t, onGroup(t)) })
	}
}

// With keys in a database of their own all of it holds but that a key goes with the transaction that made it.
func TestPersonal_keysElsewhere(t *testing.T) {
	t.Parallel()
	elsewhere := func(name string, onPostgresDB func(*testing.T, *database[pgx.Tx]), onSQLiteDB func(*testing.T, *database[*sql.Tx])) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Run("postgres", func(t *testing.T) { t.Parallel(); onPostgresDB(t, onPostgresWithoutKeys(t)) })
			t.Run("sqlite", func(t *testing.T) { t.Parallel(); onSQLiteDB(t, onSQLiteWithoutKeys(t)) })
		})
	}
	elsewhere("every kind of field", everyField[pgx.Tx], everyField[*sql.Tx])
	elsewhere("nothing is stored in clear", nothingInClear[pgx.Tx], nothingInClear[*sql.Tx])
	elsewhere("forgotten", forgotten[pgx.Tx], forgotten[*sql.Tx])
	elsewhere("other processes", otherProcesses[pgx.Tx], otherProcesses[*sql.Tx])
	elsewhere("snapshots", snapshots[pgx.Tx], snapshots[*sql.Tx])
	elsewhere("stored already", storedAlready[pgx.Tx], storedAlready[*sql.Tx])
	elsewhere("upcasters", upcasters[pgx.Tx], upcasters[*sql.Tx])
	elsewhere("service away", serviceAway[pgx.Tx], serviceAway[*sql.Tx])
	elsewhere("away from consumers", awayFromConsumers[pgx.Tx], awayFromConsumers[*sql.Tx])
	elsewhere("attacks", attacks[pgx.Tx], attacks[*sql.Tx])
	elsewhere("everything at once", everythingAtOnce[pgx.Tx], everythingAtOnce[*sql.Tx])
	elsewhere("consumers", consumers[pgx.Tx], consumers[*sql.Tx])
	elsewhere("forgetter", forgetter[pgx.Tx], forgetter[*sql.Tx])
	elsewhere("forgetter that is killed", forgetterKilled[pgx.Tx], forgetterKilled[*sql.Tx])
	elsewhere("export", export[pgx.Tx], export[*sql.Tx])
}

var nick = "nick-SECRET"

// secret is in all text that is personal here. It has a letter that base64 does not use, so it is in no ciphertext by chance.
const secret = "-SECRET"

// made returns an event of two subjects, with every field set.
func made(from string, to transfer.Recipient) transfer.Made {
	return transfer.Made{
		From: from, To: to, Name: "name-SECRET \"{}\\", Nick: &nick, Born: time.Date(1815, 12, 10, 1, 2, 3, 4, time.UTC), Photo: []byte("photo-SECRET"),
		Note: "note-SECRET", Tags: []string{"tag-SECRET", "}"}, Answers: map[string]int{"answer-SECRET": 42}, Home: transfer.Address{Street: "street-SECRET", Lines: []string{"line-SECRET"}},
		Age: 9876543210123, Labels: map[string]string{"name": "label"}, Cents: 7,
	}
}

// give appends events to a transfer.
func (p *process[Tx]) give(t testing.TB, id transfer.ID, events ...store.TransferEvent) (result runtime.AppendResult) {
	t.Helper()
	p.in(t, func(tx Tx) {
		var err error
		result, err = p.transfers.Append(t.Context(), tx, id, runtime.Any(), events)
		check(t, err)
	})
	return result
}

// read returns the events of a transfer.
func (p *process[Tx]) read(t testing.TB, id transfer.ID) (stream store.TransferStream) {
	t.Helper()
	p.in(t, func(tx Tx) {
		var err error
		stream, err = p.transfers.Read(t.Context(), tx, id)
		check(t, err)
	})
	return stream
}

// load returns the state of a transfer.
func (p *process[Tx]) load(t testing.TB, id transfer.ID) (state transfer.Transfer) {
	t.Helper()
	p.in(t, func(tx Tx) {
		var err error
		state, _, err = p.transfers.Load(t.Context(), tx, id)
		check(t, err)
	})
	return state
}

func equal(t testing.TB, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func everyField[Tx any](t *testing.T, d *database[Tx]) {
	full, empty := made("ada", 7), transfer.Made{From: "ada", To: 7, Born: time.Time{}}
	d.process().give(t, "t", full, empty)
	stream := d.process().read(t, "t")
	equal(t, "full", store.TransferEvent(full), stream.Events[0].Event)
	equal(t, "empty", store.TransferEvent(empty), stream.Events[1].Event)
	equal(t, "erased", []string(nil), stream.Events[0].Meta.Erased)
}

func nothingInClear[Tx any](t *testing.T, d *database[Tx]) {
	p := d.process()
	p.give(t, "t", made("ada", 7), transfer.Corrected{To: 7, Note: "note-SECRET"})
	p.in(t, func(tx Tx) {
		_, err := p.transfers.Execute(t.Context(), tx, "t", func(s transfer.Transfer) ([]store.TransferEvent, error) {
			return []store.TransferEvent{transfer.Checked{Passed: s.Name != ""}}, nil
		})
		check(t, err)
	})
	failing := store.NewTransferConsumer[Tx]("failing", p.keys, store.TransferHandlerFuncs[Tx]{
		Made: func(context.Context, Tx, transfer.Made, runtime.Meta) error { return errors.New("parked") },
	})
	check(t, d.consume(t, failing))
	all := d.dump(t)
	if !strings.Contains(all, `"$sealed"`) || !strings.Contains(all, "parked") || !strings.Contains(all, `"label"`) {
		t.Fatalf("the search does not find what is stored:\n%s", all)
	}
	// None of them is what an identifier, a position or a ciphertext is by chance.
	for _, clear := range []string{secret, "1815-12-10", "9876543210123", "cGhvdG8tU0VD"} {
		if strings.Contains(d.files(t), clear) {
			t.Errorf("%s is in clear in the files of the database", clear)
		}
		if i := strings.Index(all, clear); i >= 0 {
			t.Errorf("%s is in clear: %q", clear, all[max(0, i-100):min(len(all), i+100)])
		}
	}
}

func forgotten[Tx any](t *testing.T, d *database[Tx]) {
	p := d.process()
	full := made("ada", 7)
	p.give(t, "t", full)
	equal(t, "state", transfer.Transfer{Name: full.Name, Note: full.Note}, p.load(t, "t"))
	p.forget(t, "ada")
	want := full
	want.Name, want.Nick, want.Born, want.Photo = "(removed)", nil, time.Time{}, nil
	for range 2 {
		stream := p.read(t, "t")
		equal(t, "event", store.TransferEvent(want), stream.Events[0].Event)
		equal(t, "erased", []string{"Name", "Nick", "Born", "Photo"}, stream.Events[0].Meta.Erased)
		equal(t, "state", transfer.Transfer{Name: "(removed)", Note: full.Note}, p.load(t, "t"))
	}
	tx, commit, rollback := d.begin(t)
	defer rollback()
	if _, err := p.transfers.Append(t.Context(), tx, "t", runtime.Exact(1), []store.TransferEvent{full}); !errors.Is(err, privacy.ErrForgotten) {
		t.Fatalf("append for a forgotten subject: %v", err)
	}
	_, err := p.transfers.Append(t.Context(), tx, "t", runtime.Exact(1), []store.TransferEvent{transfer.Corrected{To: 7, Note: "other"}})
	check(t, err) // the transaction is still usable
	commit()
	p.in(t, func(tx Tx) { check(t, p.keys.Readmit(t.Context(), tx, "ada")) })
	p.give(t, "t", full)
	stream := p.read(t, "t")
	equal(t, "before", store.TransferEvent(want), stream.Events[0].Event)
	equal(t, "after", store.TransferEvent(full), stream.Events[2].Event)
}

// A key that a transaction made and rolled back is used for nothing, in the same process either.
func rolledBack[Tx any](t *testing.T, d *database[Tx]) {
	p := d.process()
	tx, _, rollback := d.begin(t)
	_, err := p.transfers.Append(t.Context(), tx, "t", runtime.NoStream(), []store.TransferEvent{made("ada", 7)})
	check(t, err)
	_, err = p.transfers.Read(t.Context(), tx, "t")
	check(t, err)
	rollback()
	p.give(t, "t", made("ada", 7))
	equal(t, "event", store.TransferEvent(made("ada", 7)), d.process().read(t, "t").Events[0].Event)
}

func otherProcesses[Tx any](t *testing.T, d *database[Tx]) {
	p, other := d.process(), d.process()
	p.give(t, "t", made("ada", 7))
	equal(t, "before", "name-SECRET \"{}\\", other.load(t, "t").Name)
	other.give(t, "raced", made("ada", 7))
	p.forget(t, "ada")
	other.give(t, "raced", made("ada", 7)) // under the key that it has still
	equal(t, "appended within the time to live", "(removed)", p.read(t, "raced").Events[1].Event.(transfer.Made).Name)
	d.now = d.now.Add(time.Minute)
	equal(t, "after the time to live", "(removed)", other.load(t, "t").Name)
	equal(t, "appended within the time to live", "(removed)", other.read(t, "raced").Events[1].Event.(transfer.Made).Name)
	tx, _, rollback := d.begin(t)
	defer rollback()
	_, err := other.transfers.Append(t.Context(), tx, "t", runtime.Any(), []store.TransferEvent{made("ada", 7)})
	if !errors.Is(err, privacy.ErrForgotten) {
		t.Errorf("append: %v", err)
	}
}

func snapshots[Tx any](t *testing.T, d *database[Tx]) {
	p := d.process()
	check1 := func(s transfer.Transfer) ([]store.TransferEvent, error) {
		return []store.TransferEvent{transfer.Checked{}}, nil
	}
	p.give(t, "t", made("ada", 7))
	p.give(t, "other", made("eve", 8))
	for _, id := range []transfer.ID{"t", "other"} {
		p.in(t, func(tx Tx) {
			_, err := p.transfers.Execute(t.Context(), tx, id, check1)
			check(t, err)
		})
	}
	before := d.keyStore.found
	equal(t, "state", 1, d.process().load(t, "t").Checks)
	if d.keyStore.found != before+1 {
		t.Errorf("%d key queries for a snapshot", d.keyStore.found-before)
	}
	saved := func() int { return strings.Count(section(d.dump(t), "snapshots"), "Transfer") }
	if saved() != 2 {
		t.Fatalf("%d snapshots were saved", saved())
	}
	p.forget(t, "ada")
	if saved() != 1 {
		t.Errorf("%d snapshots are left", saved())
	}
	equal(t, "state", transfer.Transfer{Name: "(removed)", Note: "note-SECRET", Checks: 1}, p.load(t, "t"))
	p.in(t, func(tx Tx) {
		got, err := p.transfers.Execute(t.Context(), tx, "t", check1)
		check(t, err)
		equal(t, "executed", 2, got.State.Checks)
	})
	// What is left is sealed under the other's key.
	equal(t, "state", transfer.Transfer{Name: "(removed)", Note: "note-SECRET", Checks: 2}, d.process().load(t, "t"))
	p.forget(t, "7")
	if saved() != 1 {
		t.Errorf("%d snapshots are left", saved())
	}
	equal(t, "state", transfer.Transfer{Name: "(removed)", Note: "(removed)", Checks: 2}, d.process().load(t, "t"))
}

// section returns the rows of the first table whose name holds a word.
func section(dump, word string) string {
	_, rest, _ := strings.Cut(dump, word+":\n")
	if next := nextTable.FindStringIndex(rest); next != nil {
		return rest[:next[0]]
	}
	return rest
}

// nextTable matches the heading of a table, and nothing that sealed bytes hold by chance.
var nextTable = regexp.MustCompile(`(?m)^[a-z_.]{6,}:$`)

// A retry seals anew, and is recognised all the same.
func storedAlready[Tx any](t *testing.T, d *database[Tx]) {
	p := d.process()
	stored := func() (result runtime.AppendResult) {
		p.in(t, func(tx Tx) {
			var err error
			result, err = p.transfers.Append(t.Context(), tx, "t", runtime.NoStream(), []store.TransferEvent{made("ada", 7), transfer.Checked{}},
				runtime.WithIdempotencyKey("request 1"))
			check(t, err)
		})
		return result
	}
	first := stored()
	again := stored()
	if first.AlreadyStored || !again.AlreadyStored {
		t.Errorf("already stored: %t, %t", first.AlreadyStored, again.AlreadyStored)
	}
	if string(first.Events[0].Payload) != string(again.Events[0].Payload) {
		t.Errorf("the result of the retry is not what is stored:\n%s\n%s", first.Events[0].Payload, again.Events[0].Payload)
	}
	p.forget(t, "ada")
	tx, _, rollback := d.begin(t)
	defer rollback()
	_, err := p.transfers.Append(t.Context(), tx, "t", runtime.NoStream(), []store.TransferEvent{made("ada", 7), transfer.Checked{}}, runtime.WithIdempotencyKey("request 1"))
	if !errors.Is(err, privacy.ErrForgotten) {
		t.Errorf("retry after the subject was forgotten: %v", err)
	}
}

func upcasters[Tx any](t *testing.T, d *database[Tx]) {
	p := d.process()
	p.in(t, func(tx Tx) {
		e, err := store.ToTransferMadeV1(t.Context(), tx, p.keys, store.TransferType, "t", transfer.MadeV1{From: "ada", Full: "full-SECRET"})
		check(t, err)
		_, err = d.log.Append(t.Context(), tx, runtime.NoStream(), []runtime.Event{e})
		check(t, err)
	})
	want := transfer.Made{From: "ada", Name: "full-SECRET", Labels: map[string]string{"release": "1"}}
	equal(t, "event", store.TransferEvent(want), p.read(t, "t").Events[0].Event)
	p.forget(t, "ada")
	want.Name = "(removed)"
	stream := p.read(t, "t")
	equal(t, "event", store.TransferEvent(want), stream.Events[0].Event)
	equal(t, "erased", []string{"Full"}, stream.Events[0].Meta.Erased)
	equal(t, "state", "(removed)", p.load(t, "t").Name)
}

// Both forms are read where a field got its mark later.
func markedLater[Tx any](t *testing.T, d *database[Tx]) {
	p := d.process()
	p.in(t, func(tx Tx) {
		old := runtime.Event{AggregateType: store.CustomerType, AggregateID: "ada", EventType: "Renamed", EventVersion: 1, EventID: uuid.New(), Payload: []byte(`{"name":"clear"}`)}
		_, err := d.log.Append(t.Context(), tx, runtime.NoStream(), []runtime.Event{old})
		check(t, err)
		_, err = p.customers.Append(t.Context(), tx, "ada", runtime.Exact(1), []store.CustomerEvent{customer.Renamed{Name: `{"$sealed":"AQ=="}`}})
		check(t, err)
	})
	names := func() (names []string) {
		p.in(t, func(tx Tx) {
			stream, err := p.customers.Read(t.Context(), tx, "ada")
			check(t, err)
			for _, e := range stream.Events {
				names = append(names, e.Event.(customer.Renamed).Name)
			}
		})
		return names
	}
	equal(t, "names", []string{"clear", `{"$sealed":"AQ=="}`}, names())
	p.forget(t, "ada")
	equal(t, "names", []string{"clear", ""}, names())
}

// indented is a codec that writes JSON in another way; other writes no JSON at all, and wider more members.
type indented struct{ runtime.JSONCodec }

func (c indented) Marshal(v any) ([]byte, error) {
	data, err := c.JSONCodec.Marshal(v)
	return []byte(strings.NewReplacer(`{"`, "{ \n \"", `":`, "\" :\t").Replace(string(data))), err
}

type other struct{ runtime.JSONCodec }

func (other) Marshal(any) ([]byte, error) { return []byte("name-SECRET"), nil }

type wider struct{ runtime.JSONCodec }

func (wider) Marshal(any) ([]byte, error) {
	return []byte(`{"from":"ada","to":7,"surname":"name-SECRET"}`), nil
}

func codecs[Tx any](t *testing.T, d *database[Tx]) {
	p := d.process(runtime.WithCodec(indented{}))
	want := transfer.Corrected{To: 7, Note: "note-SECRET"}
	p.give(t, "t", want)
	equal(t, "event", store.TransferEvent(want), p.read(t, "t").Events[0].Event)
	equal(t, "event", store.TransferEvent(want), d.process().read(t, "t").Events[0].Event)
	for _, codec := range []runtime.Codec{other{}, wider{}} {
		tx, _, rollback := d.begin(t)
		_, err := p.transfers.Append(t.Context(), tx, "t", runtime.Any(), []store.TransferEvent{made("ada", 7)}, runtime.WithCodec(codec))
		if err == nil || !strings.Contains(err.Error(), "use a codec that writes the JSON members of the type") || strings.Contains(err.Error(), secret) {
			t.Errorf("%T: %v", codec, err)
		}
		rollback()
	}
}

// away is a service that does not answer some calls.
type away struct {
	privacy.KeyWrapper
	failures int // that are still to come
}

var errAway = errors.New("connection refused")

func (w *away) Encrypt(ctx context.Context, plaintext []byte) ([]byte, error) {
	if w.failures > 0 {
		w.failures--
		return nil, errAway
	}
	return w.KeyWrapper.Encrypt(ctx, plaintext)
}

func (w *away) Decrypt(ctx context.Context, ciphertext []byte) ([]byte, error) {
	if w.failures > 0 {
		w.failures--
		return nil, errAway
	}
	return w.KeyWrapper.Decrypt(ctx, ciphertext)
}

func serviceAway[Tx any](t *testing.T, d *database[Tx]) {
	d.process().give(t, "t", made("ada", 7))
	service := &away{localWrapper(), 3}
	p := d.processOf(service)
	tx, _, rollback := d.begin(t)
	defer rollback()
	_, readErr := p.transfers.Read(t.Context(), tx, "t")
	_, _, loadErr := p.transfers.Load(t.Context(), tx, "t")
	_, appendErr := p.transfers.Append(t.Context(), tx, "new", runtime.NoStream(), []store.TransferEvent{made("eve", 8)})
	for call, err := range map[string]error{"read": readErr, "load": loadErr, "append": appendErr} {
		if !errors.Is(err, privacy.ErrUnavailable) || !errors.Is(err, errAway) {
			t.Errorf("%s: %v", call, err)
		}
	}
	stream, err := p.transfers.Read(t.Context(), tx, "t") // the transaction is still usable
	check(t, err)
	equal(t, "event", store.TransferEvent(made("ada", 7)), stream.Events[0].Event)
}

// A consumer that cannot read because the service or the keys are away tries again, for as long as it takes and whatever its
// policy: nothing is skipped, parked or taken for erased. Nor is anybody left who is to be forgotten.
func awayFromConsumers[Tx any](t *testing.T, d *database[Tx]) {
	p := d.process()
	p.give(t, "t", transfer.Checked{}, made("c1", 7), made("eve", 8))
	p.in(t, func(tx Tx) {
		_, err := p.customers.Append(t.Context(), tx, "c1", runtime.NoStream(), []store.CustomerEvent{customer.Left{Reason: "moved"}})
		check(t, err)
	})
	service := &away{localWrapper(), 0}
	var single, batch received
	one := store.TransferHandlerFuncs[Tx]{Made: func(_ context.Context, _ Tx, e transfer.Made, m runtime.Meta) error {
		single.add(e.Name, m)
		return nil
	}}
	many := func(_ context.Context, _ Tx, events []runtime.Recorded[store.TransferEvent]) error {
		for _, e := range events {
			if made, ok := e.Event.(transfer.Made); ok {
				batch.add(made.Name, e.Meta)
			}
		}
		return nil
	}
	for _, c := range []consumer.Consumer[Tx]{
		store.NewTransferConsumer[Tx]("reading", d.processOf(service).keys, one),
		store.NewTransferBatchConsumer("reading many", d.processOf(service).keys, many),
		store.NewCustomerForgetter("forgetting", p.keys),
	} {
		service.failures, d.keyStore.failures = 5, 5
		check(t, d.consumeBy(t, consumer.Registration[Tx]{
			Consumer: c, Attempts: 2, Backoff: consumer.Backoff{First: time.Millisecond, Most: time.Millisecond}, Policy: consumer.Park,
		}))
		if d.keyStore.failures > 0 {
			t.Errorf("%s did not try %d times more", c.Name(), d.keyStore.failures)
		}
		if parked := section(d.dump(t), "parked_events"); strings.Contains(parked, c.Name()) {
			t.Errorf("an event was parked:\n%s", parked)
		}
	}
	want := []string{"name-SECRET \"{}\\[]", "name-SECRET \"{}\\[]"}
	equal(t, "handled", want, single.seen)
	equal(t, "handled", want, batch.seen)
	equal(t, "forgotten", "(removed)", d.process().read(t, "t").Events[1].Event.(transfer.Made).Name)
}

// Keys that are cached take no query; those that are not take one, however many they are.
func keyQueries[Tx any](t *testing.T, d *database[Tx]) {
	const many = 500
	events := make([]store.TransferEvent, many)
	for i := range events {
		events[i] = made(fmt.Sprint("s", i), transfer.Recipient(i))
	}
	p := d.process()
	queries := func(what string, made, found int, work func()) {
		t.Helper()
		wasMade, wasFound := d.keyStore.made, d.keyStore.found
		work()
		if made != d.keyStore.made-wasMade || found != d.keyStore.found-wasFound {
			t.Errorf("%s: %d queries that make keys and %d that find some; want %d and %d", what, d.keyStore.made-wasMade, d.keyStore.found-wasFound, made, found)
		}
	}
	queries("append, new keys", 1, 0, func() { p.give(t, "t", events...) })
	queries("append, keys that are committed now", 1, 0, func() { p.give(t, "t", events...) })
	queries("append, cached", 0, 0, func() { p.give(t, "t", events...) })
	queries("read, cached", 0, 0, func() { p.read(t, "t") })
	other := d.process()
	queries("read, not cached", 0, 1, func() { other.read(t, "t") })
	queries("read again", 0, 0, func() { other.read(t, "t") })
}

// A stream that is opened while it is read is what a short one is, whichever of its keys are cached: the others are asked for once,
// when it is read.
func longStreams[Tx any](t *testing.T, d *database[Tx]) {
	const many = 700
	p := d.process()
	for _, id := range []transfer.ID{"t", "other"} { // the later half is of others
		events := make([]store.TransferEvent, many)
		for i := range events {
			events[i] = made(fmt.Sprint(id, "-", 2*i/many), transfer.Recipient(2*i/many))
		}
		p.give(t, id, events...)
	}
	half := d.process()
	half.in(t, func(tx Tx) {
		stream, err := half.transfers.Read(t.Context(), tx, "t", runtime.ToVersion(many/2))
		check(t, err)
		equal(t, "events up to the half", many/2, stream.Len())
	})
	want := p.read(t, "t")
	equal(t, "events", many, want.Len())
	for i, e := range want.Events {
		if got := e.Event.(transfer.Made); got.Name != made("", 0).Name || got.Note != "note-SECRET" || e.Meta.AggregateVersion != int64(i+1) {
			t.Fatalf("event %d is %+v at version %d", i, got, e.Meta.AggregateVersion)
		}
	}
	for name, reader := range map[string]*process[Tx]{"no key is cached": d.process(), "half of them are": half, "all are": p} {
		before := d.keyStore.found
		equal(t, name, want.Events, reader.read(t, "t").Events)
		if queries := d.keyStore.found - before; queries > 1 || queries == 1 && reader == p {
			t.Errorf("%s: %d queries for keys", name, queries)
		}
	}
	// An event of another stream, sealed with a key that is cached, in the middle.
	d.exec(t, "update events set payload = (select payload from events where aggregate_id = 'other' and aggregate_version = 200) where aggregate_id = 't' and aggregate_version = 300")
	for name, reader := range map[string]*process[Tx]{"no key is cached": d.process(), "all are": p} {
		tx, _, rollback := d.begin(t)
		_, err := reader.transfers.Read(t.Context(), tx, "t")
		rollback()
		var decode *runtime.DecodeError
		if !errors.Is(err, privacy.ErrIntegrity) || !errors.As(err, &decode) || decode.AggregateVersion != 300 {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What is missing is told before what is no longer authentic, and nothing of the stream is given.
	d.exec(t, "delete from events where aggregate_id = 't' and aggregate_version = 500")
	tx, _, rollback := d.begin(t)
	stream, err := p.transfers.Read(t.Context(), tx, "t")
	rollback()
	var incomplete *runtime.IncompleteStreamError
	if !errors.As(err, &incomplete) || incomplete.Missing != 500 || stream.Len() > 0 {
		t.Errorf("%d events, error %v", stream.Len(), err)
	}
	p.forget(t, "other-0", "other-1")
	for i, e := range d.process().read(t, "other").Events {
		if got := e.Event.(transfer.Made).Name; got != "(removed)" {
			t.Fatalf("after Forget event %d says %q", i, got)
		}
	}
}

// Who can write to the log cannot have read there what was not sealed there, and learns nothing from the error.
func attacks[Tx any](t *testing.T, d *database[Tx]) {
	p := d.process()
	result := p.give(t, "t", made("ada", 7), made("ada", 7))
	first, second := result.Events[0], result.Events[1]
	p.in(t, func(tx Tx) {
		_, err := p.customers.Append(t.Context(), tx, "c", runtime.NoStream(), []store.CustomerEvent{customer.Registered{Email: "mail-SECRET"}})
		check(t, err)
	})
	attack := func(name string, change func(e *runtime.Event)) {
		e := first.Event
		change(&e)
		e.EventID = uuid.New()
		id := transfer.ID("attack " + name)
		e.AggregateID = string(id)
		p.in(t, func(tx Tx) {
			_, err := d.log.Append(t.Context(), tx, runtime.NoStream(), []runtime.Event{e})
			check(t, err)
		})
		tx, _, rollback := d.begin(t)
		defer rollback()
		_, readErr := p.transfers.Read(t.Context(), tx, id)
		_, _, loadErr := p.transfers.Load(t.Context(), tx, id)
		for _, err := range []error{readErr, loadErr} {
			var decode *runtime.DecodeError
			if !errors.Is(err, privacy.ErrIntegrity) || !errors.As(err, &decode) || decode.AggregateID != string(id) || strings.Contains(err.Error(), secret) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	attack("moved to another event and stream", func(*runtime.Event) {})
	attack("of another event of the stream", func(e *runtime.Event) { e.Payload = second.Payload })
	attack("in clear", func(e *runtime.Event) { e.Payload = []byte(`{"from":"ada","to":7,"name":"Eve-SECRET"}`) })
	attack("null", func(e *runtime.Event) { e.Payload = []byte(`{"from":"ada","to":7,"name":null}`) })
	attack("case", func(e *runtime.Event) { e.Payload = []byte(`{"from":"ada","to":7,"NAME":"Eve-SECRET"}`) })
	attack("long s", func(e *runtime.Event) { e.Payload = []byte(`{"from":"ada","to":7,"an\u017fwers":{"Eve-SECRET":1}}`) })
	attack("no object", func(e *runtime.Event) { e.Payload = []byte(`"Eve-SECRET"`) })
	attack("damaged", func(e *runtime.Event) { e.Payload = append(slices.Clone(e.Payload), 'x') })
	attack("truncated", func(e *runtime.Event) { e.Payload = []byte(strings.Replace(string(e.Payload), `"}`, `AA"}`, 1)) })
	attack("unknown key", func(e *runtime.Event) {
		e.Payload = []byte(`{"from":"ada","to":7,"name":{"$sealed":"AQ` + strings.Repeat("A", 78) + `"}}`)
	})
	// The key ID is authenticated too: that of another subject whose key is there gives nothing.
	attack("key of another subject", func(e *runtime.Event) {
		ids := privacy.AppendKeyIDs(nil, e.Payload)
		one, other := ids[0], ids[len(ids)-1]
		if one == other {
			t.Fatal("the event has one subject")
		}
		var members map[string]json.RawMessage
		check(t, json.Unmarshal(e.Payload, &members))
		var value privacy.Sealed
		check(t, value.UnmarshalJSON(members["name"]))
		data, err := value.MarshalBinary()
		check(t, err)
		data = bytes.Replace(data, one[:], other[:], 1)
		check(t, value.UnmarshalBinary(data))
		members["name"] = value.AppendJSON(nil)
		e.Payload, err = json.Marshal(members)
		check(t, err)
	})
	// Within a version: what is sealed as another version of the event is not taken for it.
	attack("another version", func(e *runtime.Event) {
		e.EventVersion, e.Payload = 1, []byte(strings.Replace(string(e.Payload), `"name"`, `"full"`, 1))
	})
}

// A row of a key that is deleted by hand makes what it sealed an error with its place, and never something erased. The subject gets
// a new key, and what that seals is read.
func deletedByHand[Tx any](t *testing.T, d *database[Tx]) {
	d.process().give(t, "t", made("ada", 7))
	d.exec(t, "delete from subject_keys where subject = 'ada'")
	p := d.process()
	tx, _, rollback := d.begin(t)
	_, err := p.transfers.Read(t.Context(), tx, "t")
	rollback()
	var where *privacy.PlaceError
	if !errors.Is(err, privacy.ErrIntegrity) || !errors.Is(err, privacy.ErrKeyMissing) || !errors.As(err, &where) || where.Place.Field != "name" || where.Place.AggregateID != "t" {
		t.Errorf("read: %v", err)
	}
	p.give(t, "u", made("ada", 7))
	equal(t, "event", store.TransferEvent(made("ada", 7)), p.read(t, "u").Events[0].Event)
}

// A stored key that was damaged, emptied, or given to another subject, makes what it sealed an error with its place, and never
// something erased. Rotation says which it is.
func keysDamagedByHand[Tx any](t *testing.T, d *database[Tx]) {
	d.process().give(t, "t", made("ada", 7))
	d.exec(t, "create table backup as select * from subject_keys")
	for name, damage := range map[string]string{
		"emptied":        "wrapped = " + fmt.Sprintf(d.bytes, ""),
		"overwritten":    "wrapped = " + fmt.Sprintf(d.bytes, strings.Repeat("x", 200)),
		"of another":     "wrapped = (select wrapped from backup where subject = '7')",
		"of another now": "subject = 'eve'",
	} {
		d.exec(t, "update subject_keys set "+damage+" where subject = 'ada'")
		p := d.process()
		tx, _, rollback := d.begin(t)
		_, err := p.transfers.Read(t.Context(), tx, "t")
		rotating := privacy.NewKeys[Tx](d.keyStore, localWrapper(), privacy.WithWrapperName("next"), privacy.WithOldWrapper("default", localWrapper()))
		_, rotateErr := rotating.Rewrap(t.Context(), tx, 100)
		rollback()
		var where *privacy.PlaceError
		if !errors.Is(err, privacy.ErrIntegrity) || !errors.As(err, &where) || where.Place.Field != "name" {
			t.Errorf("%s: read: %v, want ErrIntegrity with the place", name, err)
		}
		var of *privacy.SubjectError
		if !errors.Is(rotateErr, privacy.ErrIntegrity) || !errors.As(rotateErr, &of) || of.Subject != "ada" && of.Subject != "eve" {
			t.Errorf("%s: rewrap: %v, want ErrIntegrity with the subject", name, rotateErr)
		}
		d.exec(t, "delete from subject_keys")
		d.exec(t, "insert into subject_keys select * from backup")
	}
	equal(t, "restored", store.TransferEvent(made("ada", 7)), d.process().read(t, "t").Events[0].Event)
}

// A table of keys that was restored to an earlier time than the log lacks keys: what they seal is an error, and never taken for
// erased, also where a snapshot was made of it. They can be listed, and given up: then it reads as erased, and nobody is forgotten
// for it.
func olderKeys[Tx any](t *testing.T, d *database[Tx]) {
	p := d.process()
	check1 := func(transfer.Transfer) ([]store.TransferEvent, error) {
		return []store.TransferEvent{transfer.Checked{}}, nil
	}
	p.give(t, "t", made("ada", 7), made("ada", 7))
	d.exec(t, "create table backup as select * from subject_keys")
	p.give(t, "t", transfer.Checked{}, made("bob", 7), made("bob", 7), made("ada", 7))
	p.in(t, func(tx Tx) {
		_, err := p.transfers.Execute(t.Context(), tx, "t", check1) // saves a snapshot
		check(t, err)
	})
	d.exec(t, "delete from subject_keys")
	d.exec(t, "insert into subject_keys select * from backup")
	p = d.process()
	for call, do := range map[string]func(tx Tx) error{
		"read":    func(tx Tx) error { _, err := p.transfers.Read(t.Context(), tx, "t"); return err },
		"load":    func(tx Tx) error { _, _, err := p.transfers.Load(t.Context(), tx, "t"); return err },
		"execute": func(tx Tx) error { _, err := p.transfers.Execute(t.Context(), tx, "t", check1); return err },
	} {
		tx, _, rollback := d.begin(t)
		err := do(tx)
		rollback()
		var where *privacy.PlaceError
		if !errors.Is(err, privacy.ErrKeyMissing) || !errors.As(err, &where) || where.Place.Field != "name" {
			t.Errorf("%s: %v, want ErrKeyMissing with its place", call, err)
		}
	}
	missing := func() (list []privacy.MissingKey) {
		p.in(t, func(tx Tx) {
			for m, err := range p.keys.MissingKeys(t.Context(), tx, d.log) {
				check(t, err)
				list = append(list, m)
			}
		})
		return list
	}
	list := missing()
	if len(list) != 1 || list[0].GlobalPosition != 4 || list[0].AggregateID != "t" || list[0].EventType != "Made" {
		t.Fatalf("missing: %+v, want the key of the fourth event", list)
	}
	p.in(t, func(tx Tx) { check(t, p.keys.ForgetAgain(t.Context(), tx, list[0].Lost())) })
	if list := missing(); len(list) > 0 {
		t.Errorf("missing: %+v", list)
	}
	p.give(t, "t", made("bob", 7)) // with a new key
	var names []string
	for _, e := range d.process().read(t, "t").Events {
		if made, ok := e.Event.(transfer.Made); ok {
			names = append(names, fmt.Sprintf("%t%v", made.Name == "(removed)", e.Meta.Erased))
		}
	}
	const lost = "true[Name Nick Born Photo]"
	equal(t, "read", []string{"false[]", "false[]", lost, lost, "false[]", "false[]"}, names)
	equal(t, "state", 2, d.process().load(t, "t").Checks)
}

// What cannot be a subject is refused before anything is stored, with the field; the transaction is still usable. IDs that look the
// same, and are not, are two subjects.
func subjects[Tx any](t *testing.T, d *database[Tx]) {
	p := d.process()
	for name, id := range map[string]string{
		"empty": "", "NUL": "a\x00b", "invalid": "a\xff", "of 10 kB": strings.Repeat("x", 10_000), "of 1025 bytes": strings.Repeat("x", 1023) + "é",
	} {
		tx, commit, rollback := d.begin(t)
		_, err := p.transfers.Append(t.Context(), tx, "t", runtime.Any(), []store.TransferEvent{transfer.Checked{}, made(id, 7)})
		var invalid *runtime.InvalidEventError
		if !errors.As(err, &invalid) || invalid.Index != 1 || invalid.Field != "from" || len(err.Error()) > 500 {
			t.Errorf("%s: %v", name, err)
		}
		_, _, err = p.transfers.Load(t.Context(), tx, "t")
		check(t, err)
		commit()
		rollback()
	}
	if all := d.dump(t); strings.Contains(all, "Checked") || strings.Contains(section(all, "subject_keys"), "7") {
		t.Errorf("something was stored:\n%s", all)
	}
	long := strings.Repeat("x", 1022) + "é" // 1024 bytes that compress well, and some that do not
	random := make([]byte, 512)
	for i := range random {
		random[i] = byte(i * i * 7919)
	}
	ids := []string{"Zo\u00eb", "Zoe\u0308", "zo\u00eb", long, hex.EncodeToString(random), "-", " ", "null", "{a,b}", "1", "01", "\u2028"}
	for _, id := range ids {
		p.give(t, "t", made(id, 7))
	}
	p.forget(t, ids[0], long)
	var names []string
	for i, e := range d.process().read(t, "t").Events {
		if e.Event.(transfer.Made).Name == "(removed)" {
			names = append(names, ids[i])
		}
	}
	equal(t, "forgotten", []string{ids[0], long}, names)
}

// A backup that is restored has the keys again. With the list that was kept apart, those who were forgotten since are forgotten again,
// and who was readmitted since, which the backup does not know, is refused.
func restoredBackup[Tx any](t *testing.T, d *database[Tx]) {
	p := d.process()
	p.give(t, "t", made("ada", 7), made("back", 7), made("kept", 7))
	d.exec(t, "create table backup as select * from subject_keys")
	p.forget(t, "ada", "back", "stranger")
	p.in(t, func(tx Tx) { check(t, p.keys.Readmit(t.Context(), tx, "back")) })
	var list []privacy.ForgottenSubject
	p.in(t, func(tx Tx) {
		for f, err := range p.keys.ForgottenSubjects(t.Context(), tx) {
			check(t, err)
			list = append(list, f)
		}
	})
	d.exec(t, "delete from subject_keys")
	d.exec(t, "insert into subject_keys select * from backup")
	names := func() (names []string) {
		for _, e := range d.process().read(t, "t").Events {
			names = append(names, strings.Fields(e.Event.(transfer.Made).Name)[0])
		}
		return names
	}
	equal(t, "restored", []string{"name-SECRET", "name-SECRET", "name-SECRET"}, names())
	p = d.process()
	for range 2 {
		p.in(t, func(tx Tx) { check(t, p.keys.ForgetAgain(t.Context(), tx, list...)) })
	}
	equal(t, "forgotten again", []string{"(removed)", "(removed)", "name-SECRET"}, names())
	for _, subject := range []string{"ada", "back", "stranger"} {
		p.in(t, func(tx Tx) {
			if _, err := p.keys.ForSubjects(t.Context(), tx, subject); !errors.Is(err, privacy.ErrForgotten) {
				t.Errorf("%s: %v, want ErrForgotten", subject, err)
			}
		})
	}
	p.give(t, "t", made("kept", 7))
}

// A handler that forgets somebody reads the rest of its batch without them, in its own transaction already.
func forgottenInBatch[Tx any](t *testing.T, d *database[Tx]) {
	p := d.process()
	p.give(t, "t", made("ada", 7), made("ada", 7), made("eve", 7))
	p.read(t, "t") // caches the keys
	p.read(t, "t")
	var got received
	check(t, d.consume(t, store.NewTransferConsumer[Tx]("forgetting", p.keys, store.TransferHandlerFuncs[Tx]{
		Made: func(ctx context.Context, tx Tx, e transfer.Made, m runtime.Meta) error {
			got.add(e.Name, m)
			return p.keys.Forget(ctx, tx, "ada")
		},
	})))
	equal(t, "handled", []string{"name-SECRET \"{}\\[]", "(removed)[Name Nick Born Photo]", "name-SECRET \"{}\\[]"}, got.seen)
}

func decideOnTwo[Tx any](t *testing.T, d *database[Tx]) {
	p := d.process()
	p.give(t, "t", made("ada", 7))
	p.in(t, func(tx Tx) {
		a, b, err := store.Decide2(t.Context(), tx, p.transfers.At("t"), p.customers.At("c"),
			func(a transfer.Transfer, _ customer.Customer) ([]store.TransferEvent, []store.CustomerEvent, error) {
				return []store.TransferEvent{transfer.Corrected{To: 7, Note: a.Name}}, []store.CustomerEvent{customer.Registered{Email: a.Note}}, nil
			})
		check(t, err)
		equal(t, "transfer", "name-SECRET \"{}\\", a.State.Note)
		equal(t, "customer", "note-SECRET", b.State.Email)
	})
	if all := d.dump(t); strings.Contains(all, secret) {
		t.Errorf("in clear:\n%s", all)
	}
	p.forget(t, "c")
	equal(t, "transfer", "name-SECRET \"{}\\", p.load(t, "t").Note)
}

// received are the events that a handler was given.
type received struct{ seen []string }

func (r *received) add(what string, m runtime.Meta) {
	r.seen = append(r.seen, fmt.Sprint(what, m.Erased))
}

func consumers[Tx any](t *testing.T, d *database[Tx]) {
	p := d.process()
	for i := range 50 {
		p.give(t, transfer.ID(fmt.Sprint("t", i)), made(fmt.Sprint("s", i), transfer.Recipient(1000+i)))
	}
	p.forget(t, "s1", "1049")
	handler := func(r *received) store.TransferHandlerFuncs[Tx] {
		return store.TransferHandlerFuncs[Tx]{Made: func(_ context.Context, _ Tx, e transfer.Made, m runtime.Meta) error {
			r.add(e.Name+e.Note, m)
			return nil
		}}
	}
	var single, batch received
	before := d.keyStore.found
	check(t, d.consume(t, store.NewTransferConsumer[Tx]("single", d.process().keys, handler(&single))))
	if queries := d.keyStore.found - before; queries != 1 {
		t.Errorf("%d key queries for a batch of 50 events of 100 subjects", queries)
	}
	before = d.keyStore.found
	check(t, d.consume(t, store.NewTransferBatchConsumer("batch", d.process().keys, func(_ context.Context, _ Tx, events []runtime.Recorded[store.TransferEvent]) error {
		for _, e := range events {
			batch.add(e.Event.(transfer.Made).Name+e.Event.(transfer.Made).Note, e.Meta)
		}
		return nil
	})))
	if queries := d.keyStore.found - before; queries != 1 {
		t.Errorf("%d key queries for a batch of 50 events of 100 subjects", queries)
	}
	equal(t, "batch and single", single.seen, batch.seen)
	equal(t, "erased", []string{"(removed)note-SECRET[Name Nick Born Photo]", "name-SECRET \"{}\\(removed)[Note Tags Answers Home Age]"}, []string{single.seen[1], single.seen[49]})
}

func forgetter[Tx any](t *testing.T, d *database[Tx]) {
	p := d.process()
	p.give(t, "t", made("c1", 7))
	p.in(t, func(tx Tx) {
		_, err := p.customers.Append(t.Context(), tx, "c1", runtime.NoStream(), []store.CustomerEvent{
			customer.Registered{Email: "mail-SECRET"}, customer.Left{Reason: "moved"}, customer.Reported{Other: 7},
		})
		check(t, err)
	})
	for range 2 { // again changes nothing
		check(t, d.consume(t, store.NewCustomerForgetter("forget", p.keys)))
	}
	p.in(t, func(tx Tx) {
		state, _, err := p.customers.Load(t.Context(), tx, "c1")
		check(t, err)
		equal(t, "customer", customer.Customer{HasLeft: true}, state)
	})
	equal(t, "transfer", transfer.Transfer{Name: "(removed)", Note: "(removed)"}, p.load(t, "t"))
}

// A forgetter whose transaction ends between what it forgets and its checkpoint forgets again. It passes over nobody, and whoever
// comes after is forgotten too.
func forgetterKilled[Tx any](t *testing.T, d *database[Tx]) {
	p := d.process()
	p.give(t, "t", made("c1", 7), made("c2", 7))
	for _, id := range []customer.ID{"c1", "c2"} {
		p.in(t, func(tx Tx) {
			_, err := p.customers.Append(t.Context(), tx, id, runtime.NoStream(), []store.CustomerEvent{customer.Left{}})
			check(t, err)
		})
	}
	forgets := store.NewCustomerForgetter("forget", p.keys)
	killed := 0
	dying := consumer.Scoped("forget", []string{store.CustomerType}, func(ctx context.Context, tx Tx, e runtime.PersistedEvent) error {
		if err := forgets.Handle(ctx, tx, e); err != nil {
			return err
		}
		if killed++; killed < 3 {
			return fmt.Errorf("%w: %w", consumer.ErrUnavailable, errBrokenOff)
		}
		return nil
	})
	check(t, d.consumeBy(t, consumer.Registration[Tx]{
		Consumer: dying, Attempts: 1, Backoff: consumer.Backoff{First: time.Millisecond, Most: time.Millisecond}, Policy: consumer.Park,
	}))
	if killed != 4 {
		t.Errorf("%d events were handled, want 4: one three times", killed)
	}
	for i, e := range d.process().read(t, "t").Events {
		equal(t, fmt.Sprint("event ", i), "(removed)", e.Event.(transfer.Made).Name)
	}
}

// An event that says who is to be forgotten is handled again: whoever was readmitted since then keeps what was stored since then.
// One that is handled the first time forgets everything.
func forgetterReplays[Tx any](t *testing.T, d *database[Tx]) {
	p := d.process()
	leave := func() {
		p.in(t, func(tx Tx) {
			_, err := p.customers.Append(t.Context(), tx, "c1", runtime.Any(), []store.CustomerEvent{customer.Left{Reason: "moved"}})
			check(t, err)
		})
	}
	replay := func(name string) {
		check(t, d.consume(t, store.NewCustomerForgetter(name, p.keys))) // a consumer of a new name has the whole log before it
	}
	names := func() (names []string) {
		for _, e := range d.process().read(t, "t").Events {
			names = append(names, strings.Fields(e.Event.(transfer.Made).Name)[0])
		}
		return names
	}
	p.give(t, "t", made("c1", 7))
	leave()
	replay("forget")
	p.in(t, func(tx Tx) { check(t, p.keys.Readmit(t.Context(), tx, "c1")) })
	p.give(t, "t", made("c1", 7))
	equal(t, "readmitted", []string{"(removed)", "name-SECRET"}, names())
	replay("forget again")
	replay("forget")
	equal(t, "replayed", []string{"(removed)", "name-SECRET"}, names())
	d.exec(t, "create table backup as select * from subject_keys")
	leave()
	replay("forget")
	equal(t, "left again", []string{"(removed)", "(removed)"}, names())
	d.exec(t, "delete from subject_keys")
	d.exec(t, "insert into subject_keys select * from backup")
	equal(t, "restored", []string{"(removed)", "name-SECRET"}, names())
	replay("forget once more")
	equal(t, "restored and replayed", []string{"(removed)", "(removed)"}, names())
}

// An export holds what is sealed for a subject in every aggregate, and of a forgotten one what is left.
func export[Tx any](t *testing.T, d *database[Tx]) {
	p := d.process()
	p.give(t, "t", made("ada", 7), transfer.Corrected{To: 7, Note: "x"}, transfer.Checked{})
	p.in(t, func(tx Tx) {
		for _, id := range []customer.ID{"ada", "bob"} {
			_, err := p.customers.Append(t.Context(), tx, id, runtime.NoStream(), []store.CustomerEvent{customer.Registered{Email: "mail-SECRET", Plan: "free"}})
			check(t, err)
		}
	})
	exported := func() (all []privacy.Exported) {
		p.in(t, func(tx Tx) {
			for e, err := range p.keys.Export(t.Context(), tx, d.log, "ada", func(ctx context.Context, tx Tx, keys *privacy.Keys[Tx], e *runtime.PersistedEvent) (any, error) {
				return store.FromESEvent(ctx, tx, keys, *e)
			}) {
				check(t, err)
				all = append(all, e)
			}
		})
		return all
	}
	all := exported()
	want := made("ada", 7)
	want.Note, want.Tags, want.Answers, want.Home, want.Age = "(removed)", nil, nil, transfer.Address{}, 0
	equal(t, "exported", []any{want, customer.Registered{Email: "mail-SECRET", Plan: "free"}}, []any{all[0].Event, all[1].Event})
	text, err := json.Marshal(all[1])
	check(t, err)
	var members map[string]any
	check(t, json.Unmarshal(text, &members))
	for _, member := range []string{"event_id", "created_at", "global_position"} {
		if members[member] == nil {
			t.Errorf("the JSON has no %s: %s", member, text)
		}
		delete(members, member)
	}
	equal(t, "JSON", map[string]any{
		"aggregate_type": "Customer", "aggregate_id": "ada", "aggregate_version": 1.0, "event_type": "Registered",
		"event": map[string]any{"email": "mail-SECRET", "plan": "free"},
	}, members)
	p.forget(t, "ada")
	all = exported()
	want.Name, want.Nick, want.Born, want.Photo = "(removed)", nil, time.Time{}, nil
	equal(t, "forgotten", []any{want, customer.Registered{Plan: "free"}}, []any{all[0].Event, all[1].Event})
}
