package migration_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// The way down leaves nothing but schemas and extensions, which others may use.
func TestGenerate_layoutsGoAsTheyCame(t *testing.T) {
	t.Parallel()
	for _, layout := range design.Layouts {
		t.Run(layout, func(t *testing.T) {
			t.Parallel()
			conn := connect(t)
			if layout == "partman" {
				needExtension(t, conn, "pg_partman")
				exec(t, conn, `create schema partman; create extension pg_partman with schema partman`)
			}
			before := catalog(t, conn)
			o := design.Options{EventsTable: `Event-Log`, Partition: layout, AppendOnly: true}
			files, err := generated(o, "golang-migrate")
			if err != nil {
				t.Fatal(err)
			}
			exec(t, conn, string(files[0].Content))
			full := catalog(t, conn)
			exec(t, conn, string(files[1].Content))
			if diff := cmp.Diff(before, catalog(t, conn)); diff != "" {
				t.Errorf("left by the way down (-want +got):\n%s", diff)
			}
			exec(t, conn, string(files[0].Content))
			if diff := cmp.Diff(full, catalog(t, conn)); diff != "" {
				t.Errorf("up again (-first +second):\n%s", diff)
			}
		})
	}
}

// Appends never stop, whether or not there is a partition for their positions, and duplicates are found across all of
// them.
func TestGenerate_rangeFindsDuplicatesAcrossPartitions(t *testing.T) {
	t.Parallel()
	o := design.Options{Schema: "shop", Partition: "range", PartitionSize: 10, Partitions: 3}
	pool := connectAs(t, &o)
	store, err := postgres.NewPool(postgres.WithEventsTable("shop.events"))
	if err != nil {
		t.Fatal(err)
	}
	var events []runtime.Event
	for i := range 50 {
		events = append(events, runtime.Event{
			AggregateType: "Order", AggregateID: fmt.Sprint(i % 3), EventType: "Placed", EventVersion: 1, EventID: uuid.New(),
		})
	}
	for _, e := range events {
		if _, err := store.Append(t.Context(), pool, runtime.Any(), []runtime.Event{e}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range events {
		e := events[i]
		again := fmt.Sprintf("event %d", i)
		wantDuplicate(t, again, tryAppend(t.Context(), store, pool, e))
		e.AggregateID = "another"
		wantDuplicate(t, again+" in another stream", tryAppend(t.Context(), store, pool, e))
	}
	stored, err := store.ReadEvents(t.Context(), pool, 0, 100)
	if err != nil || len(stored) != len(events) {
		t.Errorf("%d events in the log, error %v, want %d", len(stored), err, len(events))
	}
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	got := query(t, conn.Conn(), `select tableoid::regclass || ' ' || count(*) from shop.events group by tableoid order by 1`)
	if len(got) != 4 || !strings.HasPrefix(got[0], "shop.events_default ") {
		t.Errorf("partitions: %q, want four of them with events", got)
	}
}

// Many appends of one event at once, to the end of its stream: one of them succeeds, though no unique key says so.
func TestGenerate_rangeStoresAnEventOnce(t *testing.T) {
	t.Parallel()
	o := design.Options{Schema: "shop", Partition: "range", PartitionSize: 2, Partitions: 3}
	pool := connectAs(t, &o)
	store, err := postgres.NewPool(postgres.WithEventsTable("shop.events"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		e := runtime.Event{AggregateType: "Order", AggregateID: "1", EventType: "Placed", EventVersion: 1, EventID: uuid.New()}
		errs := make([]error, 6)
		var group sync.WaitGroup
		for j := range errs {
			group.Go(func() { errs[j] = tryAppend(t.Context(), store, pool, e) })
		}
		group.Wait()
		stored := 0
		for _, err := range errs {
			if err == nil {
				stored++
			} else {
				wantDuplicate(t, fmt.Sprintf("event %d", i), err)
			}
		}
		if stored != 1 {
			t.Errorf("event %d: %d appends succeeded, want 1", i, stored)
		}
	}
}

func tryAppend(ctx context.Context, store *postgres.Store[*pgxpool.Pool], pool *pgxpool.Pool, e runtime.Event) error {
	_, err := store.Append(ctx, pool, runtime.Any(), []runtime.Event{e})
	return err
}

func wantDuplicate(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, runtime.ErrDuplicateEvent) || errors.Is(err, runtime.ErrOptimisticConcurrency) {
		t.Errorf("%s: %v, want %v", what, err, runtime.ErrDuplicateEvent)
	}
}

// A trigger that is made for the whole table holds for a partition that is named instead of it.
func TestGenerate_appendOnlyPartitions(t *testing.T) {
	t.Parallel()
	for _, layout := range []string{"range", "hash"} {
		conn := connect(t)
		exec(t, conn, string(generate(t, design.Options{Partition: layout, Partitions: 1, AppendOnly: true})))
		exec(t, conn, fmt.Sprintf(insertEvent, "events", 1))
		for _, statement := range []string{
			`update events set payload = ''`, `update events_p0 set payload = ''`, `delete from events_p0`, `truncate events`,
		} {
			if _, err := conn.Exec(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %s: %v, want a refusal", layout, statement, err)
			}
		}
		if layout == "range" { // to archive
			exec(t, conn, `alter table events detach partition events_p0; delete from events_p0; drop table events_p0`)
		}
	}
}

func TestGenerate_partmanMakesPartitionsAhead(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	needExtension(t, conn, "pg_partman")
	exec(t, conn, string(generate(t, design.Options{EventsTable: "Event-Log", Partition: "partman", PartitionSize: 10, Partitions: 2})))
	for version := range 15 {
		exec(t, conn, fmt.Sprintf(insertEvent, `"Event-Log"`, version+1))
	}
	exec(t, conn, `select partman.run_maintenance('public.Event-Log')`)
	want := []string{
		"Event-Log_default 0", "Event-Log_p0 9", "Event-Log_p10 6", "Event-Log_p20 0", "Event-Log_p30 0",
	}
	if diff := cmp.Diff(want, partitions(t, conn, "Event-Log")); diff != "" {
		t.Errorf("partitions and their events (-want +got):\n%s", diff)
	}
	storage := query(t, conn, `select distinct array_to_string(reloptions, ' ') from pg_class where relname like 'Event-Log\_p%' and relkind = 'r'`)
	if want := []string{"autovacuum_freeze_min_age=0 autovacuum_vacuum_insert_scale_factor=0.02"}; !cmp.Equal(want, storage) {
		t.Errorf("storage parameters %q, want %q", storage, want)
	}
}

// What pg_partman 5 is asked is what its functions take. It cannot be had as a package for the server of the tests, so these
// are stand-ins that have the names, parameters and defaults of the first and of a later release of it, and note how they were
// called.
func TestGenerate_partman5IsAskedInItsWords(t *testing.T) {
	t.Parallel()
	const first = `p_parent_table text, p_control text, p_interval text, p_type text default 'range', p_epoch text default 'none',
		p_premake int default 4, p_start_partition text default null, p_default_table boolean default true,
		p_automatic_maintenance text default 'on', p_constraint_cols text[] default null, p_template_table text default null,
		p_jobmon boolean default true, p_date_trunc_interval text default null`
	const later = first + `, p_control_not_null boolean default true, p_time_encoder text default null, p_time_decoder text default null,
		p_offset_id bigint default 0, p_timezone text default null`
	for version, parameters := range map[string]string{"5.0.0": first, "5.4.0": later} {
		conn := connect(t)
		exec(t, conn, `create schema "Part-Man";
			create table "Part-Man".part_config (parent_table text primary key, control text, partition_interval text, partition_type text, premake int,
				template_table text, default_table boolean);
			create function "Part-Man".create_parent(`+parameters+`) returns boolean language sql as $$
				insert into "Part-Man".part_config values (p_parent_table, p_control, p_interval, p_type, p_premake, p_template_table, p_default_table)
				returning true $$;
			insert into pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
			select 4000000000, 'pg_partman', (select oid from pg_roles where rolname = current_user), oid, false, '`+version+`'
			from pg_namespace where nspname = 'Part-Man'`)
		h := history{folder: migration.Folder{}}
		o := design.Options{Schema: "shop", Partition: "partman", PartitionSize: 10, Partitions: 3, PartmanSchema: "Part-Man"}
		h.next(t, o)
		h.up(t, conn)
		const config = `select concat_ws(' ', parent_table, control, partition_interval, partition_type, premake, template_table, default_table) from "Part-Man".part_config`
		want := []string{"shop.events global_position 10 range 3 shop.events_template t"}
		if diff := cmp.Diff(want, query(t, conn, config)); diff != "" {
			t.Errorf("%s: what was asked for (-want +got):\n%s", version, diff)
		}
		o.Partitions = 5
		h.next(t, o)
		h.up(t, conn)
		want = []string{"shop.events global_position 10 range 5 shop.events_template t"}
		if diff := cmp.Diff(want, query(t, conn, config)); diff != "" {
			t.Errorf("%s: after a change (-want +got):\n%s", version, diff)
		}
		h.down(t, conn)
		h.down(t, conn)
		if left := query(t, conn, config); len(left) > 0 {
			t.Errorf("%s: left by the way down: %q", version, left)
		}
		exec(t, conn, `delete from pg_extension where oid = 4000000000`)
	}
}

// The background worker and pg_cron have to be loaded when the server starts, so this takes one of its own.
func TestGenerate_partmanMaintenance(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	needExtension(t, conn, "pg_partman")
	needExtension(t, conn, "pg_cron")
	server := pgtest.NewServer(t,
		pgtest.Setting("shared_preload_libraries", "pg_cron,pg_partman_bgw"),
		pgtest.Setting("pg_partman_bgw.interval", "1"),
		pgtest.Setting("pg_partman_bgw.dbname", "postgres"),
		pgtest.Setting("max_worker_processes", "20"),
	)
	conn, err := pgx.Connect(t.Context(), server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, maintenance := range []string{"pg_cron", "bgw"} {
		files, err := generated(design.Options{
			Partition: "partman", PartitionSize: 10, Partitions: 1, PartmanMaintenance: maintenance,
		}, "golang-migrate")
		if err != nil {
			t.Fatal(err)
		}
		exec(t, conn, string(files[0].Content))
		for version := range 12 {
			exec(t, conn, fmt.Sprintf(insertEvent, "events", version+1))
		}
		if maintenance == "pg_cron" {
			jobs := query(t, conn, `select jobname || ': ' || schedule || ' ' || command from cron.job`)
			want := []string{`partitions of public.events: */5 * * * * select "partman".run_maintenance('public.events')`}
			if diff := cmp.Diff(want, jobs); diff != "" {
				t.Errorf("jobs (-want +got):\n%s", diff)
			}
			exec(t, conn, query(t, conn, `select command from cron.job`)[0])
		}
		deadline := time.Now().Add(5 * time.Minute)
		for len(partitions(t, conn, "events")) < 4 && time.Now().Before(deadline) {
			time.Sleep(20 * time.Millisecond)
		}
		want := []string{"events_default 0", "events_p0 9", "events_p10 3", "events_p20 0"}
		if diff := cmp.Diff(want, partitions(t, conn, "events")); diff != "" {
			t.Errorf("%s: partitions (-want +got):\n%s", maintenance, diff)
		}
		exec(t, conn, `truncate events; `+string(files[1].Content))
		if maintenance == "pg_cron" {
			if jobs := query(t, conn, `select jobname::text from cron.job`); len(jobs) > 0 {
				t.Errorf("jobs left by the way down: %q", jobs)
			}
		}
	}
}

// A server without the worker keeps working, as there is a DEFAULT partition; so it is a warning and no error.
func TestGenerate_partmanWarnsWithoutItsWorker(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	needExtension(t, conn, "pg_partman")
	sql := string(generate(t, design.Options{Partition: "partman", PartmanMaintenance: "bgw"}))
	config := conn.Config().Copy()
	var notices []string
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { notices = append(notices, n.Severity+": "+n.Message) }
	listening, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer listening.Close(context.Background())
	exec(t, listening, sql)
	if want := "WARNING: pg_partman's background worker does not work on this database"; !strings.Contains(strings.Join(notices, "\n"), want) {
		t.Errorf("notices %q, want %q", notices, want)
	}
}

// partitions returns the partitions of a table and how many events each has.
func partitions(t *testing.T, conn *pgx.Conn, table string) []string {
	t.Helper()
	const list = `select c.relname || ' ' || (xpath('/row/n/text()', query_to_xml(
			format('select count(*) as n from %%s', c.oid::regclass), false, true, '')))[1]
		from pg_inherits i join pg_class c on c.oid = i.inhrelid
		where i.inhparent = '"%s"'::regclass order by c.relname collate "C"`
	return query(t, conn, fmt.Sprintf(list, table))
}

// needExtension skips the test where the server does not have the extension, which .ci/test installs where it may.
func needExtension(t *testing.T, conn *pgx.Conn, name string) {
	t.Helper()
	if len(query(t, conn, `select name::text from pg_available_extensions where name = '`+name+`'`)) == 0 {
		t.Skipf("the server does not have the extension %s; on Debian, install the package postgresql-15-%s of its version",
			name, strings.TrimPrefix(name, "pg_"))
	}
}

// A schema can be renamed: an event is then still stored once, and the others go on.
func TestGenerate_schemaCanBeRenamed(t *testing.T) {
	t.Parallel()
	for _, o := range []design.Options{
		{Schema: "shop", Partition: "range", AppendOnly: true, EventsTable: "added", Domain: indexed(domain("Placed"), ""), Strict: true},
		{Schema: "shop", Partition: "hash", AppendOnly: true},
		{Schema: "shop", Domain: indexed(domain("Placed"), "")},
	} {
		conn := connect(t)
		exec(t, conn, string(generate(t, o)))
		storeTwo(t, conn, o, 0)
		exec(t, conn, `alter schema shop rename to "It's"`)
		o.Schema = "It's"
		storeTwo(t, conn, o, 2)
		if got := events(t, conn, o); len(got) != 4 {
			t.Errorf("%d events, want 4", len(got))
		}
		_, err := conn.Exec(t.Context(), fmt.Sprintf(`insert into %[1]s (created_at, event_id, aggregate_version, event_version, aggregate_type,
			aggregate_id, event_type, payload) select created_at, event_id, aggregate_version + 100, event_version, aggregate_type, aggregate_id,
			event_type, payload from %[1]s limit 1`, eventsOf(o)))
		var refused *pgconn.PgError
		if o.Partition != "hash" && (!errors.As(err, &refused) || refused.Code != "23505") {
			t.Errorf("an event that is stored already: %v", err)
		}
	}
}
