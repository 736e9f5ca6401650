package migration

import (
	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgname"
)

// A nameChange is the script that gives tables other names.
type nameChange struct {
	design.Script
	NewSchemas []string
	Renames    []rename
}

// A rename is a table that gets another name or another schema, with what is named after it.
type rename struct {
	From, To                        pgname.Table
	Sequences, Constraints, Indexes []pair
	Functions                       []functionPair
}

type pair struct{ Old, New string }

// A functionPair is a function that gets another name.
type functionPair struct {
	design.Function
	New string
}

// Moved returns the function where it goes to, by its former name.
func (p functionPair) Moved(to pgname.Table) design.Function {
	return design.Function{Table: to.Sibling(p.Name), Args: p.Args}
}

// Moves reports whether the table goes to another schema.
func (r rename) Moves() bool { return r.From.Schema != r.To.Schema }

// Moved returns the table where it goes to, by its former name.
func (r rename) Moved() pgname.Table { return r.To.Sibling(r.From.Name) }

// derived returns the former and the new names of what is named after a table.
func (r rename) derived(suffixes ...string) []pair {
	if r.From.Name == r.To.Name {
		return nil
	}
	var pairs []pair
	for _, suffix := range suffixes {
		pairs = append(pairs, pair{r.From.Derived(suffix).Name, r.To.Derived(suffix).Name})
	}
	return pairs
}

// names returns the script that gives the tables their names, and the functions too if they are kept.
func (c change) names() any {
	if c.from.Tables == c.to.Tables {
		return nil
	}
	script := nameChange{Script: c.after, NewSchemas: missing(c.to.Schemas(), c.from.Schemas())}
	heads := rename{From: c.from.Heads, To: c.to.Heads}
	heads.Constraints = heads.derived("pkey", "aggregate_version_check")
	snapshots := rename{From: c.from.Snapshots, To: c.to.Snapshots}
	snapshots.Constraints = snapshots.derived("pkey", "aggregate_version_check")
	keys := rename{From: c.from.SubjectKeys, To: c.to.SubjectKeys}
	keys.Constraints = keys.derived("pkey", "subject_generation_key", "generation_check", "wrapped_check", "wrapped_by_check")
	checkpoints := rename{From: c.from.Checkpoints, To: c.to.Checkpoints}
	checkpoints.Constraints = checkpoints.derived(c.checkpointConstraints()...)
	logs := rename{From: c.from.EventLogs, To: c.to.EventLogs}
	logs.Constraints = logs.derived("pkey", "position_check", "dropped_check")
	parked := rename{From: c.from.Parked, To: c.to.Parked}
	parked.Constraints, parked.Indexes = parked.derived("pkey", "attempts_check"), parked.derived("aggregate_id_idx")
	for _, r := range []rename{c.renameOfLog(), heads, snapshots, keys, checkpoints, parked, logs} {
		if r.From != r.To && r.From != (pgname.Table{}) && r.To != (pgname.Table{}) { // tables of snapshots and of keys may come or go

			script.Renames = append(script.Renames, r)
		}
	}
	return when(len(script.Renames) > 0, script)
}

func (c change) checkpointConstraints() []string {
	if c.from.HasLogs() {
		return []string{"pkey", "position_check"}
	}
	return []string{"pkey", "segment_check", "position_check"}
}

func (c change) renameOfLog() rename {
	r := rename{From: c.from.Events, To: c.to.Events}
	if !c.from.HasLogs() {
		r.Sequences = r.derived("global_position_seq")
	}
	r.Constraints = r.derived("pkey", "stream_version_key", "event_id_key", "aggregate_version_check", "event_version_check")
	if c.from.Strict && c.to.Strict {
		r.Constraints = append(r.Constraints, r.derived("known_check")...)
	}
	if r.From.Name != r.To.Name {
		for _, request := range c.from.KeptIndexes(c.to) {
			r.Indexes = append(r.Indexes, pair{c.from.Index(request).Name, c.to.Index(request).Name})
		}
	}
	if c.keepsFunctions() {
		kept := c.to.PayloadFunctions()
		for i, f := range c.from.PayloadFunctions() {
			r.Functions = append(r.Functions, functionPair{f, kept[i].Name})
		}
	}
	if c.from.Strict && c.to.Strict && !c.from.KnownInline {
		r.Functions = append(r.Functions, functionPair{c.from.KnownFunction(), c.to.KnownFunction().Name})
	}
	return r
}
