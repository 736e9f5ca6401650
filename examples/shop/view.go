package main

import (
	"context"
	_ "embed"

	"github.com/eventmap/eventmap/examples/shop/domain/order"
)

//go:embed view.sql
var viewSQL string

// view reads the order as a reporting tool would: from the views that migrate-gen wrote for the events of the domain, and
// with no Go code of theirs.
func (s *shop[Tx]) view(ctx context.Context, id order.ID) error {
	s.say("SQL reads the log too, by a view for each event:")
	return s.in(ctx, func(tx Tx) error {
		var line string
		return s.db.Query(ctx, tx, viewSQL, []any{string(id)}, []any{&line}, func() { s.say("  %s", line) })
	})
}
