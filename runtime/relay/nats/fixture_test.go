package nats_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/relay"
	relaynats "github.com/eventmap/eventmap/runtime/relay/nats"
)

// patience is how long a test waits for what must happen.
const patience = 5 * time.Minute

// hearing is how long a test waits for one answer of servers that lose questions while they elect a leader. Then it asks again.
const hearing = patience / 60

// start starts a server and waits until it takes connections.
func start(t testing.TB, options server.Options) *server.Server {
	t.Helper()
	s, err := tryStart(t, options)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// tryStart is start for a server whose port somebody else may have taken.
func tryStart(t testing.TB, options server.Options) (*server.Server, error) {
	t.Helper()
	options.NoSigs = true
	options.Host = "127.0.0.1"
	options.JetStream = true
	s, err := server.NewServer(&options)
	if err != nil {
		return nil, err
	}
	end := deathbed{said: make(chan string, 1)}
	s.SetLoggerV2(end, false, false, false)
	t.Cleanup(func() { stop(s) })
	go s.Start()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		select {
		case why := <-end.said:
			stop(s)
			return nil, errors.New(why)
		default:
			if s.ReadyForConnections(100 * time.Millisecond) {
				return s, nil
			}
		}
	}
	return nil, errors.New("the server does not start")
}

// A deathbed is a log that keeps why a server cannot go on, and nothing else.
type deathbed struct{ said chan string }

func (d deathbed) Fatalf(format string, args ...any) {
	select {
	case d.said <- fmt.Sprintf(format, args...):
	default: // the first reason is the one
	}
}

func (deathbed) Noticef(string, ...any) {}
func (deathbed) Warnf(string, ...any)   {}
func (deathbed) Errorf(string, ...any)  {}
func (deathbed) Debugf(string, ...any)  {}
func (deathbed) Tracef(string, ...any)  {}

func stop(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

// single starts a server of its own on a port that is free.
func single(t testing.TB) *server.Server {
	t.Helper()
	return start(t, server.Options{Port: server.RANDOM_PORT, StoreDir: t.TempDir()})
}

func connect(t testing.TB, urls string) (*nats.Conn, jetstream.JetStream) {
	t.Helper()
	conn, err := nats.Connect(urls, nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond), nats.RetryOnFailedConnect(true))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn, jetstream.WithDefaultTimeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	return conn, js
}

// A member is a server that can be started again under its addresses, alone or in a cluster.
type member struct {
	options server.Options
	*server.Server
}

// restartable starts a server whose port is still free when it has stopped.
func restartable(t testing.TB) *member {
	t.Helper()
	options := server.Options{StoreDir: t.TempDir()}
	for attempts := 0; ; attempts++ {
		options.Port = fixedPort()
		s, err := tryStart(t, options)
		if err == nil {
			return &member{options, s}
		}
		if attempts > 100 {
			t.Fatal(err)
		}
	}
}

func (m *member) stop() { stop(m.Server) }

// restart starts the server again once its port is free.
func (m *member) restart(t testing.TB) {
	t.Helper()
	eventually(t, "the server starts again", func() (err error) {
		m.Server, err = tryStart(t, m.options)
		return err
	})
}

// fixedPort returns a port for a server that stops and starts again, which may be taken. Systems give ports from 32768 on to
// connections, and to whoever listens on any: one of those could be somebody else's by the time the server is back. No two
// servers of the tests have one port, for a client of a server that is away would find the other one.
func fixedPort() int { return 20000 + int((firstPort+usedPorts.Add(1))%12000) }

var (
	firstPort = rand.Int64N(12000)
	usedPorts atomic.Int64
)

// shop is the stream of the tests. Its duplicate window is as short as the server allows.
func shop(changes ...func(*jetstream.StreamConfig)) jetstream.StreamConfig {
	c := jetstream.StreamConfig{Name: "SHOP", Subjects: []string{"shop.>"}, Duplicates: 100 * time.Millisecond}
	for _, change := range changes {
		change(&c)
	}
	return c
}

func create(t testing.TB, js jetstream.JetStream, config jetstream.StreamConfig) {
	t.Helper()
	answered(t, "the stream is created", func(ctx context.Context) error {
		_, err := js.CreateOrUpdateStream(ctx, config)
		return err
	})
}

// publisher returns a publisher to a server that answers, however slow the machine is.
func publisher(t testing.TB, conn *nats.Conn, changes ...func(*relaynats.Config)) *relaynats.Publisher {
	t.Helper()
	c := relaynats.Config{Stream: "SHOP", Prefix: "shop", AckWait: patience}
	for _, change := range changes {
		change(&c)
	}
	p, err := relaynats.New(conn, c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// mayGo is for a publisher to a server that may go away before it answers.
func mayGo(c *relaynats.Config) { c.AckWait = time.Second }

// messages returns n messages of some streams, whose positions begin behind a position.
func messages(after, n, streams int) []relay.Message {
	list := make([]relay.Message, n)
	for i := range list {
		position := after + i + 1
		list[i] = relay.Message{
			ID:          uuid.NewSHA1(uuid.Nil, fmt.Append(nil, position)).String(),
			Stream:      consumer.Stream{AggregateType: "Order", AggregateID: fmt.Sprint("order ", position%streams)},
			Version:     int64((position-1)/streams + 1),
			Position:    int64(position),
			ContentType: "application/json",
			Data:        fmt.Appendf(nil, `{"n":%d}`, position),
		}
	}
	return list
}

// stored returns the IDs of the messages that the stream has, in order.
func stored(t testing.TB, js jetstream.JetStream) []string {
	t.Helper()
	ids, err := tryStored(t.Context(), js, patience)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// tryStored is stored of servers that may not answer. It waits so long for each answer.
func tryStored(ctx context.Context, js jetstream.JetStream, wait time.Duration) (ids []string, err error) {
	asking, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	stream, err := js.Stream(asking, "SHOP")
	if err != nil {
		return nil, err
	}
	left := stream.CachedInfo().State.Msgs
	reader, err := stream.OrderedConsumer(asking, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return nil, err
	}
	for left > 0 {
		batch, err := reader.Fetch(int(min(left, 1000)), jetstream.FetchMaxWait(wait))
		if err != nil {
			return nil, err
		}
		for m := range batch.Messages() {
			ids = append(ids, m.Headers().Get(jetstream.MsgIDHeader))
			left--
		}
		if err := batch.Error(); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

func idsOf(messages []relay.Message) (ids []string) {
	for _, m := range messages {
		ids = append(ids, m.ID)
	}
	return ids
}

func eventually(t testing.TB, what string, is func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if err = is(); err == nil {
			return
		}
	}
	t.Fatalf("%s: %v", what, err)
}

// answered is eventually for what asks servers that may lose a question. Each time there is a while for the answer.
func answered(t testing.TB, what string, is func(context.Context) error) {
	t.Helper()
	eventually(t, what, func() error {
		ctx, cancel := context.WithTimeout(t.Context(), hearing)
		defer cancel()
		return is(ctx)
	})
}

// wantUnavailable fails t unless err says that the broker is away, from the message at position on.
func wantUnavailable(t *testing.T, err error, position int64) {
	t.Helper()
	var at *consumer.EventError
	if !errors.Is(err, consumer.ErrUnavailable) || !errors.As(err, &at) || at.Position != position {
		t.Errorf("error is %v, want %v of event %d", err, consumer.ErrUnavailable, position)
	}
}

// A port that somebody else has taken is no end of a test: a server says so, and starts when it is free.
func TestRestart_waitsForItsPort(t *testing.T) {
	t.Parallel()
	m := restartable(t)
	m.stop()
	taken, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", m.options.Port))
	if err != nil {
		t.Skip(err) // by a process that is not this one
	}
	if _, err := tryStart(t, m.options); err == nil {
		t.Error("a server started on a port that is taken")
	}
	_ = taken.Close()
	m.restart(t)
}
