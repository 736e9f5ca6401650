package nats_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/relay"
	relaynats "github.com/eventmap/eventmap/runtime/relay/nats"
)

// pastWindow waits until the duplicate window of the stream is over for what was published.
func pastWindow() { time.Sleep(300 * time.Millisecond) }

// Whatever is published again, by the same publisher or one that begins anew, and long after the duplicate window: the stream
// has every event once and in order.
func TestPublish_storesOnce(t *testing.T) {
	t.Parallel()
	conn, js := connect(t, single(t).ClientURL())
	create(t, js, shop())
	all := messages(0, 3000, 7)
	p := publisher(t, conn)
	for _, step := range []struct {
		from, to int
		fresh    bool
	}{{0, 500, false}, {0, 500, false}, {300, 700, false}, {0, 1000, true}, {999, 3000, true}, {1500, 3000, false}, {0, 3000, true}} {
		if step.fresh {
			p = publisher(t, conn)
		}
		if err := p.Publish(t.Context(), all[step.from:step.to]); err != nil {
			t.Fatal(err)
		}
		if step.to < 2000 {
			pastWindow()
		}
	}
	if d := cmp.Diff(idsOf(all), stored(t, js)); d != "" {
		t.Errorf("the stream (-want +got):\n%s", d)
	}
}

// Several relays that publish the same events at once, each in batches of its own, store each event once and in order.
func TestPublish_severalRelaysAtOnce(t *testing.T) {
	t.Parallel()
	url := single(t).ClientURL()
	_, js := connect(t, url)
	create(t, js, shop())
	all := messages(0, 2000, 5)
	var wg sync.WaitGroup
	for relays := range 3 {
		conn, _ := connect(t, url)
		p := publisher(t, conn)
		size := 50 + 37*relays
		wg.Go(func() {
			for batch := range slices.Chunk(all, size) {
				for { // as a runner does
					err := p.Publish(t.Context(), batch)
					if err == nil {
						break
					}
					if !errors.Is(err, consumer.ErrUnavailable) {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	if d := cmp.Diff(idsOf(all), stored(t, js)); d != "" {
		t.Errorf("the stream (-want +got):\n%s", d)
	}
}

// An event that was parked is published behind later ones, and neither it nor those twice.
func TestPublish_parkedEventAgain(t *testing.T) {
	t.Parallel()
	conn, js := connect(t, single(t).ClientURL())
	create(t, js, shop())
	all := messages(0, 30, 10)
	parked := all[4]
	others := slices.DeleteFunc(slices.Clone(all), func(m relay.Message) bool { return m.Stream == parked.Stream })
	late := slices.DeleteFunc(slices.Clone(all), func(m relay.Message) bool { return m.Stream != parked.Stream })
	p := publisher(t, conn)
	if err := p.Publish(t.Context(), others); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, m := range late {
			if err := p.Publish(t.Context(), []relay.Message{m}); err != nil {
				t.Fatal(err)
			}
		}
		pastWindow()
		p = publisher(t, conn)
		if err := p.Publish(t.Context(), others); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(idsOf(append(others, late...)), stored(t, js)); d != "" {
		t.Errorf("the stream (-want +got):\n%s", d)
	}
}

// A purged stream goes on with the next event, also if the server has restarted since and knows no last ID, unless that is
// refused.
func TestPublish_purged(t *testing.T) {
	t.Parallel()
	for _, restarted := range []bool{false, true} {
		s := restartable(t)
		conn, js := connect(t, s.ClientURL())
		create(t, js, shop())
		all := messages(0, 100, 3)
		p, strict := publisher(t, conn, mayGo), publisher(t, conn, mayGo, func(c *relaynats.Config) { c.RefusePurged = true })
		if err := p.Publish(t.Context(), all[:60]); err != nil {
			t.Fatal(err)
		}
		stream, err := js.Stream(t.Context(), "SHOP")
		if err == nil {
			err = stream.Purge(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		if restarted {
			s.stop()
			s.restart(t)
			answered(t, "the connection is back", func(ctx context.Context) error { _, err := js.Stream(ctx, "SHOP"); return err })
		}
		wantUnavailable(t, strict.Publish(t.Context(), all[60:61]), 61)
		eventually(t, "the stream goes on", func() error { return p.Publish(t.Context(), all[60:]) })
		if d := cmp.Diff(idsOf(all[60:]), stored(t, js)); d != "" {
			t.Errorf("restarted %v: the stream (-want +got):\n%s", restarted, d)
		}
	}
}

// A stream that is full, or not there, makes the relay wait; nothing is lost or reordered once there is room.
func TestPublish_fullOrAbsent(t *testing.T) {
	t.Parallel()
	conn, js := connect(t, single(t).ClientURL())
	all := messages(0, 50, 3)
	p := publisher(t, conn)
	err := p.Publish(t.Context(), all)
	wantUnavailable(t, err, 1)
	if err == nil || !strings.Contains(err.Error(), "create one for the subjects shop.>") {
		t.Errorf("error is %v, want one with a remedy", err)
	}
	full := func(c *jetstream.StreamConfig) { c.MaxMsgs, c.Discard = 20, jetstream.DiscardNew }
	create(t, js, shop(full))
	wantUnavailable(t, p.Publish(t.Context(), all), 21)
	wantUnavailable(t, p.Publish(t.Context(), all[20:]), 21)
	create(t, js, shop())
	if err := p.Publish(t.Context(), all[20:]); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(idsOf(all), stored(t, js)); d != "" {
		t.Errorf("the stream (-want +got):\n%s", d)
	}
}

// A message that no broker of this configuration takes is a fault of the event, which a policy can park.
func TestPublish_tooLarge(t *testing.T) {
	t.Parallel()
	conn, js := connect(t, single(t).ClientURL())
	create(t, js, shop(func(c *jetstream.StreamConfig) { c.MaxMsgSize = 2000 }))
	all := messages(0, 10, 3)
	for i, size := range map[int]int{4: 3000, 7: 2 << 20} { // for the stream, for the server
		all[i].Data = make([]byte, size)
	}
	p := publisher(t, conn)
	rest := all
	for _, position := range []int64{5, 8} {
		err := p.Publish(t.Context(), rest)
		var at *consumer.EventError
		if !errors.As(err, &at) || at.Position != position || errors.Is(err, consumer.ErrUnavailable) {
			t.Fatalf("error is %v, want that of event %d", err, position)
		}
		rest = all[position:]
	}
	if err := p.Publish(t.Context(), rest); err != nil {
		t.Fatal(err)
	}
	want := idsOf(slices.Concat(all[:4], all[5:7], all[8:]))
	if d := cmp.Diff(want, stored(t, js)); d != "" {
		t.Errorf("the stream (-want +got):\n%s", d)
	}
}

// An acknowledgement that comes too late, or to nobody, changes nothing: the relay looks where the stream stands.
func TestPublish_lateAnswers(t *testing.T) {
	t.Parallel()
	conn, js := connect(t, single(t).ClientURL())
	create(t, js, shop())
	all := messages(0, 400, 3)
	hasty := publisher(t, conn, func(c *relaynats.Config) { c.AckWait = 150 * time.Microsecond })
	for batch := range slices.Chunk(all, 40) {
		for range 3 {
			_ = hasty.Publish(t.Context(), batch)
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			_ = hasty.Publish(ctx, batch)
			cancel()
		}
		if err := publisher(t, conn).Publish(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(idsOf(all), stored(t, js)); d != "" {
		t.Errorf("the stream (-want +got):\n%s", d)
	}
}

// A broker that is away is no fault of an event, and what was sent to it is there once when it comes back.
func TestPublish_brokerAway(t *testing.T) {
	t.Parallel()
	s := restartable(t)
	conn, js := connect(t, s.ClientURL())
	create(t, js, shop())
	all := messages(0, 200, 3)
	p := publisher(t, conn, func(c *relaynats.Config) { c.AckWait = 200 * time.Millisecond })
	eventually(t, "the first are published", func() error { return p.Publish(t.Context(), all[:50]) }) // 200 ms may be too short
	s.stop()
	for range 3 {
		wantUnavailable(t, p.Publish(t.Context(), all[50:]), 51)
	}
	s.restart(t)
	eventually(t, "the broker is back", func() error { return p.Publish(t.Context(), all[50:]) })
	if d := cmp.Diff(idsOf(all), stored(t, js)); d != "" {
		t.Errorf("the stream (-want +got):\n%s", d)
	}
}

// What others publish to the stream, under subjects of their own or under those of the relay, does not stop it.
func TestPublish_otherProducers(t *testing.T) {
	t.Parallel()
	conn, js := connect(t, single(t).ClientURL())
	create(t, js, shop(func(c *jetstream.StreamConfig) { c.Subjects = append(c.Subjects, "other") }))
	all := messages(0, 30, 3)
	p := publisher(t, conn)
	for i, batch := range [][]relay.Message{all[:10], all[:20], all[5:]} {
		if err := p.Publish(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		for _, subject := range []string{"other", "shop.by-hand"}[:1+i%2] {
			if _, err := js.PublishMsg(t.Context(), &nats.Msg{Subject: subject}); err != nil {
				t.Fatal(err)
			}
		}
		pastWindow()
	}
	got := slices.DeleteFunc(stored(t, js), func(id string) bool { return id == "" })
	if d := cmp.Diff(idsOf(all), got); d != "" {
		t.Errorf("the stream (-want +got):\n%s", d)
	}
}

func TestNew_refuses(t *testing.T) {
	t.Parallel()
	conn, _ := connect(t, single(t).ClientURL())
	for want, c := range map[string]relaynats.Config{
		"Stream is empty":             {Prefix: "shop"},
		`Prefix "" is no subject`:     {Stream: "SHOP"},
		`Prefix "a.>" is no subject`:  {Stream: "SHOP", Prefix: "a.>"},
		`Prefix "a..b" is no subject`: {Stream: "SHOP", Prefix: "a..b"},
		"cannot be negative":          {Stream: "SHOP", Prefix: "shop", Window: -1},
	} {
		if _, err := relaynats.New(conn, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error is %v, want one with %q", c, err, want)
		}
	}
	if _, err := relaynats.New(nil, relaynats.Config{Stream: "SHOP", Prefix: "shop"}); err == nil {
		t.Error("no connection is no error")
	}
}

// Logs have streams and event IDs of the same names. Each event of each log is published once, whatever is published again, and in order.
func TestPublish_manyLogs(t *testing.T) {
	t.Parallel()
	conn, js := connect(t, single(t).ClientURL())
	create(t, js, shop(func(c *jetstream.StreamConfig) { c.Duplicates = time.Hour }))
	logs := make(map[string][]relay.Message)
	var want []string
	for _, log := range []string{"a", "b.é", "c"} {
		logs[log] = messages(0, 300, 7)
		for i := range logs[log] {
			logs[log][i].Log = log
		}
	}
	p := publisher(t, conn)
	publish := func(log string, from, to int, isNew bool) {
		t.Helper()
		if err := p.Publish(t.Context(), logs[log][from:to]); err != nil {
			t.Fatal(err)
		}
		for _, m := range logs[log][from:to] {
			if isNew {
				want = append(want, strings.NewReplacer(".", "%2E", "é", "%C3%A9").Replace(log)+"/"+m.ID)
			}
		}
	}
	publish("a", 0, 200, true)
	publish("b.é", 0, 100, true)
	publish("a", 100, 200, false)
	p = publisher(t, conn) // which knows nothing
	publish("a", 0, 200, false)
	publish("c", 0, 300, true)
	publish("b.é", 50, 100, false)
	publish("b.é", 100, 300, true)
	p = publisher(t, conn)
	publish("a", 200, 300, true)
	publish("c", 0, 300, false)
	if d := cmp.Diff(want, stored(t, js)); d != "" {
		t.Errorf("the stream (-want +got):\n%s", d)
	}
	last, err := js.Stream(t.Context(), "SHOP")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := last.GetLastMsgForSubject(t.Context(), "shop.b%2E%C3%A9.Order.order%201"); err != nil {
		t.Errorf("the subject of a stream of a log: %v", err)
	}
}

// Over hashed logs no two streams have one name, and subscribers need not know of the logs.
func TestPublish_hashedLogsWithoutLog(t *testing.T) {
	t.Parallel()
	conn, js := connect(t, single(t).ClientURL())
	create(t, js, shop())
	without := func(c *relaynats.Config) { c.WithoutLog = true }
	var logs [3][]relay.Message
	for i, m := range messages(0, 600, 9) {
		log := i % 3 // as 9 is a multiple of 3, a stream is in one log
		m.Log, m.Position = strconv.Itoa(log), int64(len(logs[log])+1)
		logs[log] = append(logs[log], m)
	}
	var want []string
	p := publisher(t, conn, without)
	for _, step := range []struct{ log, from, to, isNew int }{{0, 0, 200, 200}, {1, 0, 50, 50}, {1, 0, 200, 150}, {0, 100, 200, 0}, {2, 0, 200, 200}, {1, 0, 200, 0}} {
		if err := p.Publish(t.Context(), logs[step.log][step.from:step.to]); err != nil {
			t.Fatal(err)
		}
		want = append(want, idsOf(logs[step.log][step.to-step.isNew:step.to])...)
		pastWindow()
		p = publisher(t, conn, without)
	}
	if d := cmp.Diff(want, stored(t, js)); d != "" {
		t.Errorf("the stream (-want +got):\n%s", d)
	}
}
