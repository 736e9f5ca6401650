package logcheck_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/logcheck"
	"github.com/eventmap/eventmap/internal/pgname"
)

// fillLogs stores the same two streams of five events each in three logs, whose names are not easy.
const fillLogs = `insert into event_logs (log, position) select l, 10 from unnest(array['a', E'b\\\n''x', 'é']) as l;
	insert into events (log, global_position, created_at, event_id, aggregate_version, event_version, aggregate_type, aggregate_id, event_type, payload)
	select log, n * 2 - 1 + id::int, '2026-01-01'::timestamptz + n * interval '1 s', gen_random_uuid(), n, 1, 'Order', id, 'Placed', ''
	from event_logs cross join generate_series(1, 5) as n cross join (values ('0'), ('1')) as stream (id);
	insert into aggregate_heads (log, aggregate_version, aggregate_type, aggregate_id)
	select log, max(aggregate_version), aggregate_type, aggregate_id from events group by 1, 3, 4`

func TestRead_manyLogs(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		breaks      string
		want, stays []string // what is left when the statements were run
	}{
		"as they should be": {},
		"a hole": {`delete from events where log like 'b%' and aggregate_id = '1' and aggregate_version = 3`,
			[]string{`log "b\\\n'x", stream Order "1" lacks version 3`, `log "b\\\n'x", position 6 is missing: readers and consumers of the log stop before it`}, nil},
		"the beginning is gone": {`delete from events where log = 'a' and global_position < 3; delete from events where log = 'a' and false`,
			[]string{`log "a", stream Order "0" begins at version 2`, `log "a", stream Order "1" begins at version 2`,
				`log "a", position 1 to 2 is missing: readers and consumers of the log stop before it`}, nil},
		"heads": {`update aggregate_heads set aggregate_version = 2 where log = 'a' and aggregate_id = '0'; delete from aggregate_heads where log like 'b%' and aggregate_id = '1'`,
			[]string{`log "a", stream Order "0" has its head at version 2, and its last event is version 5`,
				`log "b\\\n'x", stream Order "1" has no head, and its last event is version 5`}, []string{}},
		"a log that was not counted": {`delete from event_logs where log = 'é'; update aggregate_heads set aggregate_version = 9 where log = 'é' and aggregate_id = '0'`,
			[]string{`log "é", stream Order "0" has its head at version 9, and its last event is version 5`}, nil},
		"a log that is being dropped": {`update event_logs set dropped_at = now(), position = 0 where log = 'a'; delete from events where log = 'a' and global_position < 4`, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := migrated(t, design.Options{Logs: "tenant"})
			run(t, conn, fillLogs)
			if tt.breaks != "" {
				run(t, conn, tt.breaks)
			}
			findings := readLogs(t, conn)
			if diff := cmp.Diff(tt.want, lines(findings)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if tt.stays == nil {
				return
			}
			for _, f := range findings {
				for _, statement := range f.Statements {
					run(t, conn, statement)
				}
			}
			if left := readLogs(t, conn); len(left) > 0 {
				t.Errorf("after mending: %q", lines(left))
			}
		})
	}
}

func readLogs(t *testing.T, conn *pgx.Conn) []logcheck.Finding {
	t.Helper()
	log := logcheck.Log{
		Events: pgname.Table{Name: "events"}, Heads: pgname.Table{Name: "aggregate_heads"}, Logs: pgname.Table{Name: "event_logs"}, UniqueIDs: true,
	}
	var read int64
	findings, err := logcheck.Read(t.Context(), conn, log, func(_ string, n, _ int64, done bool) {
		if done {
			read += n
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if read < 40 {
		t.Errorf("%d events were read in two steps, want those of all logs", read)
	}
	return findings
}
