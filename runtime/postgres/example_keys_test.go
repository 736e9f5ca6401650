package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// Generated code seals and opens values. By hand it is done like this.
func ExampleNewKeyStore() {
	ctx := context.Background()
	pool, drop := examplePool()
	defer drop()
	store, err := postgres.NewKeyStore()
	if err != nil {
		fmt.Println(err)
		return
	}
	wrapper, err := privacy.NewLocalWrapper([]byte(strings.Repeat("k", 32))) // in production a key management service
	if err != nil {
		fmt.Println(err)
		return
	}
	keys := privacy.NewKeys(store, wrapper)
	place := privacy.Place{
		AggregateType: "Customer", AggregateID: "17", EventID: uuid.New(), EventType: "Registered", EventVersion: 1, Field: "name",
	}
	var sealed privacy.Sealed
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		ring, err := keys.ForSubjects(ctx, tx, "customer-17")
		if err != nil {
			return err
		}
		sealed, err = ring.Seal(place, "customer-17", []byte(`"Ada"`))
		return err
	})
	read := func() {
		err = errors.Join(err, pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			ring, err := keys.ByID(ctx, tx, sealed.KeyID())
			if err != nil {
				return err
			}
			clear, erased, err := ring.Open(place, sealed)
			fmt.Printf("%s erased: %t\n", clear, erased)
			return err
		}))
	}
	read()
	err = errors.Join(err, pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return keys.Forget(ctx, tx, "customer-17") }))
	read()
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// "Ada" erased: false
	//  erased: true
}
