package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
)

// movedInto is the schema of the log that a hand-written table is moved into.
const movedInto = "moved"

// fillTable makes a hand-written table of n events, in streams of a hundred that take turns.
func fillTable(n int) func(ctx context.Context, pool *pgxpool.Pool) error {
	return func(ctx context.Context, pool *pgxpool.Pool) error {
		for _, statement := range []string{
			`create table account_events (
				id bigserial primary key, account text not null, seq bigint not null, kind text not null,
				body jsonb not null, at timestamptz not null, unique (account, seq)
			)`,
			fmt.Sprintf(`insert into account_events (account, seq, kind, body, at)
				select 'account-' || i %% %[2]d, i / %[2]d + 1, 'Event' || i %% 20,
					jsonb_build_object('customer', 'Ada Lovelace', 'cents', i, 'reference', md5(i::text)), timestamptz '2024-01-01' + i * interval '1 second'
				from generate_series(0, %[1]d - 1) as i`, n, max(n/100, 1)),
			`vacuum (analyze) account_events`,
			`checkpoint`,
		} {
			if _, err := pool.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	}
}

// moves returns the migrations of the move, in order.
func moves() ([]string, error) {
	writer, err := migration.NewWriter(migration.Options{
		From: "table", FromEventsTable: "account_events", FromAggregate: "Account", FromFirstVersion: 1,
		FromColumns: []string{"position=id", "stream=account", "version=seq", "type=kind", "payload=body", "time=at"},
	})
	if err != nil {
		return nil, err
	}
	to, err := design.Options{Schema: movedInto}.Design()
	if err != nil {
		return nil, err
	}
	files, err := writer.Next(to, nil)
	if err != nil {
		return nil, err
	}
	var names []string
	content := make(map[string]string)
	for _, f := range files {
		if strings.HasSuffix(f.Path, ".sql") {
			names = append(names, f.Path)
			content[f.Path] = string(f.Content)
		}
	}
	slices.Sort(names)
	var all []string
	for _, name := range names {
		all = append(all, content[name])
	}
	return all, nil
}

// copied is the least that the work needs: one statement that copies the table, in order, into an empty log.
const copied = `
	insert into moved.events (global_position, created_at, event_id, aggregate_version, event_version, aggregate_type, aggregate_id, event_type, payload)
	overriding system value
	select id, at, gen_random_uuid(), seq, 1, 'Account', account, kind, convert_to(body::text, 'UTF8')
	from account_events
	order by id`

// move compares the move of a hand-written table, with all that it checks and compares, with a bare copy of its rows.
func move(p plan) comparison {
	const limit = "insert ... select"
	timed := func(name string, prepare func(ctx context.Context, conn *pgx.Conn) error, statements func() ([]string, error)) side {
		return side{name, func(ctx context.Context, pool *pgxpool.Pool) (float64, string, error) {
			conn, err := pgx.ConnectConfig(ctx, pool.Config().ConnConfig) // its own: what its process holds is measured
			if err != nil {
				return 0, "", err
			}
			defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
			all, err := statements()
			if err != nil {
				return 0, "", err
			}
			if err := prepare(ctx, conn); err != nil {
				return 0, "", err
			}
			memory := watchProcess(conn.PgConn().PID())
			begin := time.Now()
			for _, statement := range all {
				if _, err := conn.Exec(ctx, statement); err != nil {
					return 0, "", err
				}
			}
			took, grown := time.Since(begin), memory()
			var n int
			if err := conn.QueryRow(ctx, "select count(*) from moved.events").Scan(&n); err != nil || n != p.move {
				return 0, "", fmt.Errorf("%d events of %d: %w", n, p.move, err)
			}
			_, err = conn.Exec(ctx, "drop schema moved cascade")
			return float64(n) / took.Seconds(), grown, err
		}}
	}
	return comparison{
		name:    fmt.Sprintf("move a table of %d events", p.move),
		unit:    "events/s",
		prepare: fillTable(p.move),
		sides: []side{
			timed(limit, func(ctx context.Context, conn *pgx.Conn) error {
				tables, err := migration.Schema(design.Options{Schema: movedInto})
				if err != nil {
					return err
				}
				_, err = conn.Exec(ctx, tables+"; checkpoint")
				return err
			}, func() ([]string, error) { return []string{copied}, nil }),
			timed("migrate-gen --from table", func(ctx context.Context, conn *pgx.Conn) error {
				_, err := conn.Exec(ctx, "checkpoint")
				return err
			}, moves),
		},
		goals: []goal{{against: limit, ratio: 0.5}},
	}
}

// watchProcess begins to watch the memory that a process of the server has to itself, where this machine runs the server and is Linux, and
// returns what ends it and says how much it has grown.
func watchProcess(pid uint32) func() string {
	start, grown := watch(5*time.Millisecond, func() int { return processMemory(pid) })
	return func() string {
		most := grown()
		if start == 0 {
			return ""
		}
		return fmt.Sprintf("server process +%.1f MiB", float64(most)/1024)
	}
}

// processMemory returns how many KiB a process has to itself; 0 where that is not known.
func processMemory(pid uint32) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "RssAnon:" {
			n, err := strconv.Atoi(fields[1])
			if err != nil {
				return 0
			}
			return n
		}
	}
	return 0
}
