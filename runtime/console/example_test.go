package console_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/eventmap/eventmap/runtime/console"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// The console is mounted below a path of the program, behind its own authentication.
func Example() {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, ":memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := sqlite.Migrate(ctx, db); err != nil {
		log.Fatal(err)
	}
	inspector, err := sqlite.NewInspector(db)
	if err != nil {
		log.Fatal(err)
	}
	handler, err := console.New(console.Config{
		Inspector: inspector,
		Authorize: func(r *http.Request) console.Access {
			user, _, _ := r.BasicAuth() // of a proxy that has checked the password
			if user == "" {
				return console.Access{}
			}
			return console.Access{Role: console.Reader, User: user}
		},
		Title: "Shop, test",
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/console/", http.StripPrefix("/console", handler))

	server := httptest.NewServer(mux)
	defer server.Close()
	for _, user := range []string{"", "ada"} {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/console/", nil)
		if err != nil {
			log.Fatal(err)
		}
		if user != "" {
			r.SetBasicAuth(user, "")
		}
		answer, err := server.Client().Do(r)
		if err != nil {
			log.Fatal(err)
		}
		_ = answer.Body.Close()
		fmt.Println(answer.Status)
	}
	// Output:
	// 403 Forbidden
	// 200 OK
}
