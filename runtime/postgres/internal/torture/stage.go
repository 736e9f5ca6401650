package torture

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/pgtest"
)

// A stage is a private server, where a commit is on the disk, with a database that is tortured and one elsewhere.
type stage struct {
	server *pgtest.Server
	pool   *pgxpool.Pool // of the tortured database
}

// newStage makes the databases, the tortured one with the tables of a store, and a pool of so many connections; the server
// takes others besides.
func newStage(ctx context.Context, tables string, connections, others int) (_ *stage, err error) {
	server, err := pgtest.Launch(
		pgtest.Setting("fsync", "on"),
		pgtest.Setting("full_page_writes", "on"),
		pgtest.Setting("synchronous_commit", "on"),
		pgtest.Setting("max_connections", fmt.Sprint(connections+others)),
	)
	if err != nil {
		return nil, err
	}
	s := &stage{server: server}
	if err = s.prepare(ctx, tables); err == nil {
		s.pool, err = connect(ctx, s.tortured(), int32(connections))
	}
	if err != nil {
		return nil, errors.Join(err, server.Close())
	}
	return s, nil
}

func (s *stage) tortured() string { return s.server.URL("tortured") }

func (s *stage) close() {
	s.pool.Close()
	_ = s.server.Close()
}

func (s *stage) prepare(ctx context.Context, tables string) error {
	for _, database := range []string{"tortured", "elsewhere"} {
		if err := execute(ctx, s.server.URL("postgres"), "create database "+database); err != nil {
			return err
		}
	}
	if err := execute(ctx, s.tortured(), tables); err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	for _, database := range []string{"tortured", "elsewhere"} {
		if err := execute(ctx, s.server.URL(database), "create table other (n bigint)"); err != nil {
			return err
		}
	}
	return nil
}

func execute(ctx context.Context, address, statement string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, statement)
	return err
}

func connect(ctx context.Context, address string, connections int32) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, err
	}
	config.MaxConns = connections
	return pgxpool.NewWithConfig(ctx, config)
}

// A crew is all who are at work. Writers stop first, then readers when they have read what there is, and what disturbs them
// last of all.
type crew struct {
	writing, reading, disturbing shift
	mu                           sync.Mutex
	err                          error
}

// A shift lasts until it is told to be over.
type shift struct {
	ctx     context.Context
	over    context.CancelFunc
	workers sync.WaitGroup
}

func newCrew(ctx context.Context) *crew {
	c := new(crew)
	for _, s := range []*shift{&c.writing, &c.reading, &c.disturbing} {
		s.ctx, s.over = context.WithCancel(ctx)
	}
	return c
}

// work has somebody work in a shift, until the context ends that f is given.
func (c *crew) work(s *shift, f func(until context.Context) error) {
	s.workers.Go(func() {
		err := f(s.ctx)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.err = errors.Join(c.err, err)
	})
}

// endWriting ends the shift of the writers and waits for them; end does so with all others and returns what went wrong.
func (c *crew) endWriting() {
	c.writing.over()
	c.writing.workers.Wait()
}

func (c *crew) end() error {
	c.endWriting()
	for _, s := range []*shift{&c.disturbing, &c.reading} {
		s.over()
		s.workers.Wait()
	}
	return c.err
}
