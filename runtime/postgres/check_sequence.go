package postgres

import (
	"fmt"

	"github.com/eventmap/eventmap/internal/pgname"
)

func (k *checker) sequence(t pgname.Table, r *relation) error {
	if k.tables.areMany() { // a log counts by itself
		k.readable = r.selects
		return nil
	}
	var cache, increment, least int64
	var cycle, selects, owned bool
	object := "sequence " + t.Sequence().String()
	found := false
	err := k.each("sequence.sql", []any{t.Sequence().Quoted(), t.Quoted()}, []any{&cache, &increment, &least, &cycle, &selects, &owned, &k.last}, func() {
		found = true
		k.readable = selects && r.selects
		alter := "alter sequence " + t.Sequence().Quoted()
		if cache != 1 {
			k.mend(object, fmt.Sprintf("has cache %d: sessions keep positions back and events are lost to readers", cache), alter+" cache 1")
		}
		if increment < 1 {
			k.mend(object, fmt.Sprintf("has increment %d: positions must rise", increment), alter+" increment 1")
		}
		if cycle {
			k.mend(object, "starts again after its end", alter+" no cycle")
		}
		if least < 1 && increment > 0 {
			k.problem(object, fmt.Sprintf("begins at %d, but the log is read from position 1", least), "restart it at 1 or later and give it minvalue 1")
		}
		if k.last > maxFencePosition-1<<32 {
			k.problem(object, fmt.Sprintf("has reached %d; from %d on readers wait whenever an append is in flight", k.last, int64(maxFencePosition)), "begin a new log before that")
		}
		if !selects {
			k.problem(object, "may not be read by this role", "grant select on sequence "+t.Sequence().Quoted()+" to it")
		}
		if !owned {
			k.problem(object, "is not what global_position of "+t.String()+" draws from", k.migrate())
		}
	})
	if err == nil && !found {
		k.problem(object, "is missing", k.migrate())
	}
	return err
}

// maxFencePosition is the highest position that fits into the key of a fence beside its namespace: lock in sql/parts.sql.
const maxFencePosition = 1<<48 - 1

// behind checks that the next position is higher than all in the log, and than those that are archived. It is not after a
// restore without the sequence, nor on what was a logical replica, since sequences are not replicated.
func (k *checker) behind(t pgname.Table) error {
	if !k.readable || k.tables.areMany() {
		return nil
	}
	number := func(text string) (n int64, err error) {
		err = k.query(query{sql: text}, []any{&n}, func() {})
		return n, err
	}
	highest, err := number("select coalesce(max(global_position), 0) from " + t.Quoted())
	if err != nil || max(highest, k.floor) <= k.last {
		return err
	}
	// The log may have grown since the sequence was looked at.
	k.last, err = number("select coalesce(pg_sequence_last_value('" + t.Sequence().Quoted() + "'), (select last_value - 1 from " + t.Sequence().Quoted() + "))")
	object := "sequence " + t.Sequence().String()
	switch {
	case err != nil:
		return err
	case k.last < highest:
		k.mend(object, fmt.Sprintf("is at %d, behind the log, which is at %d: appends fail and readers stop", k.last, highest), k.tables.advance())
	case k.last < k.floor:
		k.mend(object, fmt.Sprintf("is at %d, but the first partition begins at %d, and what was before it is archived: positions would be given out again", k.last, k.floor+1),
			fmt.Sprintf("select setval('%s', %d)", t.Sequence().Quoted(), k.floor))
	}
	return nil
}
