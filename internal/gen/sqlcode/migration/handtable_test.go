package migration_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
)

// handWritten is a table as teams write it, with a stream that goes back in time, gaps between positions, and names that are
// not easy.
const handWritten = `
create table old (
	id serial primary key, account text not null, kind text not null default 'Account', seq int not null, "what happened" varchar(80) not null,
	body text not null, extra jsonb, at timestamp not null, key uuid not null default gen_random_uuid(), trace text,
	unique (account, seq)
);
insert into old (account, seq, "what happened", body, extra, at, trace) values
	('7', 1, 'account opened', '{"owner": "Ada", "n":1.50}', '{"by": "x"}', '2024-02-29 23:59:59.5', 't-1'),
	('é', 1, 'account opened', '{"owner": "Größe \u00e9"}', null, '2024-02-29 23:59:58', null),
	('7', 2, 'deposited', '{"cents":9007199254740993}', null, '2024-02-28 00:00:00', null);
select nextval('old_id_seq');
insert into old (account, seq, "what happened", body, at) values
	('e' || chr(769), 1, 'account opened', '{}', '2024-03-01'), ('7', 3, 'deposited', '{"cents":1}', '2024-03-01 00:00:00');
`

var handColumns = []string{"position=id", "stream=account", "version=seq", "type=what happened", "payload=body", "metadata=extra", "time=at", "trace-id=trace"}

func fromHand(table string, columns ...string) migration.Options {
	return migration.Options{From: "table", FromEventsTable: table, FromColumns: columns, FromAggregate: "Account", FromFirstVersion: 1}
}

// handTable makes the hand-written table in a database of its own, changed.
func handTable(t *testing.T, changes string) *pgx.Conn {
	t.Helper()
	conn := connect(t)
	exec(t, conn, handWritten)
	if changes != "" {
		exec(t, conn, changes)
	}
	return conn
}

// handEvents are the events of the hand-written table in a log with that type of payload.
func handEvents(payload string) []string {
	lines := []string{
		`1 | Account | 7 | 1 | account opened | 1 | {"owner": "Ada", "n":1.50} | {"by": "x"} | 2024-02-29 23:59:59.5 | t-1`,
		`2 | Account | é | 1 | account opened | 1 | {"owner": "Größe \u00e9"} | none | 2024-02-29 23:59:58 | null`,
		`3 | Account | 7 | 2 | deposited | 1 | {"cents":9007199254740993} | none | 2024-02-28 00:00:00 | null`,
		"5 | Account | e\u0301 | 1 | account opened | 1 | {} | none | 2024-03-01 00:00:00 | null",
		`6 | Account | 7 | 3 | deposited | 1 | {"cents":1} | none | 2024-03-01 00:00:00 | null`,
	}
	if payload == "jsonb" {
		lines[0] = strings.Replace(lines[0], `{"owner": "Ada", "n":1.50}`, `{"n": 1.50, "owner": "Ada"}`, 1)
		lines[1] = strings.Replace(lines[1], `\u00e9`, "é", 1)
		lines[2], lines[4] = strings.Replace(lines[2], ":9", ": 9", 1), strings.Replace(lines[4], ":1}", ": 1}", 1)
	}
	return lines
}
