package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/eventmap/eventmap/internal/pgname"
)

// Listen calls notify after appends that notify the channel of the configuration; see [consumer.Watcher]. It keeps a
// connection for as long as it runs, and closes it then, so that nobody inherits what it listens to.
func (c *Consumers[Tx]) Listen(ctx context.Context, notify func()) error {
	if c.channel == "" {
		return nil
	}
	if err := c.transactions.listen(ctx, "listen "+pgname.Quote(c.channel), notify); err != nil {
		return fmt.Errorf("listen to %q: %w", c.channel, err)
	}
	return nil
}

func listenPool(ctx context.Context, pool *pgxpool.Pool, statement string, notify func()) error {
	pooled, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	conn := pooled.Hijack()
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return listenConn(ctx, conn, statement, notify)
}

func listenSQL(ctx context.Context, db *sql.DB, statement string, notify func()) error {
	if db.Stats().MaxOpenConnections == 1 {
		return errors.New("listening takes a connection for itself, and the database may have only one; set MaxOpenConns to at least 2")
	}
	pooled, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = pooled.Close() }()
	var listened error
	err = pooled.Raw(func(driverConn any) error {
		conn, ok := driverConn.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("%T is not of the driver pgx/v5/stdlib", driverConn)
		}
		listened = listenConn(ctx, conn.Conn(), statement, notify)
		return driver.ErrBadConn // not to be used by others
	})
	if errors.Is(err, driver.ErrBadConn) {
		return listened
	}
	return err
}

// listenConn calls notify at once, for what happened before, and after each notification.
func listenConn(ctx context.Context, conn *pgx.Conn, statement string, notify func()) error {
	if _, err := conn.Exec(ctx, statement); err != nil {
		return err
	}
	for {
		notify()
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return err
		}
	}
}
