package main

import (
	"context"

	"github.com/eventmap/eventmap/examples/shop/customers"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/console"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// A database is what the shop needs of one: a store of events, the checkpoints of consumers, what the console
// asks, and transactions in which events, checkpoints and the read model are written.
type database[Tx any] struct {
	events      events[Tx]
	checkpoints consumer.Database[Tx]
	inspector   console.Inspector
	keys        privacy.KeyStore[Tx]
	customers.SQL[Tx]
	in    func(ctx context.Context, f func(tx Tx) error) error // runs f in a transaction and commits it
	close func()
}

// events is a store with all that the shop uses.
type events[Tx any] interface {
	runtime.Store[Tx]
	runtime.EventReader[Tx]
	runtime.StreamsAppender[Tx]
}
