// Package console is a web console for an event log and its consumers, an [http.Handler] to mount in one's own program:
// what is wrong now and why, consumers and their segments, parked events, streams, events. An operator can retry or drop
// parked events, and resume, pause, reset and resize consumers.
//
//	inspector, err := postgres.NewInspector(pool) // or sqlite.NewInspector(db)
//	handler, err := console.New(console.Config{
//		Inspector: inspector,
//		Operators: []console.Operator{console.Operate(runner, nil)},
//		Authorize: func(r *http.Request) console.Access { return accessOf(r) }, // the program's own authentication
//	})
//	mux.Handle("/console/", http.StripPrefix("/console", handler))
//
// Every page is made on the server and works without JavaScript, which only keeps a page up to date and adds keys. All
// links are relative, so any prefix will do, whoever strips it.
//
// It is safe to leave open on a busy system. Its reads are read-only transactions, at most four at a time, each with a
// timeout, and walk indexes from a key: there is no OFFSET, and nothing is counted over the log.
//
// It shows stored bytes as text only, under a content security policy that allows nothing but its own style sheet and
// script. Sealed values stay sealed, since it has no keys; a member that [Config.Domain] calls personal is not shown even
// if it is stored in clear. Metadata and the errors of handlers are shown as they are: keep personal data out of them.
package console
