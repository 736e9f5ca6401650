package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/eventtest"
)

// placed returns an event as generated code makes them.
func placed(order string) runtime.Event {
	return runtime.Event{
		AggregateType: "Order", AggregateID: order, EventType: "Placed", EventVersion: 1,
		EventID: uuid.New(), CreatedAt: time.Date(2026, time.March, 1, 9, 0, 0, 0, time.UTC), Payload: []byte(`{"cents":1290}`),
	}
}

// Every store keeps this contract; this one is in memory. Of two appends that expect the same version one is a conflict,
// which says where the stream stands.
func Example() {
	ctx := context.Background()
	var tx eventtest.NoTx
	store := eventtest.NewStore[eventtest.NoTx]()

	result, err := store.Append(ctx, tx, runtime.NoStream(), []runtime.Event{placed("42"), placed("42")})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("version", result.ToVersion())

	_, err = store.Append(ctx, tx, runtime.NoStream(), []runtime.Event{placed("42")})
	var conflict *runtime.ConflictError
	if errors.As(err, &conflict) {
		fmt.Println(err)
		fmt.Println("decide again at version", conflict.Actual)
	}

	stream, err := store.ReadAggregateStream(ctx, tx, "Order", "42", nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range stream.Events {
		fmt.Println(e.GlobalPosition, e.AggregateVersion, e.EventType, string(e.Payload))
	}
	// Output:
	// version 2
	// Order "42" is at version 2, expected no stream
	// decide again at version 2
	// 1 1 Placed {"cents":1290}
	// 2 2 Placed {"cents":1290}
}

// The answer to a commit may be lost. The same events, with their IDs, are appended again: they are stored once.
func ExampleAppendResult() {
	ctx := context.Background()
	var tx eventtest.NoTx
	store := eventtest.NewStore[eventtest.NoTx]()
	events := []runtime.Event{placed("42")} // made before the loop that tries again
	for range 2 {
		result, err := store.Append(ctx, tx, runtime.NoStream(), events)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(result.GlobalPositions, result.AlreadyStored)
	}
	// Output:
	// [1] false
	// [1] true
}
