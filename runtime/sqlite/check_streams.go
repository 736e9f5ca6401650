package sqlite

import (
	"database/sql"
	"fmt"

	"github.com/eventmap/eventmap/runtime"
)

// sequence checks that the log holds no position that its sequence does not know of.
func (k *checker) sequence() error {
	var text string
	if err := fill(sqlFiles, []part{{&text, "frontier.sql", variant{tables: k.tables}}}, "sql/*.sql"); err != nil {
		return err
	}
	var end int64
	var behind bool
	if err := queryRow(k.ctx, k.db, text, nil, &end, &behind); err != nil || !behind {
		return err
	}
	k.problems = append(k.problems, runtime.Problem{
		Object:    "sequence of " + k.tables.Events.String(),
		Reason:    fmt.Sprintf("is at %d, behind the log: appends fail and readers stop", end),
		Remedy:    k.tables.advance(),
		Statement: k.tables.advance() + ";",
	})
	return nil
}

// streams looks at a sample of the streams: those that were appended to last, and those at either end of their names. None
// of their last events may lack, and none may have a lower position than the one before.
func (k *checker) streams() error {
	var text string
	if err := fill(checkFiles, []part{{&text, "streams.sql", variant{tables: k.tables}}}, "sql/check/streams.sql"); err != nil {
		return err
	}
	return each(k.ctx, k.db, text, nil, func(r *sql.Rows) error {
		var aggregateType, aggregateID string
		var last, events, first, inverted int64
		if err := r.Scan(&aggregateType, &aggregateID, &last, &events, &first, &inverted); err != nil {
			return err
		}
		stream := fmt.Sprintf("stream %s %q", aggregateType, aggregateID)
		switch {
		case events < last-first+1:
			k.problem(stream, fmt.Sprintf("lacks versions between %d and %d: reads of it fail", first, last), "bring the events back")
		case inverted == 0:
			k.problem(stream, "lacks its first versions: reads of it fail", "bring the events back, or read it from a version on that is there")
		}
		if inverted > 0 {
			k.problem(stream, fmt.Sprintf("has version %d at a lower position than the version before it: readers of the log see them in that order", inverted),
				"find out what wrote past the store; rebuild the consumers that depend on the order")
		}
		return nil
	})
}
