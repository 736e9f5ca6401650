package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/eventmap/eventmap/examples/api/domain/order"
	"github.com/eventmap/eventmap/examples/api/domain/stock"
	"github.com/eventmap/eventmap/runtime"
)

// A problem is the answer to a request that was not carried out: problem details by RFC 9457. Their type is left out, which
// means about:blank: the status says all that a program needs to know.
type problem struct {
	Title   string `json:"title"` // by default what HTTP calls the status
	Status  int    `json:"status"`
	Detail  string `json:"detail,omitempty"`
	Version int64  `json:"version,omitempty"` // 412: the version that the resource is at
}

// Error is the detail of the problem.
func (p *problem) Error() string { return p.Detail }

// errKeyUsed refuses an idempotency key that came with another request before.
var errKeyUsed = &problem{
	Status: http.StatusUnprocessableEntity,
	Detail: "the Idempotency-Key was used for another order; a new order needs a new key",
}

// problemOf returns the problem that an error of a request is. It is the one place that maps errors to answers; what it does
// not know is the service's own fault, and none of the client's business.
func problemOf(err error) *problem {
	var (
		known    *problem
		conflict *runtime.ConflictError
		few      *stock.TooFew
		invalid  *runtime.InvalidEventError
		connect  *pgconn.ConnectError
	)
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, order.ErrUnknown):
		return &problem{Status: http.StatusNotFound, Detail: order.ErrUnknown.Error()}
	case errors.Is(err, order.ErrInvalid), errors.Is(err, stock.ErrInvalid):
		return &problem{Status: http.StatusUnprocessableEntity, Detail: err.Error()}
	case errors.Is(err, order.ErrRejected), errors.Is(err, stock.ErrNote), errors.As(err, &few):
		return &problem{Status: http.StatusConflict, Detail: err.Error()}
	case errors.As(err, &invalid): // an ID or a name that no store can keep, such as one with a NUL
		return &problem{Status: http.StatusBadRequest, Detail: invalid.Error()}
	case errors.As(err, &conflict): // after as many attempts as Execute makes
		return &problem{Status: http.StatusConflict, Detail: "others change it all the time; send the request again"}
	case runtime.Retryable(err), errors.As(err, &connect), errors.Is(err, context.DeadlineExceeded):
		return &problem{Status: http.StatusServiceUnavailable, Detail: "the database is busy or away; send the request again"}
	}
	return &problem{Status: http.StatusInternalServerError}
}

// outOfDate is the problem of a request whose If-Match names another version than there is.
func outOfDate(conflict *runtime.ConflictError) *problem {
	return &problem{
		Status:  http.StatusPreconditionFailed,
		Detail:  fmt.Sprintf("it has changed: it is at version %d now", conflict.Actual),
		Version: conflict.Actual,
	}
}

// An endpoint answers a request, or returns an error, which is answered as a problem.
type endpoint func(w http.ResponseWriter, r *http.Request) error

// ServeHTTP answers a request.
func (e endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := e(w, r)
	if err == nil || r.Context().Err() != nil { // nobody is there to be answered
		return
	}
	p := *problemOf(err)
	p.Title = cmp.Or(p.Title, http.StatusText(p.Status))
	if p.Status >= http.StatusInternalServerError {
		slog.ErrorContext(r.Context(), "request", "method", r.Method, "path", r.URL.Path, "err", err)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}
