package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// A server whose requests each append to an order shares one group among all of them. A request is answered when its event is
// committed; 200 at once take a few commits.
func ExampleNewGroup() {
	pool, drop := examplePool()
	defer drop()
	orders, err := postgres.NewGroup(pool)
	if err != nil {
		log.Fatal(err)
	}

	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
		defer cancel()
		// The events are made before the loop, so that a second attempt appends the same.
		placed := []runtime.Event{orderEvent(r.PathValue("id"), "Placed", `{}`)}
		for {
			result, err := orders.Append(ctx, orders, runtime.NoStream(), placed)
			switch {
			case err == nil:
				w.WriteHeader(http.StatusCreated)
				_ = json.NewEncoder(w).Encode(map[string]int64{"version": result.ToVersion()})
			case errors.Is(err, postgres.ErrUnknownOutcome) && ctx.Err() == nil:
				continue // it is stored once, whatever became of the first attempt
			case errors.Is(err, runtime.ErrOptimisticConcurrency):
				http.Error(w, "the order exists", http.StatusConflict)
			default:
				http.Error(w, "try again", http.StatusServiceUnavailable)
			}
			return
		}
	})
	server := httptest.NewServer(mux)

	const requests = 200
	codes := make([]int, requests)
	var clients sync.WaitGroup
	for i := range requests {
		clients.Go(func() {
			// Every tenth order is placed twice.
			response, err := http.Post(fmt.Sprintf("%s/orders/%d", server.URL, i-i%10/9), "application/json", strings.NewReader("{}"))
			if err != nil {
				log.Fatal(err)
			}
			_ = response.Body.Close()
			codes[i] = response.StatusCode
		})
	}
	clients.Wait()

	// At the end: no more requests, then no more appends, then no more connections.
	server.Close()
	if err := orders.Close(context.Background()); err != nil {
		log.Fatal(err)
	}
	counts := make(map[int]int)
	for _, code := range codes {
		counts[code]++
	}
	fmt.Println(counts[http.StatusCreated], "created,", counts[http.StatusConflict], "conflicts")
	// Output:
	// 180 created, 20 conflicts
}
