package otel

import (
	"context"

	"go.opentelemetry.io/otel/metric"
)

// GroupHook returns a hook that measures how many appends and events each group of a postgres.Group has:
//
//	group, err := postgres.NewGroup(pool, postgres.WithGroupHook(otel.GroupHook()))
func GroupHook(opts ...Option) func(appends, events int) {
	i := newInstruments(configure(opts))
	none := metric.WithAttributes()
	return func(appends, events int) {
		i.groupAppends.Record(context.Background(), int64(appends), none)
		i.groupEvents.Record(context.Background(), int64(events), none)
	}
}
