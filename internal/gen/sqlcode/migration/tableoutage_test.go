package migration_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgtest"
)

// A server that dies in the middle of the copy, or only the client, leaves whole batches. The same migration goes on behind
// them: nothing is there twice, and nothing is lost.
func TestNext_moveOfATableOutlivesServerAndClient(t *testing.T) {
	t.Parallel()
	for _, killed := range []string{"server", "client"} {
		t.Run(killed, func(t *testing.T) {
			t.Parallel()
			server := pgtest.NewServer(t)
			address := server.NewDatabase(t)
			connectTo := func() *pgx.Conn {
				conn, err := pgx.Connect(t.Context(), address)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = conn.Close(context.Background()) })
				return conn
			}
			conn := connectTo()
			exec(t, conn, `create table many (id bigint primary key, stream text, version bigint, kind text, body jsonb, at timestamptz, unique (stream, version));
				insert into many select n + 1, 'S' || n % 100, n / 100 + 1, 'counted', jsonb_build_object('n', n), '2024-01-01'::timestamptz + n * interval '1 s'
				from generate_series(0, 49999) as n`)
			h := history{folder: migration.Folder{}, from: fromHand("many", "position=id", "stream=stream", "version=version", "type=kind", "payload=body", "time=at")}
			h.next(t, design.Options{})
			names := h.ups
			for _, name := range names[:2] {
				exec(t, conn, string(h.folder[name]))
			}

			// A row that another session has not committed yet holds the third batch up where it is to be killed.
			other := connectTo()
			exec(t, other, `begin; insert into events (global_position, created_at, event_id, aggregate_version, event_version, aggregate_type, aggregate_id, event_type, payload)
				overriding system value values (45000, now(), gen_random_uuid(), 1, 1, 'Held', '1', 'held', '{}')`)
			watch := connectTo() // within a transaction, pg_stat_activity stays as it was at the first look
			pid := query(t, conn, `select pg_backend_pid()::text`)[0]
			ended := make(chan error, 1)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				_, err := conn.Exec(ctx, string(h.folder[names[2]]))
				ended <- err
			}()
			for query(t, watch, `select count(*)::text from pg_stat_activity where pid = `+pid+` and wait_event_type = 'Lock'`)[0] == "0" {
				select {
				case err := <-ended:
					t.Fatalf("the copy ended: %v", err)
				case <-time.After(10 * time.Millisecond):
				}
			}
			if killed == "server" {
				if err := errors.Join(server.StopImmediate(), server.Start()); err != nil {
					t.Fatal(err)
				}
			} else {
				cancel() // closes the connection, as the end of the process does
			}
			if err := <-ended; err == nil {
				t.Fatal("the copy ran through")
			}
			if killed == "client" {
				for query(t, watch, `select count(*)::text from pg_stat_activity where pid = `+pid)[0] != "0" {
					time.Sleep(10 * time.Millisecond)
				}
				exec(t, other, `rollback`)
			}

			conn = connectTo()
			if killed == "server" {
				if got := query(t, conn, `select count(*)::text from events`)[0]; got != "40000" {
					t.Errorf("%s events after two batches, want 40000", got)
				}
			}
			for _, name := range names[2:] {
				exec(t, conn, string(h.folder[name]))
			}
			want := query(t, conn, `select count(*) || ' ' || md5(string_agg(concat(id, ' ', stream, ' ', version, ' ', body), ',' order by id)) from many`)
			got := query(t, conn, `select count(*) || ' ' || md5(string_agg(concat(global_position, ' ', aggregate_id, ' ', aggregate_version, ' ', convert_from(payload, 'UTF8')), ',' order by global_position)) from events`)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-former +log):\n%s", diff)
			}
		})
	}
}
