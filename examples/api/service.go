package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/examples/api/domain/order"
	"github.com/eventmap/eventmap/examples/api/domain/stock"
	"github.com/eventmap/eventmap/examples/api/eventstore"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// A service answers requests about orders and stock. It is safe for concurrent use, in any number of processes.
type service struct {
	pool   *pgxpool.Pool
	orders *eventstore.OrderStore[pgx.Tx]
	stocks *eventstore.StockStore[pgx.Tx]
}

func newService(pool *pgxpool.Pool) (*service, error) {
	store, err := postgres.New()
	if err != nil {
		return nil, err
	}
	return &service{pool: pool, orders: eventstore.NewOrderStore(store), stocks: eventstore.NewStockStore(store)}, nil
}

// handler returns the routes of the service.
func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /orders", endpoint(s.placeOrder))
	mux.Handle("GET /orders/{id}", endpoint(s.getOrder))
	mux.Handle("POST /orders/{id}/cancellation", endpoint(s.cancelOrder))
	mux.Handle("GET /stock/{article}", endpoint(s.getStock))
	mux.Handle("PUT /stock/{article}/deliveries/{note}", endpoint(s.deliver))
	return mux
}

// orderIDs is the namespace of order IDs, which follow from idempotency keys. It never changes.
var orderIDs = uuid.MustParse("f9a2c7de-6b1f-4b52-9d2e-0c7b6ea6c1a4")

// placeOrder begins an order, once for each Idempotency-Key. The order's ID follows from the key, and so do the IDs of its
// events: the store recognises a repeated request and returns what it stored the first time.
func (s *service) placeOrder(w http.ResponseWriter, r *http.Request) error {
	key := r.Header.Get("Idempotency-Key")
	if key == "" {
		return &problem{Status: http.StatusBadRequest, Detail: "the header Idempotency-Key is missing: any text that is new for each order"}
	}
	var body struct {
		Article  string `json:"article"`
		Quantity int    `json:"quantity"`
	}
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	events, err := order.Place(body.Article, body.Quantity)
	if err != nil {
		return err
	}
	id := order.ID(uuid.NewSHA1(orderIDs, []byte(key)).String())
	var result runtime.AppendResult
	err = s.in(r.Context(), func(tx pgx.Tx) (err error) {
		result, err = s.orders.Append(r.Context(), tx, id, runtime.NoStream(), events, runtime.WithIdempotencyKey(key), conversation(r))
		return err
	})
	if err != nil {
		return err
	}
	if stored, err := eventstore.FromESEvent(result.Events[0]); err != nil || stored != events[0] {
		return errors.Join(err, errKeyUsed)
	}
	var placed order.Order
	if err := eventstore.FoldOrder(&placed, events[0]); err != nil {
		return err
	}
	w.Header().Set("Location", "/orders/"+string(id))
	return writeOrder(w, http.StatusCreated, id, placed, result.ToVersion())
}

func (s *service) getOrder(w http.ResponseWriter, r *http.Request) error {
	id := order.ID(r.PathValue("id"))
	var state order.Order
	var version int64
	err := s.in(r.Context(), func(tx pgx.Tx) (err error) {
		state, version, err = s.orders.Load(r.Context(), tx, id)
		return err
	})
	switch {
	case err != nil:
		return err
	case version == 0:
		return order.ErrUnknown
	case notModified(w, r, version):
		return nil
	}
	return writeOrder(w, http.StatusOK, id, state, version)
}

// cancelOrder cancels the order that the client has seen: If-Match carries the entity tag of what it was shown.
func (s *service) cancelOrder(w http.ResponseWriter, r *http.Request) error {
	match, err := ifMatch(r)
	if err != nil {
		return err
	}
	var body struct {
		Reason string `json:"reason"`
	}
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	id := order.ID(r.PathValue("id"))
	var done runtime.Execution[order.Order]
	err = s.in(r.Context(), func(tx pgx.Tx) (err error) {
		cancel := func(o order.Order) ([]order.Event, error) { return o.Cancel(body.Reason) }
		done, err = s.orders.Execute(r.Context(), tx, id, cancel, append(match, conversation(r))...)
		return err
	})
	if conflict, ok := errors.AsType[*runtime.ConflictError](err); ok && len(match) > 0 {
		return outOfDate(conflict)
	}
	if err != nil {
		return err
	}
	return writeOrder(w, http.StatusOK, id, done.State, done.Version)
}

func (s *service) getStock(w http.ResponseWriter, r *http.Request) error {
	article := stock.Article(r.PathValue("article"))
	var state stock.Stock
	var version int64
	err := s.in(r.Context(), func(tx pgx.Tx) (err error) {
		state, version, err = s.stocks.Load(r.Context(), tx, article)
		return err
	})
	if err != nil || notModified(w, r, version) {
		return err
	}
	return writeStock(w, article, state, version)
}

// deliver takes in a delivery. The delivery note names it, so the domain itself knows a note that comes again.
func (s *service) deliver(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Quantity int `json:"quantity"`
	}
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	article := stock.Article(r.PathValue("article"))
	var done runtime.Execution[stock.Stock]
	err := s.in(r.Context(), func(tx pgx.Tx) (err error) {
		deliver := func(s stock.Stock) ([]stock.Event, error) { return s.Deliver(r.PathValue("note"), body.Quantity) }
		done, err = s.stocks.Execute(r.Context(), tx, article, deliver, conversation(r))
		return err
	})
	if err != nil {
		return err
	}
	return writeStock(w, article, done.State, done.Version)
}

// conversation puts the events of a request into the conversation that its caller names. Without a header there is none.
func conversation(r *http.Request) runtime.EventOption {
	return runtime.WithCorrelationID(r.Header.Get("X-Request-Id"))
}

func writeOrder(w http.ResponseWriter, status int, id order.ID, o order.Order, version int64) error {
	return writeJSON(w, status, version, struct {
		ID       order.ID     `json:"id"`
		Article  string       `json:"article"`
		Quantity int          `json:"quantity"`
		Status   order.Status `json:"status"`
	}{id, o.Article, o.Quantity, o.Status})
}

func writeStock(w http.ResponseWriter, article stock.Article, s stock.Stock, version int64) error {
	return writeJSON(w, http.StatusOK, version, struct {
		Article stock.Article `json:"article"`
		Free    int           `json:"free"`
	}{article, s.Free})
}

// in runs f in a transaction and commits it. Where the server ended the transaction for another's sake, it runs f again.
func (s *service) in(ctx context.Context, f func(tx pgx.Tx) error) error {
	const attempts = 5
	for attempt := 1; ; attempt++ {
		err := pgx.BeginFunc(ctx, s.pool, f)
		if err == nil || !runtime.Retryable(err) || attempt == attempts {
			return err
		}
	}
}
