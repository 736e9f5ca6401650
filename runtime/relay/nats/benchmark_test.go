package nats_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// BenchmarkRelay measures what a relay brings from a log in SQLite to a JetStream stream on disk, events a second, against the
// client's plain asynchronous publishing of the same number of messages, in turns. The goal is 20,000 events a second.
func BenchmarkRelay(b *testing.B) {
	const events = 10_000
	conn, js := connect(b, single(b).ClientURL())
	create(b, js, shop())
	create(b, js, shop(func(c *jetstream.StreamConfig) { c.Name, c.Subjects = "PLAIN", []string{"plain.>"} }))
	l := newLog(b)
	r := l.runner(b, publisher(b, conn), 2000)
	var relayed, plain, ratios []float64
	for b.Loop() {
		b.StopTimer()
		l.append(b, events, 100)
		b.StartTimer()
		ours := perSecond(events, func() {
			if err := r.RunUntilCaughtUp(b.Context(), nil); err != nil {
				b.Fatal(err)
			}
		})
		theirs := perSecond(events, func() { publishPlain(b, js, events) })
		relayed, plain, ratios = append(relayed, ours), append(plain, theirs), append(ratios, ours/theirs)
	}
	for unit, figures := range map[string][]float64{"events/s": relayed, "plain-messages/s": plain, "x-plain": ratios} {
		slices.Sort(figures)
		b.ReportMetric(figures[len(figures)/2], unit)
	}
	b.ReportMetric(0, "ns/op")
}

func perSecond(n int, work func()) float64 {
	began := time.Now()
	work()
	return float64(n) / time.Since(began).Seconds()
}

// publishPlain publishes messages of the same size, without any expectation.
func publishPlain(b *testing.B, js jetstream.JetStream, n int) {
	data := make([]byte, 450)
	var last jetstream.PubAckFuture
	for i := range n {
		var err error
		if last, err = js.PublishMsgAsync(&nats.Msg{Subject: fmt.Sprint("plain.", i%100), Data: data}, jetstream.WithStallWait(time.Minute)); err != nil {
			b.Fatal(err)
		}
	}
	select {
	case <-js.PublishAsyncComplete():
	case err := <-last.Err():
		b.Fatal(err)
	case <-b.Context().Done():
	}
}
