package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/eventmap/eventmap/examples/shop/customers"
	"github.com/eventmap/eventmap/examples/shop/shopstore"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/console"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// serve opens the shop: customers come in, consumers run, and a console is mounted behind the shop's own authentication, at
// an address such as "localhost:8080". It returns when ctx is done.
func (s *shop[Tx]) serve(ctx context.Context, address string) error {
	mail := &mailServer{refuses: true}
	runner, err := s.operated(mail)
	if err != nil {
		return err
	}
	staff := newStaff()
	site, err := s.site(runner, staff, mail)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	s.say("The shop is open: http://%s/", listener.Addr())
	s.say("  the console:  http://%s/console/", listener.Addr())
	s.say("  as operator:  ada, password %s", staff["ada"].password)
	s.say("  as reader:    bob, password %s", staff["bob"].password)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{Handler: site, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	failed := make(chan error, 3)
	var group sync.WaitGroup
	for _, run := range []func() error{
		func() error { return runner.Run(ctx) },
		func() error { return s.trade(ctx) },
		func() error { return server.Serve(listener) },
	} {
		group.Go(func() { failed <- run() })
	}
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	cancel()
	err = errors.Join(err, server.Close())
	group.Wait()
	return err
}

// operated returns the runner of all consumers: the read model, and the mails that tell customers about their parcels. The
// mail server has its days, so those are parked after two attempts.
func (s *shop[Tx]) operated(mail *mailServer) (*consumer.Runner[Tx], error) {
	return consumer.New(s.db.checkpoints, consumer.Config{Logger: runtime.SlogLogger(slog.Default())},
		consumer.Registration[Tx]{Consumer: customers.BatchConsumer[Tx](s.db), Segments: 2, BatchSize: 2000},
		consumer.Registration[Tx]{
			Consumer: shippingMails[Tx](mail),
			Attempts: 2,
			Backoff:  consumer.Backoff{First: 50 * time.Millisecond, Most: time.Second},
			Policy:   consumer.Park,
		},
	)
}

// site returns the pages of the shop.
func (s *shop[Tx]) site(runner *consumer.Runner[Tx], staff staff, mail *mailServer) (http.Handler, error) {
	handler, err := console.New(console.Config{
		Inspector: s.db.inspector,
		Operators: []console.Operator{console.Operate(runner, map[string]func(context.Context, Tx) error{
			customers.Name: func(ctx context.Context, tx Tx) error { return customers.Clear(ctx, s.db, tx) },
		})},
		Authorize: staff.access,
		Domain:    shopstore.Describe(),
		Title:     "Shop",
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/console/", staff.only(http.StripPrefix("/console", handler)))
	mux.Handle("POST /mail", http.NewCrossOriginProtection().Handler(staff.only(mail)))
	mux.Handle("GET /{$}", staff.only(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = front.Execute(w, mail.broken()) // a client that is gone is not our trouble
	})))
	return mux, nil
}

// front is the page of the shop.
var front = template.Must(template.New("front").Parse(`<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Shop</title>
<h1>Shop</h1>
<p>Customers place orders, pay them, and parcels go out. <a href="console/">Console of its event log</a></p>
<form method="post" action="mail"><p>The mail server {{if .}}refuses mails to Paris.
<button>Mend it</button>{{else}}takes all mails. <button>Break it</button>{{end}}</p></form>
`))

// staff are the people of the shop by name: its own authentication, which a console can stand behind as well as any other.
type staff map[string]member

type member struct {
	password string
	role     console.Role
}

// newStaff returns an operator and a reader with passwords of their own.
func newStaff() staff {
	return staff{"ada": {rand.Text(), console.Operating}, "bob": {rand.Text(), console.Reader}}
}

// access says who sends a request, and what the console lets them do.
func (s staff) access(r *http.Request) console.Access {
	name, password, _ := r.BasicAuth()
	m, known := s[name]
	if !known || subtle.ConstantTimeCompare([]byte(password), []byte(m.password)) != 1 {
		return console.Access{}
	}
	return console.Access{User: name, Role: m.role}
}

// only lets nobody else in.
func (s staff) only(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.access(r).Role == console.NoAccess {
			w.Header().Set("WWW-Authenticate", `Basic realm="shop"`)
			http.Error(w, "Who are you?", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}
