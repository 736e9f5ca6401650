package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eventmap/eventmap/internal/pgtest"
)

// The console of the shop is behind the shop's own authentication: nobody gets in without a password, a reader only looks.
func TestSite_consoleIsBehindTheShopsAuthentication(t *testing.T) {
	t.Parallel()
	db, err := openSQLite(t.Context(), filepath.Join(t.TempDir(), "shop.db"), true)
	if err != nil {
		t.Fatal(err)
	}
	defer db.close()
	s, staff, mail := open(db, io.Discard), newStaff(), new(mailServer)
	runner, err := s.operated(mail)
	if err != nil {
		t.Fatal(err)
	}
	site, err := s.site(runner, staff, mail)
	if err != nil {
		t.Fatal(err)
	}
	for _, as := range []struct {
		user, password string
		status         int
		acts           bool
	}{
		{"", "", http.StatusUnauthorized, false},
		{"ada", "guess", http.StatusUnauthorized, false},
		{"bob", staff["bob"].password, http.StatusOK, false},
		{"ada", staff["ada"].password, http.StatusOK, true},
	} {
		r := httptest.NewRequest(http.MethodGet, "/console/consumer?name=customers", nil)
		r.SetBasicAuth(as.user, as.password)
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		if w.Code != as.status || strings.Contains(w.Body.String(), "Resize") != as.acts {
			t.Errorf("%q with password %q: %d, want %d\n%s", as.user, as.password, w.Code, as.status, w.Body)
		}
	}
}

// The shop trades until it is closed, and its consumers handle what happens meanwhile.
func TestServe_tradesUntilItIsClosed(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]func() string{
		"PostgreSQL": func() string { return pgtest.New(t) },
		"SQLite":     func() string { return filepath.Join(t.TempDir(), "shop.db") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			out, say := io.Pipe()
			ended := make(chan error, 1)
			go func() { ended <- run(ctx, address(), true, "127.0.0.1:0", say) }()
			said := make([]byte, 1024)
			n, err := out.Read(said)
			if err != nil || !strings.Contains(string(said[:n]), "The shop is open: http://127.0.0.1:") {
				t.Fatalf("it says %q, %v", said[:n], err)
			}
			go func() { _, _ = io.Copy(io.Discard, out) }()
			stop()
			select {
			case err := <-ended:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(5 * time.Minute):
				t.Error("it does not end")
			}
		})
	}
}
