// Package transfer is a transfer of money from one account to another. It has a stream of its own, named by the request that
// asked for it: that the stream exists says that the request was carried out.
package transfer

import "github.com/eventmap/eventmap/examples/bank/domain/account"

// Made says that the money was moved.
//
//eventmap:event
type Made struct {
	From  account.ID `json:"from"`
	To    account.ID `json:"to"`
	Cents int64      `json:"cents"`
}
