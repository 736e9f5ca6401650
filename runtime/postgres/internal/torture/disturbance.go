package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
)

// isFault reports whether err is what terminated backends and a stopped server bring: a lost connection, one that cannot
// be made, or SQLSTATE class 57, operator intervention. Deadlocks are taken too.
func isFault(err error) bool {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return strings.HasPrefix(server.Code, "57") || runtime.Retryable(err)
	}
	return !errors.Is(err, runtime.ErrDuplicateEvent)
}

// isLockTimeout reports whether a migration has found no lock in time.
func isLockTimeout(err error) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && server.Code == "55P03"
}

// writeElsewhere keeps a transaction open in another database, five seconds at a time, that has written.
func writeElsewhere(ctx context.Context, address string) error {
	for ctx.Err() == nil {
		conn, err := pgx.Connect(ctx, address)
		if err != nil {
			pause(ctx, 50*time.Millisecond)
			continue
		}
		_, _ = conn.Exec(ctx, "begin; insert into other values (1)")
		pause(ctx, 5*time.Second)
		_, _ = conn.Exec(context.WithoutCancel(ctx), "commit")
		_ = conn.Close(context.WithoutCancel(ctx))
	}
	return nil
}

// terminate ends a backend of the tortured database every now and then.
func terminate(ctx context.Context, address string, p Plan) error {
	random := rand.New(rand.NewPCG(p.Seed, 1<<32))
	for ctx.Err() == nil {
		conn, err := pgx.Connect(ctx, address)
		if err != nil {
			pause(ctx, 50*time.Millisecond)
			continue
		}
		for err == nil && ctx.Err() == nil {
			pause(ctx, time.Duration(100+random.IntN(400))*time.Millisecond)
			_, err = conn.Exec(ctx, `select pg_terminate_backend(pid) from pg_stat_activity
				where datname = 'tortured' order by md5(pid::text || $1::text) limit 1`, fmt.Sprint(random.Uint64()))
		}
		_ = conn.Close(context.WithoutCancel(ctx))
	}
	return nil
}

// crash stops the server as by a crash and starts it again.
func crash(server *pgtest.Server, h *history) error {
	h.down.from = time.Now()
	err := server.Restart()
	h.down.to = time.Now()
	return err
}
