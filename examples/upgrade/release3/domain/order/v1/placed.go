// Package v1 holds the events of orders as they once were. They are stored, so they are kept.
package v1

// Placed begins an order, in release 1.
//
//eventmap:event
type Placed struct {
	Customer string `json:"customer"`
	Street   string `json:"street"`
	City     string `json:"city"`
}
