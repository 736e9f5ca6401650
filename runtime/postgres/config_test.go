package postgres_test

import (
	"context"
	"log/slog"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/storetest"
)

// names are tables that PostgreSQL finds only where they are quoted well.
var names = map[string]design.Options{
	"schema":          {Snapshots: true, Schema: "shop", EventsTable: "shop.events", AggregateHeadsTable: "shop.heads"},
	"mixed case":      {Snapshots: true, EventsTable: "ShopEvents", AggregateHeadsTable: "ShopHeads"},
	"reserved words":  {Snapshots: true, EventsTable: "select", AggregateHeadsTable: "user"},
	"hyphens":         {Snapshots: true, Schema: "my-shop", EventsTable: "my-shop.the-events", AggregateHeadsTable: "my-shop.the-heads"},
	"63 bytes":        {Snapshots: true, EventsTable: strings.Repeat("e", 63), AggregateHeadsTable: strings.Repeat("e", 62) + "h"},
	"63 bytes, UTF-8": {Snapshots: true, EventsTable: "é" + strings.Repeat("x", 61), AggregateHeadsTable: "é" + strings.Repeat("y", 61)},
}

func TestStore_worksWithAnyTableName(t *testing.T) {
	t.Parallel()
	for name, tables := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := connect(t, pgtest.New(t, schema(t, tables)))
			store := newStore(t, postgres.WithEventsTable(tables.EventsTable), postgres.WithAggregateHeadsTable(tables.AggregateHeadsTable))
			storetest.Run(t, storetest.Harness[pgx.Tx]{Store: store, Begin: beginPgx(pool), Remove: remover(pool, strings.Split(tables.EventsTable, ".")...)})
		})
	}
}

func TestNew_refusesInvalidConfigurations(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]postgres.Config{
		"64 bytes":             {EventsTable: strings.Repeat("e", 64)},
		"NUL":                  {EventsTable: "a\x00b"},
		"not UTF-8":            {EventsTable: "a\xff"},
		"quote":                {EventsTable: `events"; drop table events; --`},
		"blank":                {AggregateHeadsTable: "my heads"},
		"two dots":             {EventsTable: "a.b.c"},
		"empty schema":         {EventsTable: ".events"},
		"system schema":        {EventsTable: "pg_catalog.events"},
		"heads are the events": {AggregateHeadsTable: "events"},
		"channel of 64 bytes":  {NotifyChannel: strings.Repeat("c", 64)},
		"channel with NUL":     {NotifyChannel: "c\x00"},
		"channel not UTF-8":    {NotifyChannel: "\xff"},
	} {
		if store, err := postgres.New(c); err == nil || store != nil {
			t.Errorf("%s: New returned %v and error %v, want an error", name, store, err)
		}
		if store, err := postgres.NewSQL(c); err == nil || store != nil {
			t.Errorf("%s: NewSQL returned %v and error %v, want an error", name, store, err)
		}
		if store, err := postgres.NewPool(c); err == nil || store != nil {
			t.Errorf("%s: NewPool returned %v and error %v, want an error", name, store, err)
		}
	}
}

func TestConfig_isAnOption(t *testing.T) {
	t.Parallel()
	tables := design.Options{Schema: "shop", EventsTable: "shop.log"}
	pool := connect(t, pgtest.New(t, schema(t, tables)))
	at := time.Date(2024, 1, 2, 3, 4, 5, 6789, time.UTC)
	var logged strings.Builder
	store := newPoolStore(t,
		postgres.Config{EventsTable: "shop.log", Clock: func() time.Time { return at }},
		postgres.WithLogger(runtime.SlogLogger(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})))))
	r, err := store.Append(t.Context(), pool, runtime.NoStream(), placed("1", 1))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(at.Truncate(time.Microsecond), r.Events[0].CreatedAt); diff != "" {
		t.Errorf("time differs (-clock's +stored):\n%s", diff)
	}
	if _, err := store.Append(t.Context(), pool, runtime.NoStream(), placed("1", 1)); err == nil {
		t.Error("no conflict")
	}
	for _, want := range []string{"appended", "aggregate_id=1", "version=1", "append refused"} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("log lacks %q:\n%s", want, logged.String())
		}
	}
}

func TestNotifyChannel_tellsOfEachCommit(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	const channel = `Events "of" 'all' kinds`
	listener, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Release()
	execute(t, listener, "listen "+pgx.Identifier{channel}.Sanitize())
	store, poolStore := newStore(t, postgres.WithNotifyChannel(channel)), newPoolStore(t, postgres.WithNotifyChannel(channel))
	next := func() string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		n, err := listener.Conn().WaitForNotification(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return n.Payload
	}
	last := func(positions []int64) string { return strconv.FormatInt(positions[len(positions)-1], 10) }
	for _, n := range []int{1, 3} {
		r, err := poolStore.Append(t.Context(), pool, runtime.Any(), placed(newStream(), n))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := next(), last(r.GlobalPositions); got != want {
			t.Errorf("notified of %q, want %q", got, want)
		}
	}
	// What was rolled back, refused or stored before is not told.
	tx := begin(t, pool)
	mustAppend(t, store, tx, placed(newStream(), 1))
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := poolStore.Append(t.Context(), pool, runtime.Exact(7), placed(newStream(), 1)); err == nil {
		t.Error("no conflict")
	}
	rs, err := poolStore.AppendStreams(t.Context(), pool,
		runtime.StreamAppend{Events: placed(newStream(), 2)}, runtime.StreamAppend{Events: placed(newStream(), 1)})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := next(), last(rs[1].GlobalPositions); got != want {
		t.Errorf("notified of %q, want %q", got, want)
	}
}

// Each field of a Config has an option, which sets it and nothing else.
func TestConfig_hasAnOptionForEachField(t *testing.T) {
	t.Parallel()
	options := map[string]postgres.Option{
		"EventsTable":         postgres.WithEventsTable("e"),
		"AggregateHeadsTable": postgres.WithAggregateHeadsTable("h"),
		"SnapshotsTable":      postgres.WithSnapshotsTable("s"),
		"Layout":              postgres.ManyLogs,
		"Log":                 postgres.WithLog("l"),
		"EventLogsTable":      postgres.WithEventLogsTable("l"),
		"SubjectKeysTable":    postgres.WithSubjectKeysTable("k"),
		"Reader":              postgres.WithReader(new(pgxpool.Pool)),
		"CheckpointsTable":    postgres.WithCheckpointsTable("c"),
		"ParkedEventsTable":   postgres.WithParkedEventsTable("p"),
		"Payload":             postgres.WithPayload(postgres.JSON),
		"NotifyChannel":       postgres.WithNotifyChannel("n"),
		"Logger":              postgres.WithLogger(runtime.NoOpLogger{}),
		"Clock":               postgres.WithClock(time.Now),
		"Record":              postgres.WithRecord([]byte("{}")),
		"GroupLimits":         postgres.WithGroupLimits(postgres.GroupLimits{Bytes: 1}),
		"GroupHook":           postgres.WithGroupHook(func(int, int) {}),
	}
	for field := range reflect.TypeFor[postgres.Config]().Fields() {
		o, ok := options[field.Name]
		if !ok {
			t.Errorf("%s has no option", field.Name)
			continue
		}
		c := reflect.ValueOf(postgres.Configured(o))
		for f, v := range c.Fields() {
			if set := !v.IsZero(); set != (f.Name == field.Name) {
				t.Errorf("the option of %s: %s is set: %t", field.Name, f.Name, set)
			}
		}
	}
}
