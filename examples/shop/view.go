package main

import (
	"context"
	_ "embed"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/examples/shop/domain/order"
)

//go:embed view.sql
var viewSQL string

// view reads the order as a reporting tool would: from the views that migrate-gen wrote for the events of the domain, and
// with no Go code of theirs.
func (s *shop) view(ctx context.Context, id order.ID) error {
	s.say("SQL reads the log too, by a view for each event:")
	rows, err := s.pool.Query(ctx, viewSQL, string(id))
	if err != nil {
		return err
	}
	var line string
	_, err = pgx.ForEachRow(rows, []any{&line}, func() error {
		s.say("  %s", line)
		return nil
	})
	return err
}
