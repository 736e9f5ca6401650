package privacy_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime/privacy"
)

// A name is sealed under the key of its subject. When the subject is forgotten, what is stored stays as it is and cannot be
// read any more. Generated code does this for fields with the mark personal; programs call Forget.
func Example() {
	ctx := context.Background()
	type noTx struct{}
	var tx noTx                                                          // these keys are in memory; those of a database are read and written in the transaction of the append
	wrapper, err := privacy.NewLocalWrapper(bytes.Repeat([]byte{7}, 32)) // in production a key management service
	if err != nil {
		panic(err)
	}
	keys := privacy.NewKeys(privacy.NewMemoryKeys[noTx](), wrapper)

	place := privacy.Place{
		AggregateType: "Customer", AggregateID: "17", EventID: uuid.New(), EventType: "Registered", EventVersion: 1, Field: "name",
	}
	ring, err := keys.ForSubjects(ctx, tx, "customer-17")
	if err != nil {
		panic(err)
	}
	sealed, err := ring.Seal(place, "customer-17", []byte(`"Ada"`))
	if err != nil {
		panic(err)
	}
	read := func() {
		ring, err := keys.ByID(ctx, tx, sealed.KeyID())
		if err != nil {
			panic(err)
		}
		plaintext, erased, err := ring.Open(place, sealed)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%q, erased: %t\n", plaintext, erased)
	}
	read()
	if err := keys.Forget(ctx, tx, "customer-17"); err != nil {
		panic(err)
	}
	read()
	_, err = keys.ForSubjects(ctx, tx, "customer-17")
	fmt.Println(err)
	// Output:
	// "\"Ada\"", erased: false
	// "", erased: true
	// keys for subjects: subject "customer-17": the subject was forgotten; Keys.Readmit gives it a new key if it comes back
}
