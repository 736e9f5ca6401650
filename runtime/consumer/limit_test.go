package consumer_test

import (
	"context"
	"fmt"
	goruntime "runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// batches collects how many events each committed batch had.
type batches struct {
	mu     sync.Mutex
	events []int
}

func (b *batches) hooks() consumer.Hooks {
	return consumer.Hooks{Batch: func(_ context.Context, info consumer.BatchInfo) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if info.Events > 0 {
			b.events = append(b.events, info.Events)
		}
	}}
}

// appendLarge appends n events of the size to a stream.
func (e *env) appendLarge(n, size int) {
	e.Helper()
	payload := fmt.Appendf(nil, `{"text": %q}`, strings.Repeat("x", size)) // PostgreSQL stores it in a hundredth of the room
	for i := range n {
		_, err := e.store.Append(e.Context(), e.pool, runtime.Any(), []runtime.Event{{
			AggregateType: "Order", AggregateID: fmt.Sprint(i % 3), EventType: "Happened", EventVersion: 1, EventID: uuid.New(), Payload: payload,
		}})
		if err != nil {
			e.Fatal(err)
		}
	}
}

// A batch holds no more bytes than it may, but always an event. Small events are not held up by that.
func TestBatchBytes_limitsABatch(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.appendLarge(7, 1<<20)
	e.append("Order", "small", 40)
	for _, want := range []struct {
		limit int64
		most  int
	}{{1, 1}, {3 << 20, 2}, {0, 47}} {
		for _, segments := range []int{1, 2} {
			name := fmt.Sprint("c", want.limit, segments)
			var b batches
			r, err := consumer.New(e.db, consumer.Config{PollLeast: time.Millisecond, Hooks: b.hooks()}, consumer.Registration[pgx.Tx]{
				Consumer: writes(name, nil), BatchBytes: want.limit, Segments: segments,
			})
			if err != nil {
				t.Fatal(err)
			}
			e.catchUp(r)
			e.wantModel(name, e.logPositions())
			if segments == 1 && b.events[0] > want.most {
				t.Errorf("batches of %v events with a limit of %d bytes, want at most %d large ones", b.events, want.limit, want.most)
			}
		}
	}
}

// 120 events of 4 MB do not come into memory together.
func TestBatchBytes_boundsMemory(t *testing.T) {
	e := newEnv(t)
	e.appendLarge(120, 4<<20)
	var most, before goruntime.MemStats
	goruntime.GC()
	goruntime.ReadMemStats(&before)
	r := e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("c", func(context.Context, pgx.Tx, runtime.PersistedEvent) error {
		var now goruntime.MemStats
		goruntime.GC()
		if goruntime.ReadMemStats(&now); now.HeapAlloc > most.HeapAlloc {
			most = now
		}
		return nil
	})})
	e.catchUp(r)
	e.wantModel("c", e.logPositions())
	if grown := int64(most.HeapAlloc) - int64(before.HeapAlloc); grown > 64<<20 {
		t.Errorf("the heap grew by %d MiB, want at most 64", grown>>20)
	}
}

// A batch that takes long is committed before it is done.
func TestBatchTime_limitsABatch(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	log := e.append("Order", "o", 10)
	var b batches
	r, err := consumer.New(e.db, consumer.Config{PollLeast: time.Millisecond, Hooks: b.hooks()}, consumer.Registration[pgx.Tx]{
		BatchTime: time.Millisecond,
		Consumer: writes("c", func(context.Context, pgx.Tx, runtime.PersistedEvent) error {
			time.Sleep(2 * time.Millisecond)
			return nil
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	e.catchUp(r)
	e.wantModel("c", log)
	if len(b.events) != 10 {
		t.Errorf("batches of %v events, want one each", b.events)
	}
}
