package postgres_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// A faultyProxy stands between the coordinator and a worker. Of the answers to commits, it loses some, with the connection, and brings some late.
type faultyProxy struct {
	worker     string
	faulty     atomic.Bool
	lost, late atomic.Int64
}

// answerDelay is how late an answer comes that comes late.
const answerDelay = 200 * time.Millisecond

// listen returns the address of the proxy.
func (p *faultyProxy) listen(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(client)
		}
	}()
	return listener.Addr().String()
}

// serve carries a connection. The coordinator sends a commit as one simple query, whose answer ends with the server being ready.
func (p *faultyProxy) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", p.worker)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	var committing atomic.Bool
	go func() {
		defer func() { _ = server.Close() }()
		for started := false; ; {
			message, err := readMessage(client, started)
			if err != nil {
				return
			}
			started = started || binary.BigEndian.Uint32(message[4:8]) == 196608 // after a refused request for TLS
			if message[0] == 'Q' && (bytes.HasPrefix(message[5:], []byte("COMMIT"))) {
				committing.Store(true)
			}
			if _, err := server.Write(message); err != nil {
				return
			}
		}
	}()
	answer := make([]byte, 1<<16)
	for {
		n, err := server.Read(answer)
		if err != nil {
			return
		}
		if committing.Swap(false) && p.faulty.Load() {
			switch rand.IntN(12) {
			case 0:
				p.lost.Add(1)
				return
			case 1:
				p.late.Add(1)
				time.Sleep(answerDelay)
			}
		}
		if _, err := client.Write(answer[:n]); err != nil {
			return
		}
	}
}

// readMessage reads a message of the protocol. The first ones have no type.
func readMessage(r io.Reader, typed bool) ([]byte, error) {
	header := make([]byte, 4, 8)
	if typed {
		header = make([]byte, 5, 8)
	}
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, err
	}
	length := int(binary.BigEndian.Uint32(header[len(header)-4:]))
	if length < 4 || length > 1<<24 {
		return nil, errors.New("length of a message")
	}
	message := append(header, make([]byte, length-4)...)
	_, err := io.ReadFull(r, message[len(header):])
	return message, err
}

// Answers of workers to commits are lost or come late, in transactions of one log and in those of two nodes. Whatever a caller was told:
// no event that was acknowledged is lost, none is twice, and no log has a gap or shows a reader an event out of order.
func TestCitus_lostAndLateAnswersToCommits(t *testing.T) {
	t.Parallel()
	var proxies []*faultyProxy
	address := pgtest.NewCitus(t, func(worker string) string {
		p := &faultyProxy{worker: worker}
		proxies = append(proxies, p)
		return p.listen(t)
	}, schema(t, design.Options{Logs: "tenant", Citus: true}))
	pool := connect(t, address)
	alone := logsOf(t, nil)
	inTransaction, err := postgres.NewLogs(postgres.ManyLogs.OnCitus())
	if err != nil {
		t.Fatal(err)
	}
	const logs, writers, appends = 8, 6, 60
	name := func(i int) string { return fmt.Sprint("log ", i%logs) }
	for i := range logs {
		if err := alone.Create(t.Context(), pool, name(i)); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range proxies {
		p.faulty.Store(true)
	}
	var acknowledged [logs]sync.Map // IDs of events
	var stopped atomic.Bool
	var reading, writing sync.WaitGroup
	for i := range logs {
		reading.Go(func() {
			for at := int64(0); !stopped.Load(); time.Sleep(time.Millisecond) {
				events, err := alone.Of(name(i)).ReadEvents(t.Context(), pool, at, 20)
				if errors.Is(err, postgres.ErrGap) {
					t.Errorf("%s: %v", name(i), err)
					return
				}
				at += int64(len(events))
			}
		})
	}
	retries := atomic.Int64{}
	for w := range writers {
		writing.Go(func() {
			for n := range appends {
				stream, first, second := fmt.Sprintf("s%d-%d", w, n), (w+n)%logs, (w+n+1+n%3)%logs
				a, b := placed(stream, 1+n%2), placed(stream, 1)
				for attempt := 0; ; attempt++ {
					err := error(nil)
					if n%4 > 0 || first == second {
						_, err = alone.Of(name(first)).Append(t.Context(), pool, runtime.NoStream(), a)
					} else {
						low, high := min(first, second), max(first, second) // in the order of their names
						err = pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
							events := map[int][]runtime.Event{first: a, second: b}
							for _, i := range []int{low, high} {
								if _, err := inTransaction.Of(name(i)).Append(t.Context(), tx, runtime.NoStream(), events[i]); err != nil {
									return err
								}
							}
							return nil
						})
						if err == nil {
							acknowledged[second].Store(b[0].EventID, true)
						}
					}
					if err == nil {
						for _, e := range a {
							acknowledged[first].Store(e.EventID, true)
						}
						break
					}
					if attempt == 100 || errors.Is(err, runtime.ErrOptimisticConcurrency) || errors.Is(err, postgres.ErrGap) {
						t.Errorf("append of %s, attempt %d: %v", stream, attempt, err)
						break
					}
					retries.Add(1)
					// What is prepared and not yet committed on a worker is so by its recovery, which a cluster runs each minute.
					_, _ = pool.Exec(t.Context(), "select recover_prepared_transactions()")
				}
			}
		})
	}
	writing.Wait()
	for _, p := range proxies {
		p.faulty.Store(false)
	}
	eventually(t, "what is prepared is recovered", func() bool {
		var left int
		_, err := pool.Exec(t.Context(), "select recover_prepared_transactions()")
		if err == nil {
			err = pool.QueryRow(t.Context(), `select coalesce(sum(result::int), 0) from run_command_on_workers('select count(*) from pg_prepared_xacts where database = current_database()')`).Scan(&left)
		}
		return err == nil && left == 0
	})
	stopped.Store(true)
	reading.Wait()
	total, lost := 0, int64(0)
	for i := range logs {
		events, err := alone.Of(name(i)).ReadEvents(t.Context(), pool, 0, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		total += len(events)
		stored := make(map[any]bool, len(events))
		for _, e := range events {
			if stored[e.EventID] {
				t.Errorf("%s: event %s is there twice", name(i), e.EventID)
			}
			stored[e.EventID] = true
		}
		acknowledged[i].Range(func(id, _ any) bool {
			if !stored[id] {
				lost++
			}
			return true
		})
	}
	if lost > 0 {
		t.Errorf("%d events that were acknowledged are lost", lost)
	}
	if err := postgres.Check(t.Context(), pool, postgres.ManyLogs.OnCitus()); err != nil {
		t.Error(err)
	}
	var faults []string
	injected := int64(0)
	for _, p := range proxies {
		faults = append(faults, fmt.Sprintf("%d lost, %d late", p.lost.Load(), p.late.Load()))
		injected += p.lost.Load() + p.late.Load()
	}
	if injected == 0 {
		t.Error("the proxies injected no fault")
	}
	t.Logf("%d events in %d logs, answers to commits of each worker: %s; %d attempts were made again; %d lost", total, logs, strings.Join(faults, "; "), retries.Load(), lost)
}
