package postgres_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime/postgres"
)

// The order inside the append statement is what the frontier rests on: the head's row lock, then the sequence's value,
// then the advisory lock, then nextval. It follows from the shape of the plan, so the shape is pinned, and from there
// PostgreSQL's rules for RETURNING lists and expressions.
func TestFence_orderOfTheStatement(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	for name, text := range postgres.AppendStatements(newStore(t)) {
		for _, plans := range []string{"force_generic_plan", "force_custom_plan"} {
			t.Run(name+" "+plans, func(t *testing.T) {
				plan := explain(t, pool, plans, text)
				on := strings.HasSuffix(name, " on")
				admitted := `\(\((head\.fence|fence\.held) IS NOT NULL\) AND \((head|fence)\.sound = .*\)\)`
				if on {
					admitted = `\(head\.fence IS NOT NULL\)`
				}
				// The positions are drawn above the scan of what has to come before, or by it, row by row, when the row is
				// there and has passed the filter.
				if strings.Contains(name, "one") {
					order(t, plan, `Insert on public\.events`, `->  CTE Scan on head\n +Output: nextval\('events_global_position_seq'.*\n +Filter: `+admitted)
				} else {
					order(t, plan, `Insert on public\.events`, `->  Subquery Scan on "\*SELECT\*(_1)?"\n +Output: .*nextval\('events_global_position_seq'`,
						`->  CTE Scan on (head|fence)\n.*\n +Filter: `+admitted)
				}
				if strings.Contains(text, "fence as") {
					order(t, plan, `CTE fence`, `pg_advisory_xact_lock_shared\(.*pg_sequence_last_value`, `CTE Scan on (verdict|before)`)
					order(t, plan, `CTE before`, `CTE Scan on head`)
				} else {
					// RETURNING is computed for a row that is locked and changed; an argument before its function.
					order(t, plan, `CTE head`, `(Insert|Update) on public\.aggregate_heads h`,
						`Output: .*pg_advisory_xact_lock_shared\(.*pg_sequence_last_value`)
				}
				if on {
					looksAtNothing(t, plan)
				} else {
					looksAtTheEndOnly(t, plan)
				}
				if n := strings.Count(plan, "nextval("); n != 1 {
					t.Errorf("nextval is in the plan %d times, want once:\n%s", n, plan)
				}
				if strings.Contains(plan, "Parallel") || strings.Contains(plan, "Workers") {
					t.Errorf("the plan is parallel:\n%s", plan)
				}
			})
		}
	}
}

// looksAtTheEndOnly fails t unless what lies beyond the sequence is looked for behind it in an index, however few the rows
// are that the planner expects: a look that passed all positions would cost more with each event.
func looksAtTheEndOnly(t *testing.T, plan string) {
	t.Helper()
	order(t, plan, `Index Only Scan Backward using events_pkey on public\.events b\n`, `Index Cond: \((\(b\.global_position IS NOT NULL\) AND \()?b\.global_position > `)
	if strings.Contains(plan, "Seq Scan on public.events ") {
		t.Errorf("the plan reads the whole log:\n%s", plan)
	}
}

// looksAtNothing fails t unless the statement compares the sequence with a number before it writes the head, and reads no event.
func looksAtNothing(t *testing.T, plan string) {
	t.Helper()
	order(t, plan, `CTE head`, `(Insert|Update) on public\.aggregate_heads h`)
	if strings.Contains(plan, "events_pkey") || strings.Contains(plan, "on public.events b") {
		t.Errorf("the plan reads the log:\n%s", plan)
	}
}

// The frontier reads the sequence before it reads the locks.
func TestFrontier_orderOfTheStatement(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	plan := explain(t, pool, "force_generic_plan", postgres.FrontierStatement(newStore(t)))
	// The outer side of a nested loop is read first; the inner one needs its value.
	looksAtTheEndOnly(t, plan)
	order(t, plan, `Nested Loop`, `-> +Seq Scan on public\.events_global_position_seq\n +Output: COALESCE\(pg_sequence_last_value\(.*\), \(.*last_value - 1\)\)\n`,
		`->  Aggregate`, `One-Time Filter: .*last_value.* IS NOT NULL`, `pg_lock_status`)
}

// explain returns the plan of a statement whose parameters have their declared types.
func explain(t *testing.T, pool *pgxpool.Pool, plans, text string) string {
	t.Helper()
	var plan strings.Builder
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	parameters := 0
	for regexp.MustCompile(fmt.Sprintf(`\$%d\b`, parameters+1)).MatchString(text) {
		parameters++
	}
	null := strings.TrimSuffix(strings.Repeat("null, ", parameters), ", ")
	if parameters > 0 {
		null = "(" + null + ")"
	}
	execute(t, conn, "set plan_cache_mode = "+plans)
	execute(t, conn, "prepare pinned as "+text)
	rows, err := conn.Query(t.Context(), "explain (verbose, costs off) execute pinned"+null, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	execute(t, conn, "deallocate pinned")
	execute(t, conn, "reset plan_cache_mode")
	for _, line := range lines {
		plan.WriteString(line + "\n")
	}
	return plan.String()
}

// order fails t unless the patterns occur in the text in their order, each after the one before.
func order(t *testing.T, text string, patterns ...string) {
	t.Helper()
	rest := text
	for _, p := range patterns {
		at := regexp.MustCompile(p).FindStringIndex(rest)
		if at == nil {
			t.Errorf("%s does not follow in the plan:\n%s", p, text)
			return
		}
		rest = rest[at[1]:]
	}
}
