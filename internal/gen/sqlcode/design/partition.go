package design

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/eventmap/eventmap/internal/pgname"
)

// What partitions are like where nothing else is said.
const (
	DefaultPartitionSize = 10_000_000
	DefaultPartitions    = 8
	DefaultPartmanSchema = "partman"
)

// maxPartitions keeps the SQL, and what an append costs, within reason.
const maxPartitions = 1000

// A Partition is how the events table is partitioned.
type Partition struct {
	Layout        string
	Size          int64  // positions in a partition; 0 by hash
	Count         int    // by hash all there are, else those ahead of the log
	PartmanSchema string // empty without pg_partman
	Maintenance   string // of pg_partman; empty without it
}

// partition checks the options. The error holds all problems.
func (o Options) partition(dialect *Dialect) (Partition, error) {
	layout, err := dialect.layouts.find(o.Partition)
	if err != nil || layout == "" { // the dialect has no partitions
		return Partition{}, err
	}
	p := Partition{Layout: layout}
	var problems []error
	note := func(problem error) { problems = append(problems, problem) }
	switch {
	case o.PartitionSize != 0 && layout != "range" && layout != "partman":
		note(fmt.Errorf("partition size: partition layout %s has none", layout))
	case o.PartitionSize < 0:
		note(fmt.Errorf("partition size %d: is not positive", o.PartitionSize))
	case layout == "range" || layout == "partman":
		p.Size = cmp.Or(o.PartitionSize, DefaultPartitionSize)
	}
	switch {
	case o.Partitions != 0 && layout == none:
		note(fmt.Errorf("partitions: partition layout %s has none", layout))
	case o.Partitions < 0 || o.Partitions > maxPartitions:
		note(fmt.Errorf("partitions %d: are not from 1 to %d", o.Partitions, maxPartitions))
	case layout != none:
		p.Count = cmp.Or(o.Partitions, DefaultPartitions)
	}
	if len(problems) == 0 && p.Size > math.MaxInt64/int64(max(p.Count, 1)) {
		note(fmt.Errorf("partition size %d: %d partitions of it are more than there are positions", p.Size, p.Count))
	}
	if layout != "partman" {
		if o.PartmanSchema != "" {
			note(fmt.Errorf("partman schema: partition layout %s does not use pg_partman", layout))
		}
		if o.PartmanMaintenance != "" && o.PartmanMaintenance != none {
			note(fmt.Errorf("partman maintenance: partition layout %s does not use pg_partman", layout))
		}
		return p, errors.Join(problems...)
	}
	p.PartmanSchema = cmp.Or(o.PartmanSchema, DefaultPartmanSchema)
	if err := pgname.CheckSchema(p.PartmanSchema); err != nil {
		note(fmt.Errorf("partman %w", err))
	}
	if p.Maintenance, err = maintenances.find(o.PartmanMaintenance); err != nil {
		note(err)
	}
	return p, errors.Join(problems...)
}

// Partitioned reports whether the events table is.
func (d Design) Partitioned() bool { return d.ByPosition() || d.Partition.Layout == "hash" }

// ByPosition reports whether each partition holds a range of positions.
func (d Design) ByPosition() bool {
	return d.Partition.Layout == "range" || d.Partition.Layout == "partman"
}

// PartitionKey returns what follows "partition by".
func (d Design) PartitionKey() string {
	if d.ByPosition() {
		return "range (global_position)"
	}
	return "hash (aggregate_type, aggregate_id)"
}

// A RangePartition holds the positions of a range.
type RangePartition struct {
	Name     pgname.Table
	From, To int64 // To is the first of the next
}

// RangePartitions returns the partitions of the layout range, in order, without the default one. They are named after
// their first position, as pg_partman does.
func (d Design) RangePartitions() []RangePartition {
	var all []RangePartition
	for i := range int64(d.Partition.Count) {
		from := i * d.Partition.Size
		all = append(all, RangePartition{d.Events.Derived("p" + strconv.FormatInt(from, 10)), from, from + d.Partition.Size})
	}
	return all
}

// DefaultPartition returns the partition of the layout range for positions that no other is there for.
func (d Design) DefaultPartition() pgname.Table { return d.Events.Derived("default") }

// HashPartitions returns the partitions of the layout hash by their remainders.
func (d Design) HashPartitions() []pgname.Table {
	var all []pgname.Table
	for i := range d.Partition.Count {
		all = append(all, d.Events.Derived("p"+strconv.Itoa(i)))
	}
	return all
}

// PartmanTemplate returns the table that pg_partman makes partitions like.
func (d Design) PartmanTemplate() pgname.Table { return d.Events.Derived("template") }

// EventIDOnceFunction returns the function, and the name of the trigger, that looks for event IDs in other partitions.
func (d Design) EventIDOnceFunction() pgname.Table { return d.Events.Derived("event_id_once") }

// AddedEvents returns the name by which that trigger knows the rows of a statement. It is not that of the log, which the
// function finds without its schema.
func (d Design) AddedEvents() string { return d.Events.Derived("added").Name }

// AppendOnlyRowTrigger returns the name of the trigger that each partition gets.
func (d Design) AppendOnlyRowTrigger() string { return d.Events.Derived("append_only_row").Name }

// partitionRelations returns what the layout creates in the namespace of tables under a name of our choice.
func (d Design) partitionRelations() []Relation {
	var all []Relation
	add := func(name pgname.Table, what string) { all = append(all, Relation{name, what}) }
	switch d.Partition.Layout {
	case "range":
		for _, p := range d.RangePartitions() {
			add(p.Name, "a partition of the events table")
		}
		add(d.DefaultPartition(), "the default partition of the events table")
	case "hash":
		add(d.Events.Derived("global_position_idx"), "the index on the position")
		for _, p := range d.HashPartitions() {
			add(p, "a partition of the events table")
			add(p.Sibling(p.StreamVersionKey()), "the primary key of a partition")
			add(p.Sibling(p.EventIDKey()), "the unique index on the event ID of a partition")
		}
	case "partman":
		add(d.PartmanTemplate(), "the template of partitions")
	}
	return all
}
