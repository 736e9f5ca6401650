// Package wire counts the round trips that a connection to PostgreSQL makes, by what passes over it.
package wire

import (
	"context"
	"net"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgconn"
)

// A Counter counts round trips: each time something is read after something was sent. Its zero value is ready for use,
// by any number of connections at once.
type Counter struct{ trips atomic.Int64 }

// Trips returns how many round trips were made so far.
func (c *Counter) Trips() int64 { return c.trips.Load() }

// Count makes connections of the configuration count.
func (c *Counter) Count(config *pgconn.Config) {
	dial := config.DialFunc
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &countedConn{Conn: conn, counter: c}, nil
	}
}

// countedConn is a connection that tells its counter of round trips.
type countedConn struct {
	net.Conn
	counter *Counter
	sent    atomic.Bool // something was, and no answer has been read yet
}

func (c *countedConn) Write(b []byte) (int, error) {
	c.sent.Store(true)
	return c.Conn.Write(b)
}

func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 && c.sent.CompareAndSwap(true, false) {
		c.counter.trips.Add(1)
	}
	return n, err
}
