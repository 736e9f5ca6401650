package postgres_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	osexec "os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/mapping"
	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/postgres/internal/wire"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// made is the event of these tests, of two subjects.
type made struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Name  string `json:"name,omitempty"`
	Note  string `json:"note,omitempty"`
	Cents int    `json:"cents"`
}

var madePersonal = mapping.PersonalEvents{
	{AggregateType: "Transfer", EventType: "Made", Version: 1}: {
		Members: []string{"from", "to", "name", "note", "cents"},
		Fields: []mapping.PersonalField{
			{Member: "name", Field: "Name", Subject: "from"},
			{Member: "note", Field: "Note", Subject: "to"},
		},
	},
}

// madeDomain is the same event as migrate-gen sees it.
func madeDomain() *model.Domain {
	text := func(name string) model.Field {
		return model.Field{Name: name, Shape: &model.Shape{Kind: model.StringShape}}
	}
	name, note := text("name"), text("note")
	name.Personal, note.Personal = &model.Personal{Subject: "from"}, &model.Personal{Subject: "to"}
	return &model.Domain{Aggregates: []model.Aggregate{{Name: "Transfer", Events: []model.Event{{
		Name: "Made", Version: 1, Payload: &model.Shape{Kind: model.ObjectShape, Fields: []model.Field{
			text("from"), text("to"), name, note, {Name: "cents", Shape: &model.Shape{Kind: model.IntShape, Bits: 64}},
		}},
	}}}}}
}

func madeEvent(t testing.TB, stream string, m made) runtime.Event {
	t.Helper()
	payload, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	e := placed(stream, 1)[0]
	e.AggregateType, e.EventType, e.Payload = "Transfer", "Made", payload
	return e
}

// parties is a state that holds personal data.
type parties struct{ Names []string }

func (n *parties) fold(events []runtime.PersistedEvent) error {
	for i := range events {
		var m made
		if err := json.Unmarshal(events[i].Payload, &m); err != nil {
			return err
		}
		n.Names = append(n.Names, m.Name, m.Note)
	}
	return nil
}

// Nothing personal is anywhere in the database in clear, and what was erased cannot be read by any way. The other person in the
// same event stays.
func TestPrivacy_searchOfTheWholeDatabase(t *testing.T) {
	t.Parallel()
	const ada, bob = "Ada Lovelace", "lent by Bob"
	address := pgtest.New(t, schema(t, design.Options{Domain: madeDomain(), Snapshots: true}))
	pool, store := connect(t, address), newStore(t)
	consumers, err := postgres.NewConsumers(pool)
	if err != nil {
		t.Fatal(err)
	}
	keys := privacy.NewKeys(must(t)(postgres.NewKeyStore()), localWrapper(t))
	personal := mapping.NewPersonal(keys, madePersonal)
	snapshots := mapping.NewSnapshots[pgx.Tx, parties](store, mapping.NewSettings(runtime.SnapshotEvery(1)), "Transfer", "code", (*parties).fold).Sealing(personal)
	event := madeEvent(t, "t1", made{From: "customer-1", To: "customer-2", Name: ada, Note: bob, Cents: 7})
	inTx(t, pool, func(tx pgx.Tx) {
		if _, err := personal.Append(t.Context(), tx, store, runtime.NoStream(), []runtime.Event{event}); err != nil {
			t.Fatal(err)
		}
	})
	load := func() (state []string) {
		inTx(t, pool, func(tx pgx.Tx) {
			loaded, err := snapshots.Load(t.Context(), tx, "t1")
			if err != nil {
				t.Fatal(err)
			}
			state = loaded.State.Names
			snapshots.Save(t.Context(), tx, "t1", loaded)
		})
		return state
	}
	if got := load(); fmt.Sprint(got) != fmt.Sprint([]string{ada, bob}) {
		t.Errorf("state is %q", got)
	}
	if got := load(); fmt.Sprint(got) != fmt.Sprint([]string{ada, bob}) {
		t.Errorf("state from the snapshot is %q", got)
	}
	lent, err := consumers.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(consumers.Park(t.Context(), lent, "mailer", consumer.ParkedEvent{
		Stream: consumer.Stream{AggregateType: "Transfer", AggregateID: "t1"}, GlobalPosition: 1, Attempts: 3, Error: "no such mailbox",
	}), consumers.Commit(t.Context(), lent))
	if err != nil {
		t.Fatal(err)
	}
	search := func() {
		t.Helper()
		text := everything(t, pool) + dumped(t, address)
		for _, clear := range []string{ada, bob} {
			if strings.Contains(text, clear) || strings.Contains(text, hex.EncodeToString([]byte(clear))) {
				t.Errorf("%q is in clear in the database", clear)
			}
		}
		for _, there := range []string{"customer-1", hex.EncodeToString([]byte(`"$sealed"`)), "Personal data is left out: name, note."} {
			if !strings.Contains(text, there) {
				t.Errorf("the search does not find %q, which is there", there)
			}
		}
	}
	search()
	wrapped := scan[[]byte](t, pool, "select wrapped from subject_keys where subject = 'customer-1'")
	inTx(t, pool, func(tx pgx.Tx) {
		if err := keys.Forget(t.Context(), tx, "customer-1"); err != nil {
			t.Fatal(err)
		}
	})
	search()
	if strings.Contains(everything(t, pool), hex.EncodeToString(wrapped)) {
		t.Error("the erased key is still there")
	}
	if n := scan[int](t, pool, "select count(*) from aggregate_snapshots"); n != 0 {
		t.Errorf("%d snapshots are left", n)
	}
	if got := load(); fmt.Sprint(got) != fmt.Sprint([]string{"", bob}) {
		t.Errorf("after Forget the state is %q", got)
	}
	// The same events again are recognised, although they are sealed anew, until their subject is refused.
	inTx(t, pool, func(tx pgx.Tx) {
		_, err := personal.Append(t.Context(), tx, store, runtime.NoStream(), []runtime.Event{event})
		if !errors.Is(err, privacy.ErrForgotten) {
			t.Errorf("append after Forget: %v, want ErrForgotten", err)
		}
	})
}

func TestPrivacy_retryIsRecognised(t *testing.T) {
	t.Parallel()
	pool, store := connect(t, keysDatabase(t)), newStore(t)
	personal := mapping.NewPersonal(privacy.NewKeys(must(t)(postgres.NewKeyStore()), localWrapper(t)), madePersonal)
	event := madeEvent(t, "t1", made{From: "a", To: "b", Name: "Ada", Note: "Bob"})
	for try := range 2 {
		inTx(t, pool, func(tx pgx.Tx) {
			result, err := personal.Append(t.Context(), tx, store, runtime.NoStream(), []runtime.Event{event})
			if err != nil || result.AlreadyStored != (try == 1) || !strings.Contains(string(result.Opened[0].Payload), "Ada") {
				t.Errorf("try %d: already stored %t, %v", try, result.AlreadyStored, err)
			}
		})
	}
}

// An append asks for keys in one round trip, and in none when they are cached; so does a batch of 500 events of 500 subjects.
func TestPrivacy_roundTrips(t *testing.T) {
	t.Parallel()
	address, store := keysDatabase(t), newStore(t)
	var counter wire.Counter
	pool := connect(t, address, func(c *pgxpool.Config) {
		c.MaxConns = 1
		counter.Count(&c.ConnConfig.Config)
	})
	newPersonal := func() mapping.Personal[pgx.Tx] {
		return mapping.NewPersonal(privacy.NewKeys(must(t)(postgres.NewKeyStore()), localWrapper(t)), madePersonal)
	}
	events := make([]runtime.Event, 500)
	trips := func(do func(tx pgx.Tx)) (n int64) {
		inTx(t, pool, func(tx pgx.Tx) {
			before := counter.Trips()
			do(wire.Unknown{Tx: tx})
			n = counter.Trips() - before
		})
		return n
	}
	next := func(stream string, subjects string) []runtime.Event {
		for i := range events {
			events[i] = madeEvent(t, stream, made{From: fmt.Sprint(subjects, i), To: fmt.Sprint(subjects, i), Name: "Ada", Note: "Bob"})
		}
		return events
	}
	plain := mapping.NewPersonal[pgx.Tx](nil, nil)
	appendBy := func(p mapping.Personal[pgx.Tx], stream, subjects string) int64 {
		sent := next(stream, subjects)
		return trips(func(tx pgx.Tx) {
			if _, err := p.Append(t.Context(), tx, store, runtime.NoStream(), sent); err != nil {
				t.Fatal(err)
			}
		})
	}
	personal := newPersonal()
	appendBy(plain, "warm", "w") // prepares the statement of the append
	appendBy(newPersonal(), "warmer", "w")
	unmarked := appendBy(plain, "plain", "p")
	cold := appendBy(personal, "cold", "s")
	appendBy(personal, "settled", "s") // reads the keys that are committed now
	cached := appendBy(personal, "cached", "s")
	if cold != unmarked+1 || cached != unmarked {
		t.Errorf("an append of 500 events takes %d round trips, %d with 500 new keys, %d when they are cached; want one more and none", unmarked, cold, cached)
	}
	read := func(p mapping.Personal[pgx.Tx]) int64 {
		return trips(func(tx pgx.Tx) {
			stream, err := store.ReadAggregateStream(t.Context(), tx, "Transfer", "cold", nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Open(t.Context(), tx, stream.Events); err != nil || !strings.Contains(string(stream.Events[499].Payload), "Ada") {
				t.Fatal(err, string(stream.Events[499].Payload))
			}
		})
	}
	read(newPersonal())
	if first, again := read(personal), read(personal); first != again {
		t.Errorf("reading with cached keys takes %d and %d round trips", first, again)
	}
	if one, none := read(newPersonal()), read(personal); one != none+1 {
		t.Errorf("reading 500 events of 500 subjects takes %d round trips, %d with cached keys; want one query for keys", one, none)
	}
}

// everything returns every row of every table and view as text.
func everything(t testing.TB, pool *pgxpool.Pool) string {
	t.Helper()
	rows, err := pool.Query(t.Context(), "select format('%I', relname) from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v') order by 1")
	if err != nil {
		t.Fatal(err)
	}
	relations, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(relations) < 6 {
		t.Fatalf("relations %v, %v", relations, err)
	}
	var b strings.Builder
	for _, relation := range relations {
		b.WriteString(scan[string](t, pool, "select coalesce(string_agg(r::text, E'\\n'), '') from "+relation+" as r") + "\n")
	}
	b.WriteString(scan[string](t, pool, "select coalesce(string_agg(description, E'\\n'), '') from pg_description"))
	return b.String()
}

// dumped returns what pg_dump writes, where there is one of the server's version.
func dumped(t testing.TB, address string) string {
	t.Helper()
	program, err := osexec.LookPath("pg_dump")
	if err != nil {
		t.Logf("pg_dump is not on PATH; the tables were searched by queries only")
		return ""
	}
	out, err := osexec.CommandContext(t.Context(), program, address).CombinedOutput()
	if err != nil && !strings.Contains(string(out), "server version mismatch") {
		t.Fatalf("pg_dump: %v: %s", err, out)
	}
	return string(out)
}

// scan returns the only value of a query.
func scan[T any](t testing.TB, pool *pgxpool.Pool, query string) (value T) {
	t.Helper()
	if err := pool.QueryRow(context.WithoutCancel(t.Context()), query).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}
