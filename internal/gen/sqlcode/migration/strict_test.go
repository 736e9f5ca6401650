package migration_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// enters reports whether the database takes an event. It is not stored.
func enters(t *testing.T, conn *pgx.Conn, o design.Options, aggregate, event string, version int) bool {
	t.Helper()
	payload := ""
	if o.Payload == "json" || o.Payload == "jsonb" {
		payload = "{}"
	}
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = tx.Exec(t.Context(), `insert into `+eventsOf(o)+` (created_at, event_id, aggregate_version, event_version, aggregate_type,
		aggregate_id, event_type, payload) values (now(), gen_random_uuid(), 1000, $1, $2, 'x', $3, $4)`, version, aggregate, event, []byte(payload))
	var refused *pgconn.PgError
	if err != nil && (!errors.As(err, &refused) || refused.Code != "23514" || !strings.HasSuffix(refused.ConstraintName, "_known_check")) {
		t.Fatal(err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	return err == nil
}

// wantEnter compares which events of Order enter with those that are wanted. Others never do.
func wantEnter(t *testing.T, conn *pgx.Conn, o design.Options, when string, want ...string) {
	t.Helper()
	var got []string
	for _, event := range []string{"Paid", "Placed", "Shipped"} {
		if enters(t, conn, o, "Order", event, 1) {
			got = append(got, event)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: events that enter (-want +got):\n%s", when, diff)
	}
	if enters(t, conn, o, "Order", "Placed", 2) || enters(t, conn, o, "Orders", "Placed", 1) || enters(t, conn, o, "Order", "placed", 1) {
		t.Errorf("%s: an unknown event enters", when)
	}
}

func TestGenerate_strictLetsInKnownEventsOnly(t *testing.T) {
	t.Parallel()
	for _, layout := range []string{"none", "range", "hash"} {
		o := design.Options{Schema: "shop", Partition: layout, Strict: true, Domain: domain("Placed", "Paid")}
		o.Domain.Aggregates = append(o.Domain.Aggregates, model.Aggregate{Name: "It's", Events: []model.Event{{Name: "a'b", Version: 12}}})
		conn := connect(t)
		exec(t, conn, string(generate(t, o)))
		wantEnter(t, conn, o, layout, "Paid", "Placed")
		if !enters(t, conn, o, "It's", "a'b", 12) || enters(t, conn, o, "Order", "a'b", 12) {
			t.Errorf("%s: events of another aggregate are mistaken", layout)
		}
	}
	_, err := generated(design.Options{Strict: true})
	if want := "strict: there is no domain that says which events are known; name it by --domain"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// While the check changes, at no moment does an unknown event enter or is a known one refused, and what is stored already
// is looked at without a lock that appends wait for.
func TestNext_strictChangesWithoutAWindow(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	h := history{folder: migration.Folder{}}
	o := design.Options{Domain: domain("Placed")}
	h.next(t, o)
	h.up(t, conn)
	storeTwo(t, conn, o, 0)
	for _, step := range []struct {
		what  string
		turn  func()
		files []string
		want  []string
	}{
		{"strict", func() { o.Strict = true }, []string{"strict", "validate"}, []string{"Placed"}},
		{"a new event", func() { o.Domain = domain("Placed", "Paid") }, []string{"change"}, []string{"Paid", "Placed"}},
		{"a retired event, which the log holds", func() { o.Domain = domain("Paid") }, []string{"views"}, []string{"Paid", "Placed"}},
		{"a retired one and a new one", func() { o.Domain = domain("Shipped") }, []string{"change"}, []string{"Paid", "Placed", "Shipped"}},
		{"not strict", func() { o.Strict = false }, []string{"strict"}, nil},
		{"strict again", func() { o.Strict = true }, []string{"strict", "validate"}, []string{"Paid", "Placed", "Shipped"}},
		{"one that is back", func() { o.Domain = domain("Placed", "Shipped") }, []string{"views"}, []string{"Paid", "Placed", "Shipped"}},
		{"another name", func() { o.EventsTable = "log" }, []string{"change"}, []string{"Paid", "Placed", "Shipped"}},
	} {
		step.turn()
		added := h.next(t, o)
		var names []string
		for _, file := range added {
			if name, ok := strings.CutSuffix(file, ".up.sql"); ok {
				names = append(names, strings.SplitN(name, "_", 3)[2])
			}
		}
		if diff := cmp.Diff(step.files, names); diff != "" {
			t.Fatalf("%s: migrations (-want +got):\n%s", step.what, diff)
		}
		for _, file := range added {
			if !strings.HasSuffix(file, ".up.sql") {
				continue
			}
			sql := string(h.folder[file])
			exec(t, conn, sql)
			if strings.Contains(sql, "add constraint") {
				if !strings.Contains(sql, "not valid;") || strings.Contains(sql, "validate constraint") {
					t.Errorf("%s: looks at the whole log while appends wait:\n%s", step.what, sql)
				}
				wantEnter(t, conn, o, step.what+", not validated", step.want...)
			}
		}
		if step.want != nil {
			wantEnter(t, conn, o, step.what, step.want...)
			if got := query(t, conn, `select convalidated::text from pg_constraint where conname like '%\_known\_check'`); !cmp.Equal(got, []string{"true"}) {
				t.Errorf("%s: validated %q, want true", step.what, got)
			}
		}
	}
}

// Events that nobody ever knew are found when what is stored is looked at; the check holds for new ones all the same.
func TestNext_strictFindsWhatItNeverKnew(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	h := history{folder: migration.Folder{}}
	h.next(t, design.Options{})
	h.up(t, conn)
	storeTwo(t, conn, design.Options{}, 0)
	o := design.Options{Strict: true, Domain: domain("Paid")}
	h.next(t, o)
	exec(t, conn, string(h.folder[h.ups[1]]))
	_, err := conn.Exec(t.Context(), string(h.folder[h.ups[2]]))
	if err == nil || !strings.Contains(err.Error(), `check constraint "events_known_check" of relation "events" is violated by some row`) {
		t.Errorf("validate: %v", err)
	}
	wantEnter(t, conn, o, "after the failure", "Paid")
}

// The store says what to do about an event that the database refuses.
func TestGenerate_strictRefusalHasARemedy(t *testing.T) {
	t.Parallel()
	for _, layout := range []string{"none", "hash"} {
		o := design.Options{Schema: "shop", Partition: layout, Strict: true, Domain: indexed(domain("Placed"), "")}
		pool := connectAs(t, &o)
		store, err := postgres.NewPool(postgres.WithEventsTable("shop.events"))
		if err != nil {
			t.Fatal(err)
		}
		e := runtime.Event{AggregateType: "Order", AggregateID: "1", EventType: "Placed", EventVersion: 1, EventID: uuid.New(), Payload: []byte(`{"n":1}`)}
		if err := tryAppend(t.Context(), store, pool, e); err != nil {
			t.Errorf("%s: a known event: %v", layout, err)
		}
		e.EventID, e.EventVersion = uuid.New(), 2
		const want = `append to Order "1": an event is not among those that the log was told of by ` +
			"`migrate-gen --strict`; run the migration that lets it in first: "
		if err := tryAppend(t.Context(), store, pool, e); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: an unknown event:\n got %v\nwant %s", layout, err, want)
		}
	}
}

// A partition that was detached before a new event was let in is attached again as it is.
func TestNext_strictTakesArchivedPartitionsBack(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	h := history{folder: migration.Folder{}}
	o := design.Options{Partition: "range", PartitionSize: 10, Partitions: 2, Strict: true, Domain: domain("Placed")}
	h.next(t, o)
	h.up(t, conn)
	storeTwo(t, conn, o, 0)
	exec(t, conn, `alter table events detach partition events_p0`)
	o.Domain = domain("Paid")
	h.next(t, o)
	h.up(t, conn)
	exec(t, conn, `alter table events attach partition events_p0 for values from (0) to (10)`)
	if got := events(t, conn, o); len(got) != 2 {
		t.Errorf("%d events, want 2", len(got))
	}
}

// A new event is let in without a lock on the log: not even an append that is under way is waited for.
func TestNext_strictLetsInWithoutALock(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	h := history{folder: migration.Folder{}}
	o := design.Options{Strict: true, Domain: domain("Placed")}
	h.next(t, o)
	h.up(t, conn)
	other, err := pgx.Connect(t.Context(), conn.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close(context.Background()) }()
	exec(t, other, `begin`)
	storeTwo(t, other, o, 0)
	o.Domain = domain("Placed", "Paid")
	h.next(t, o)
	exec(t, conn, `set lock_timeout = '1s'`)
	h.up(t, conn)
	wantEnter(t, conn, o, "while an append is under way", "Paid", "Placed")
	exec(t, other, `commit`)
}

// What an earlier release wrote, a check that names the events itself, stays until what it knows changes. Then it asks a
// function, and what is stored is looked at once more.
func TestNext_strictAfterAnInlineCheck(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	h := history{folder: migration.Folder{}}
	o := design.Options{Schema: "shop", Strict: true, Domain: domain("Placed")}
	h.next(t, o)
	h.up(t, conn)
	exec(t, conn, `alter table shop.events drop constraint events_known_check, add constraint events_known_check check (
			case aggregate_type when 'Order' then (event_type, event_version) in (('Placed', 1)) else false end);
		drop function shop.events_known(text, text, integer)`)
	former := strings.Replace(string(h.folder[migration.RecordFile]), "  \"known\": \"function\",\n", "", 1)
	h.folder[migration.RecordFile] = []byte(former)
	storeTwo(t, conn, o, 0)
	if added := h.next(t, o); added != nil || string(h.folder[migration.RecordFile]) != former {
		t.Errorf("nothing has changed, and there is %q", added)
	}
	o.EventsTable, o.Domain = "log", domain("Placed", "Paid")
	if added := h.next(t, o); len(added) != 4 || added[2] != "000003_eventmap_validate.up.sql" {
		t.Errorf("files %q", added)
	}
	h.up(t, conn)
	wantEnter(t, conn, o, "after the change", "Paid", "Placed")
	if diff := compare(fresh(t, h.known(t, o)), catalog(t, conn)); diff != "" {
		t.Errorf("(-one migration +step by step):\n%s", diff)
	}
	h.down(t, conn)
	o.EventsTable = ""
	wantEnter(t, conn, o, "after the way down", "Placed")
}
