package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/eventmap/eventmap/examples/shop/domain/order"
	"github.com/eventmap/eventmap/examples/shop/shopstore"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// shippingMails returns the consumer that tells customers that their parcels are on the way. Mails are an effect outside of
// the database: after a crash one can go out twice.
func shippingMails[Tx any](mail *mailServer) consumer.Consumer[Tx] {
	return shopstore.NewOrderConsumer("shipping-mails", shopstore.OrderHandler[Tx](shopstore.OrderHandlerFuncs[Tx]{
		Shipped: func(_ context.Context, _ Tx, e order.Shipped, m runtime.Meta) error {
			return mail.send(e.To.City, m.AggregateID)
		},
	}))
}

// A mailServer is one that refuses mails to a city on some days.
type mailServer struct {
	mu      sync.Mutex
	refuses bool
	sent    int
}

func (s *mailServer) send(city, order string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuses && city == "Paris" {
		return fmt.Errorf("send the mail for order %s: smtp: 451 4.3.0 relay.paris.example: queue file write error", order)
	}
	s.sent++
	return nil
}

func (s *mailServer) broken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refuses
}

// ServeHTTP mends the server, or breaks it.
func (s *mailServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.refuses = !s.refuses
	s.mu.Unlock()
	http.Redirect(w, r, "./", http.StatusSeeOther)
}
