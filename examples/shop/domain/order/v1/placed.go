// Package v1 holds the events of orders as they once were. They are stored, so they are kept.
package v1

import "time"

// Placed begins an order: a customer ordered.
//
//eventmap:event
type Placed struct {
	CustomerName string    `json:"customerName"`
	At           time.Time `json:"at"`
}
