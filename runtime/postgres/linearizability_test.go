package postgres_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// A streamCall is what a client asked of a stream.
type streamCall struct {
	read     bool
	expected runtime.ExpectedVersion
	events   int
	number   int // tells calls apart: a retry has the number of its first attempt
}

// A streamAnswer is what it was told.
type streamAnswer struct {
	version int64 // of the head after an append or at a read; of the conflict
	won     bool
	again   bool // AlreadyStored
}

// A streamState is a stream as the model knows it: who appended what, in order. Events of a call follow each other.
type streamState struct {
	version int64
	firsts  map[int]int64 // the version before each successful call
}

// streamModel is what a stream is meant to be, one call at a time.
var streamModel = porcupine.Model{
	Init: func() any { return streamState{} },
	Step: func(state, input, output any) (bool, any) {
		s, call, answer := state.(streamState), input.(streamCall), output.(streamAnswer)
		before, done := s.firsts[call.number]
		switch {
		case call.read:
			return answer.version == s.version, s
		case done && !call.expected.IsAny() && !call.expected.IsStreamExists():
			return answer.again && answer.version == before+int64(call.events), s
		case call.expected.Matches(s.version):
			next := streamState{version: s.version + int64(call.events), firsts: make(map[int]int64, len(s.firsts)+1)}
			for number, first := range s.firsts {
				next.firsts[number] = first
			}
			next.firsts[call.number] = s.version
			return answer.won && !answer.again && answer.version == next.version, next
		default:
			return !answer.won && answer.version == s.version, s
		}
	},
	Equal:             func(a, b any) bool { return a.(streamState).version == b.(streamState).version },
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
}

// Concurrent appends and reads of one stream behave as if they had been made one after the other.
func TestStore_streamsAreLinearizable(t *testing.T) {
	t.Parallel()
	for name, l := range linearLayouts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := connect(t, l.database(t))
			store, poolStore := newStore(t, l.opts...), newPoolStore(t, l.opts...)
			areLinearizable(t, pool, poolStore, func(random *rand.Rand, expected runtime.ExpectedVersion, events []runtime.Event) (r runtime.AppendResult, err error) {
				if random.IntN(2) == 0 { // alone, or in a transaction that commits
					return poolStore.Append(t.Context(), pool, expected, events)
				}
				err = pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) (err error) {
					r, err = store.Append(t.Context(), tx, expected, events)
					return err
				})
				return r, err
			})
		})
	}
}

// linearLayouts are databases in which streams are to be linearizable, and what a store has to be told.
var linearLayouts = map[string]struct {
	database func(testing.TB) string
	opts     []postgres.Option
}{
	"one log":     {database, nil},
	"one of many": {func(t testing.TB) string { return logsDatabase(t, design.Options{Logs: "tenant"}) }, []postgres.Option{postgres.ManyLogs, postgres.WithLog("a")}},
	"hashed":      {func(t testing.TB) string { return logsDatabase(t, design.Options{Logs: "hash", HashedLogs: 3}) }, []postgres.Option{postgres.HashedLogs(3)}},
}

// So do those of groups, of which there is one in each process, beside appends in transactions.
func TestGroup_streamsAreLinearizable(t *testing.T) {
	t.Parallel()
	for name, l := range linearLayouts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := connect(t, l.database(t))
			poolStore := newPoolStore(t, l.opts...)
			groups := []*postgres.Group{newGroup(t, pool, l.opts...), newGroup(t, pool, l.opts...)}
			areLinearizable(t, pool, poolStore, func(random *rand.Rand, expected runtime.ExpectedVersion, events []runtime.Event) (runtime.AppendResult, error) {
				if random.IntN(5) == 0 {
					return poolStore.Append(t.Context(), pool, expected, events)
				}
				group := groups[random.IntN(len(groups))]
				return group.Append(t.Context(), group, expected, events)
			})
		})
	}
}

// areLinearizable fails t unless the appends, and reads between them, behave as if they were made one after the other.
func areLinearizable(t *testing.T, pool *pgxpool.Pool, poolStore *postgres.Store[*pgxpool.Pool], makeAppend func(*rand.Rand, runtime.ExpectedVersion, []runtime.Event) (runtime.AppendResult, error)) {
	for round := range 12 {
		seed := uint64(time.Now().UnixNano()) + uint64(round)
		stream := newStream()
		const clients, calls = 6, 12
		var mu sync.Mutex
		var history []porcupine.Operation
		var wg sync.WaitGroup
		begin := time.Now()
		for client := range clients {
			wg.Go(func() {
				random := rand.New(rand.NewPCG(seed, uint64(client)))
				version := int64(0)
				for i := range calls {
					call := streamCall{events: 1 + random.IntN(3), number: client*calls + i}
					switch random.IntN(6) {
					case 0:
						call.read = true
					case 1:
						call.expected = runtime.Any()
					case 2:
						call.expected = runtime.StreamExists()
					default:
						call.expected = runtime.Exact(version + int64(random.IntN(2)))
					}
					events := placed(stream, call.events)
					attempts := 1
					if !call.read && !call.expected.IsAny() && !call.expected.IsStreamExists() {
						attempts = 2
					}
					for range attempts {
						var answer streamAnswer
						from := time.Since(begin)
						work := func() error {
							if call.read {
								s, err := poolStore.ReadAggregateStream(t.Context(), pool, "Order", stream, nil, nil)
								answer.version = s.Version()
								return err
							}
							r, err := makeAppend(random, call.expected, events)
							var conflict *runtime.ConflictError
							if errors.As(err, &conflict) {
								answer.version = conflict.Actual
								return nil
							}
							answer = streamAnswer{version: r.ToVersion(), won: true, again: r.AlreadyStored}
							return err
						}
						if err := work(); err != nil {
							t.Errorf("seed %d: %+v: %v", seed, call, err)
							return
						}
						version = answer.version
						mu.Lock()
						history = append(history, porcupine.Operation{
							ClientId: client, Input: call, Output: answer, Call: from.Nanoseconds(), Return: time.Since(begin).Nanoseconds(),
						})
						mu.Unlock()
					}
				}
			})
		}
		wg.Wait()
		if t.Failed() {
			return
		}
		if verdict := porcupine.CheckOperationsTimeout(streamModel, history, patience); verdict != porcupine.Ok {
			t.Fatalf("seed %d: the history is not linearizable (%s): %+v", seed, verdict, history)
		}
	}
}
