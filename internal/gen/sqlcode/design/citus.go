package design

import (
	"errors"
	"fmt"
	"slices"

	"github.com/eventmap/eventmap/internal/pgname"
)

// citus returns an error for what Citus cannot distribute. What it refuses was tried on Citus 13.2.
func (o Options) citus(l Logs) error {
	if !o.Citus {
		return nil
	}
	var problems []error
	if !l.Many() {
		problems = append(problems, errors.New("citus: one log is on one server; say --logs tenant or hash"))
	}
	for _, option := range []struct {
		name   string
		given  bool
		reason string
	}{
		{"tenant-rls", l.RLS, "a setting of the session does not reach the nodes where the rows are"},
		{"append-only", o.AppendOnly, "distributed tables have no triggers; --grant gives roles no right to change events"},
		{"strict", o.Strict, "nodes check what they store by themselves, and a migration could not change what they know at once"},
	} {
		if option.given {
			problems = append(problems, fmt.Errorf("citus: not with --%s: %s", option.name, option.reason))
		}
	}
	return errors.Join(problems...)
}

// Distributed returns the tables that are distributed by their logs, the table of logs first. Those of consumers are not: a handler, what
// it writes, and its checkpoint are one transaction of the coordinator.
func (t Tables) Distributed() []pgname.Table {
	return slices.DeleteFunc(t.InLog(), func(table pgname.Table) bool { return table == t.Checkpoints || table == t.Parked })
}

// OnCoordinator returns the tables that stay on the coordinator and that transactions change along with the log. Citus is told of them: so it
// commits in two phases what changes one of them and a node, and in one what it knows nothing of.
func (t Tables) OnCoordinator() []pgname.Table {
	tables := []pgname.Table{t.Checkpoints}
	if t.HasSubjectKeys() {
		tables = append(tables, t.SubjectKeys)
	}
	return tables
}

// AppendFunction returns the function by which the node of a log appends to it.
func (d Design) AppendFunction() Function {
	return Function{d.Events.AppendFunction(), "text, text[], text[], bigint[], bigint[], bigint[], text[], text[], integer[], bytea[], text[], text[], text[], text[], timestamptz[]"}
}

// StoredPayload returns the expression that turns bytes into what the payload column takes.
func (d Design) StoredPayload(bytes string) string {
	if d.KeepsBytes() {
		return bytes
	}
	return fmt.Sprintf("nullif(convert_from(%s, 'UTF8'), '')::%s", bytes, d.Payload)
}

// A Distribution is the script of tables that are distributed, or are no more.
type Distribution struct {
	Script
	Tables  []pgname.Table
	Known   []pgname.Table // that stay on the coordinator
	Appends bool           // the function comes, or goes
}

// AllDistributed returns the script that distributes all there is.
func (s Script) AllDistributed() Distribution {
	return Distribution{s, s.Distributed(), s.OnCoordinator(), true}
}
