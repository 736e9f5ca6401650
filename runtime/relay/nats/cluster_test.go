package nats_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/relay"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// A log is a database with events, and what drives its consumers.
type log struct {
	db        *sql.DB
	store     *sqlite.Store
	consumers *sqlite.Consumers
}

func newLog(t testing.TB) *log {
	t.Helper()
	db, err := sqlite.Open(t.Context(), t.TempDir()+"/log.db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := sqlite.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	l := &log{db: db}
	if l.store, err = sqlite.New(); err == nil {
		l.consumers, err = sqlite.NewConsumers(db)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// append appends n events in one transaction, to so many streams in turn, and returns their IDs.
func (l *log) append(t testing.TB, n, streams int) (ids []string) {
	t.Helper()
	tx, err := l.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	for i := range n {
		e := runtime.Event{
			AggregateType: "Order", AggregateID: fmt.Sprint("order ", i%streams), EventType: "ItemAdded", EventVersion: 1,
			EventID: uuid.Must(uuid.NewV7()), Payload: fmt.Appendf(nil, `{"number":%d}`, i),
		}
		if _, err := l.store.Append(t.Context(), tx, runtime.Any(), []runtime.Event{e}); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.EventID.String())
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	return ids
}

// runner returns a runner of one relay.
func (l *log) runner(t testing.TB, p relay.Publisher, batch int) *consumer.Runner[*sql.Tx] {
	t.Helper()
	events, err := relay.New[*sql.Tx]("to-nats", p, relay.Config{Source: "/test"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := consumer.New(l.consumers, consumer.Config{Logger: runtime.NoOpLogger{}, PollLeast: time.Millisecond, PollMost: 20 * time.Millisecond},
		consumer.Registration[*sql.Tx]{
			Consumer: events, BatchSize: batch, Attempts: 2, Policy: consumer.Park,
			Backoff: consumer.Backoff{First: 10 * time.Millisecond, Most: 200 * time.Millisecond},
		})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A relay over a cluster of three, whose leader is killed and restarted again and again: every event is there once, in the order of
// the log, nothing is parked, and the log's consumer has caught up.
func TestRelay_clusterLosesItsLeader(t *testing.T) {
	t.Parallel()
	members := cluster(t)
	conn, js := connect(t, members.urls())
	create(t, js, shop(func(c *jetstream.StreamConfig) { c.Replicas = 3 }))
	l := newLog(t)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	r := l.runner(t, publisher(t, conn, mayGo), 50)
	running.Go(func() {
		if err := r.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	var want []string
	for kill := range 3 {
		want = append(want, l.append(t, 400, 9)...)
		r.Wake()
		position := int64(len(want) - 300)
		eventually(t, "a part is published", func() error { return reached(t, r, position) })
		members.settle(t)
		leader := members.leader(t, js)
		leader.stop()
		want = append(want, l.append(t, 200, 9)...)
		r.Wake()
		if kill%2 == 0 { // else it comes back late
			leader.restart(t)
		}
		eventually(t, "the rest is published", func() error { return reached(t, r, int64(len(want))) })
		if kill%2 == 1 {
			leader.restart(t)
		}
	}
	var got []string
	eventually(t, "the stream can be read", func() (err error) {
		if got, err = tryStored(t.Context(), js, hearing); err == nil && len(got) < len(want) {
			err = fmt.Errorf("%d of %d messages", len(got), len(want))
		}
		return err
	})
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the stream (-want +got):\n%s", d)
	}
	status, err := r.Status(t.Context())
	if err != nil || status[0].Parked != 0 {
		t.Errorf("status %+v, %v; want nothing parked", status, err)
	}
}

// reached returns an error unless the relay is at a position.
func reached(t testing.TB, r *consumer.Runner[*sql.Tx], position int64) error {
	status, err := r.Status(t.Context())
	if err != nil {
		return err
	}
	if len(status[0].Segments) == 0 {
		return errors.New("it has not run yet")
	}
	segment := status[0].Segments[0]
	if segment.Position < position {
		return fmt.Errorf("position %d, want %d; last error: %s", segment.Position, position, segment.LastError)
	}
	return nil
}

type memberList []*member

// cluster starts three servers that know each other's addresses before they start.
func cluster(t testing.TB) memberList {
	t.Helper()
	for attempts := 0; ; attempts++ {
		members, err := tryCluster(t)
		if err == nil {
			members.elect(t)
			return members
		}
		if attempts > 100 {
			t.Fatal(err)
		}
	}
}

// tryCluster is cluster on ports that somebody else may have taken.
func tryCluster(t testing.TB) (members memberList, err error) {
	t.Helper()
	var ports []int
	var routes []string
	for range 3 {
		ports = append(ports, fixedPort())
		routes = append(routes, fmt.Sprintf("nats://127.0.0.1:%d", ports[len(ports)-1]))
	}
	for i := range ports {
		m := &member{options: server.Options{
			ServerName: fmt.Sprint("server-", i), Port: fixedPort(), StoreDir: t.TempDir(),
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: ports[i]},
			Routes:  server.RoutesFromStr(strings.Join(routes, ",")),
		}}
		if m.Server, err = tryStart(t, m.options); err != nil {
			for _, started := range members {
				started.stop()
			}
			return nil, err
		}
		members = append(members, m)
	}
	return members, nil
}

// elect waits until a server leads the others. What they are asked for before has no answer.
func (l memberList) elect(t testing.TB) {
	t.Helper()
	eventually(t, "the cluster has a leader", func() error {
		if !slices.ContainsFunc(l, func(m *member) bool { return m.JetStreamIsLeader() }) {
			return errors.New("it has none")
		}
		for _, m := range l {
			if !m.JetStreamIsCurrent() {
				return fmt.Errorf("%s has not heard of it", m.options.ServerName)
			}
		}
		return nil
	})
}

func (l memberList) urls() string {
	var urls []string
	for _, m := range l {
		urls = append(urls, fmt.Sprintf("nats://127.0.0.1:%d", m.options.Port))
	}
	return strings.Join(urls, ",")
}

// leader returns the server that leads the stream.
func (l memberList) leader(t testing.TB, js jetstream.JetStream) (leader *member) {
	t.Helper()
	answered(t, "the stream has a leader", func(ctx context.Context) error {
		stream, err := js.Stream(ctx, "SHOP")
		if err != nil {
			return err
		}
		for _, m := range l {
			if m.options.ServerName == stream.CachedInfo().Cluster.Leader {
				leader = m
				return nil
			}
		}
		return fmt.Errorf("leader is %q", stream.CachedInfo().Cluster.Leader)
	})
	return leader
}

// settle waits until every member has the whole stream: of three, a majority is left only if one is killed at a time.
func (l memberList) settle(t testing.TB) {
	t.Helper()
	for _, m := range l {
		eventually(t, m.options.ServerName+" is up to date", func() error {
			if !m.JetStreamIsCurrent() || !m.JetStreamIsStreamCurrent(server.DEFAULT_GLOBAL_ACCOUNT, "SHOP") {
				return errors.New("it still catches up")
			}
			return nil
		})
	}
}
