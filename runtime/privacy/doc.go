// Package privacy encrypts personal data in the event log, under a key for each person, and forgets a person by deleting
// that key. The log itself is never rewritten.
//
// A [Keys] holds the keys of one log: it reads them from a [KeyStore], the table subject_keys, where they are encrypted
// under a key of a key management service, the [KeyWrapper]. Code that eventmap-gen writes for fields with the mark
// personal asks it for a [Ring] of keys, seals values before an append and opens them after a read. Programs create the
// Keys and call [Keys.Forget]:
//
//	store, err := postgres.NewKeyStore()
//	keys := privacy.NewKeys(store, keeper) // a *secrets.Keeper of gocloud.dev/secrets, or privacy.NewLocalWrapper
//	customers := events.NewCustomerStore(log, keys)
//	...
//	err = keys.Forget(ctx, tx, "customer-17")
//
// What this protects, and what it does not, is in docs/privacy.md.
package privacy
