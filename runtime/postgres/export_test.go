package postgres

import "time"

// AppendStatements returns the texts of all appends, by what they do.
func AppendStatements[Tx any](s *Store[Tx]) map[string]string {
	return map[string]string{
		"create":         s.sql.append.create,
		"extend":         s.sql.append.extend,
		"create one":     s.sql.append.createOne,
		"extend one":     s.sql.append.extendOne,
		"create on":      s.sql.appendOn.create,
		"extend on":      s.sql.appendOn.extend,
		"create one on":  s.sql.appendOn.createOne,
		"extend one on":  s.sql.appendOn.extendOne,
		"append streams": s.sql.appendStreams,
		"append group":   s.sql.appendGroup,
	}
}

// FrontierStatement returns the text that computes the frontier.
func FrontierStatement[Tx any](s *Store[Tx]) string { return s.sql.frontier }

// Hold keeps the group from sending until release is called, so that a group forms of what is appended meanwhile.
func (g *Group) Hold() (release func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.goroutines > 0 { // which would send it
		g.mu.Unlock()
		time.Sleep(time.Millisecond)
		g.mu.Lock()
	}
	g.senders += g.limits.Connections
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.senders -= g.limits.Connections
		g.sendReady()
	}
}

// Waiting returns how many appends wait to be sent.
func (g *Group) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for _, l := range g.queue.lanes {
		n += len(l.waiting)
	}
	return n
}

// IsIdle reports whether the group has no goroutine and nothing to send.
func (g *Group) IsIdle() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.goroutines == 0 && g.senders == 0 && g.queue.isEmpty() && len(g.queue.ready) == 0
}

// Configured returns the Config that the options make.
func Configured(opts ...Option) Config {
	var c Config
	for _, o := range opts {
		o.apply(&c)
	}
	return c
}

// LookAgain is for how long an append relies on the last look at the sequence.
const LookAgain = lookAgain

// Looks returns how many connections the store remembers a look over.
func Looks[Tx any](s *Store[Tx]) (n int) {
	for range s.looks.byConnection.Range {
		n++
	}
	return n
}
