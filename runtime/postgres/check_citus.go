package postgres

import (
	"fmt"

	"github.com/eventmap/eventmap/internal/pgname"
)

// citus checks that the tables of many logs are distributed if and only if the store has been told so. citus says whether the server is a
// node of a cluster.
func (k *checker) citus(citus bool) error {
	if !citus {
		if k.tables.citus {
			k.problem("server", "is no node of a Citus cluster", "create the extension citus and add the workers, or leave OnCitus out")
		}
		return nil
	}
	tables := []pgname.Table{k.tables.table, k.tables.events, k.tables.heads, k.tables.snapshots}
	if k.checkpoints != (pgname.Table{}) {
		tables = append(tables, k.checkpoints)
	}
	names := make([]string, len(tables))
	for i, table := range tables {
		names[i] = table.Quoted()
	}
	type distribution struct {
		method, column string
		colocation     int64
	}
	found := make(map[pgname.Table]distribution)
	var place int64
	var d distribution
	if err := k.each("citus_tables.sql", []any{names}, []any{&place, &d.method, &d.column, &d.colocation}, func() { found[tables[place-1]] = d }); err != nil {
		return err
	}
	logs, sound := found[k.tables.table], len(k.problems)
	for _, table := range tables {
		object := "table " + table.String()
		switch d, distributed := found[table]; {
		case !k.tables.citus && distributed:
			k.problem(object, "is distributed by Citus, and the store has not been told", "give it the layout by OnCitus(), as in postgres.ManyLogs.OnCitus()")
		case !k.tables.citus:
		case table == k.checkpoints:
			if d.method != "n" {
				k.problem(object, "is not one that Citus keeps on the coordinator: what a handler writes on nodes, and its checkpoint, are not committed as one", k.migrate())
			}
		case !distributed && table == k.tables.snapshots: // which there need not be
		case !distributed:
			k.problem(object, "is not distributed by Citus", k.migrate())
		case d.method != "h" || d.column != "log":
			k.problem(object, fmt.Sprintf("is distributed by %q, and not by log: an append would be spread over nodes", d.column), k.migrate())
		case d.colocation != logs.colocation:
			k.problem(object, fmt.Sprintf("is not colocated with table %s: the rows of a log may be on several nodes", k.tables.table),
				fmt.Sprintf("select update_distributed_table_colocation('%s', colocate_with => '%s')", table.Quoted(), k.tables.table.Quoted()))
		}
	}
	k.strewn = len(k.problems) > sound
	if !k.tables.citus || k.strewn {
		return nil
	}
	var delegated bool
	function := k.tables.events.AppendFunction()
	err := k.each("citus_function.sql", []any{function.Name, function.Schema, logs.colocation, k.tables.events.Quoted()}, []any{&delegated}, func() {})
	if err == nil && !delegated {
		k.problem("function "+function.String(), "is missing, or not delegated to the nodes of the logs", k.migrate())
	}
	return err
}
