package postgres

import (
	"fmt"
	"strings"
)

// engine looks for what speaks PostgreSQL's protocol and does not keep what one log rests on: advisory locks and pg_locks of
// one server, and one sequence. It asks for more only where the catalogs of Citus are.
func (k *checker) engine() error {
	var version, policy string
	var distributes, grouped, many bool
	err := k.each("engine.sql", []any{k.tables.events.Quoted()}, []any{&version, &k.client, &k.dates, &k.bytes, &distributes, &grouped, &policy, &many}, func() {})
	if err != nil {
		return err
	}
	if many && !k.tables.areMany() {
		k.problem("table "+k.tables.events.String(), "is of many logs, and the store of one", "give the store postgres.ManyLogs or postgres.HashedLogs")
	}
	const one = "use PostgreSQL"
	switch {
	case k.tables.areMany(): // needs nothing but locks of rows
		return k.citus(distributes)
	case strings.Contains(version, "-YB-"):
		k.problem("server", "is YugabyteDB, whose pg_locks does not show every lock: events would be lost to readers of the log", one)
	case strings.Contains(version, "CockroachDB"):
		k.problem("server", "is CockroachDB, which has no advisory locks: events would be lost to readers of the log", one)
	}
	if policy == "round-robin" {
		k.problem("citus.task_assignment_policy", "is round-robin, so that a read may reach a node that does not know the locks of appends in flight",
			"set it to greedy")
	}
	if grouped {
		var group int64
		if err := k.each("worker.sql", nil, []any{&group}, func() {}); err != nil {
			return err
		}
		if group != 0 {
			k.problem("server", fmt.Sprintf("is a worker of Citus, group %d, whose positions begin at %d: no reader on the coordinator sees them", group, group<<48),
				"connect to the coordinator")
		}
	}
	if !distributes {
		return nil
	}
	var table string
	t := k.tables
	return k.each("distributed.sql", []any{t.events.Quoted(), t.heads.Quoted()}, []any{&table}, func() {
		k.strewn = true
		k.problem("table "+table, "is distributed by Citus: events whose commit is recovered later would be lost to readers of the log",
			"keep the log on one node: select undistribute_table('"+table+"')")
	})
}
