package nats_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
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

// start starts a server and waits until it takes connections.
func start(t testing.TB, options server.Options) *server.Server {
	t.Helper()
	options.NoLog, options.NoSigs = true, true
	options.Host = "127.0.0.1"
	options.JetStream = true
	s, err := server.NewServer(&options)
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	t.Cleanup(func() { stop(s) })
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server does not start")
	}
	return s
}

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

// portOf returns the port of a server's address, for one that takes its place.
func portOf(t testing.TB, address string) int {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

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
	eventually(t, "the stream is created", func() error {
		ctx, cancel := context.WithTimeout(t.Context(), patience/10)
		defer cancel()
		_, err := js.CreateOrUpdateStream(ctx, config)
		return err
	})
}

func publisher(t testing.TB, conn *nats.Conn, changes ...func(*relaynats.Config)) *relaynats.Publisher {
	t.Helper()
	c := relaynats.Config{Stream: "SHOP", Prefix: "shop"}
	for _, change := range changes {
		change(&c)
	}
	p, err := relaynats.New(conn, c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

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
func stored(t testing.TB, js jetstream.JetStream) (ids []string) {
	t.Helper()
	stream, err := js.Stream(t.Context(), "SHOP")
	if err != nil {
		t.Fatal(err)
	}
	left := stream.CachedInfo().State.Msgs
	reader, err := stream.OrderedConsumer(t.Context(), jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for left > 0 {
		batch, err := reader.Fetch(int(min(left, 1000)), jetstream.FetchMaxWait(10*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		for m := range batch.Messages() {
			ids = append(ids, m.Headers().Get(jetstream.MsgIDHeader))
			left--
		}
		if err := batch.Error(); err != nil {
			t.Fatal(err)
		}
	}
	return ids
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

// wantUnavailable fails t unless err says that the broker is away, from the message at position on.
func wantUnavailable(t *testing.T, err error, position int64) {
	t.Helper()
	var at *consumer.EventError
	if !errors.Is(err, consumer.ErrUnavailable) || !errors.As(err, &at) || at.Position != position {
		t.Errorf("error is %v, want %v of event %d", err, consumer.ErrUnavailable, position)
	}
}
