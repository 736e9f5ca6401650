// Package upgrade is one small domain in three releases. What the first stored is read by the third.
//
// In a repository of your own there is one domain folder, and the releases are commits. Here they lie side by side, so
// that a test can run them one after another; hence --against, which compares each with the lock of the one before.
// docs/evolution.md goes through the changes one by one.
//
// Release 2 adds a field (ItemAdded.Quantity) and renames one (Placed.Customer). Release 3 splits an event (Placed, from
// which DeliveryChosen is taken), renames a type (Paid is now PaymentReceived) and retires an event (Discounted).
package upgrade

//go:generate go tool eventmap-gen --input ./release1/domain --output ./release1/orderstore
//go:generate go tool eventmap-gen --input ./release2/domain --output ./release2/orderstore --against ./release1/orderstore/eventmap.lock.json
//go:generate go tool eventmap-gen --input ./release3/domain --output ./release3/orderstore --against ./release2/orderstore/eventmap.lock.json
