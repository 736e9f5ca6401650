package mapping_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/mapping"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// A tally is a state that any event missed, repeated or out of order would change.
type tally struct {
	Numbers []int
	Hash    uint64
}

func foldTally(t *tally, events []runtime.PersistedEvent) error {
	for i := range events {
		var n int
		if err := json.Unmarshal(events[i].Payload, &n); err != nil {
			return err
		}
		t.Numbers = append(t.Numbers, n)
		t.Hash = t.Hash*31 + uint64(n) + 1
	}
	return nil
}

// recorded collects what a logger is told.
type recorded struct {
	runtime.NoOpLogger
	told []string
}

func (l *recorded) Error(_ context.Context, message string, keyvals ...any) {
	l.told = append(l.told, fmt.Sprint(append([]any{message}, keyvals...)...))
}

// A book is a store of tallies in memory.
type book struct {
	t     testing.TB
	db    *sql.DB
	store *sqlite.Store
}

func newBook(t testing.TB) *book {
	t.Helper()
	db, err := sqlite.Open(t.Context(), ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := sqlite.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.New()
	if err != nil {
		t.Fatal(err)
	}
	return &book{t, db, store}
}

// in runs call in a transaction.
func (b *book) in(call func(ctx context.Context, tx *sql.Tx) error) {
	b.t.Helper()
	tx, err := b.db.BeginTx(b.t.Context(), nil)
	if err == nil {
		err = errors.Join(call(b.t.Context(), tx), tx.Commit())
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *book) snapshots(code string, opts ...runtime.Option) mapping.Snapshots[*sql.Tx, tally] {
	return mapping.NewSnapshots[*sql.Tx, tally](b.store, mapping.NewSettings(opts...), "Tally", code, foldTally)
}

// add appends numbers as Execute does: it loads, appends, folds and saves.
func (b *book) add(s mapping.Snapshots[*sql.Tx, tally], id string, numbers ...int) {
	b.t.Helper()
	b.in(func(ctx context.Context, tx *sql.Tx) error {
		loaded, err := s.Load(ctx, tx, id)
		if err != nil {
			return err
		}
		var events []runtime.Event
		for _, n := range numbers {
			events = append(events, runtime.Event{AggregateType: "Tally", AggregateID: id, EventType: "Counted", EventVersion: 1, EventID: uuid.New(), Payload: fmt.Append(nil, n)})
		}
		result, err := b.store.Append(ctx, tx, runtime.Exact(loaded.Version), events)
		if err != nil {
			return err
		}
		if err := foldTally(&loaded.State, result.Events); err != nil {
			return err
		}
		loaded.Version = result.ToVersion()
		s.Save(ctx, tx, id, loaded)
		return nil
	})
}

func (b *book) load(s mapping.Snapshots[*sql.Tx, tally], id string, opts ...runtime.LoadOption) (loaded mapping.Loaded[tally]) {
	b.t.Helper()
	b.in(func(ctx context.Context, tx *sql.Tx) (err error) {
		loaded, err = s.Load(ctx, tx, id, opts...)
		return err
	})
	return loaded
}

func TestSnapshots_saved(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	every := b.snapshots("code", runtime.SnapshotEvery(3))
	for version, saved := range []int64{0, 0, 0, 3, 3, 3, 6} {
		if version > 0 {
			b.add(every, "1", version)
		}
		if got := b.load(every, "1"); got.Saved != saved || got.Version != int64(version) {
			t.Errorf("at version %d the snapshot is of %d, want %d", got.Version, got.Saved, saved)
		}
	}
	if got := b.load(b.snapshots("other code"), "1"); got.Saved != 0 {
		t.Errorf("other code reads the snapshot of version %d", got.Saved)
	}
	if got := b.load(b.snapshots("code", runtime.WithCodec(otherCodec{})), "1"); got.Saved != 0 {
		t.Errorf("another codec reads the snapshot of version %d", got.Saved)
	}
	if got := b.load(every, "1", runtime.ToVersion(2)); got.Version != 2 || got.Saved != 0 {
		t.Errorf("an earlier version is %d, from a snapshot of %d", got.Version, got.Saved)
	}
	never := b.snapshots("code", runtime.SnapshotEvery(0))
	b.add(never, "2", slices.Repeat([]int{1}, 300)...)
	if got := b.load(never, "2"); got.Saved != 0 {
		t.Errorf("a snapshot of version %d was saved", got.Saved)
	}
}

type otherCodec struct{ runtime.JSONCodec }

// What cannot be read is ignored, told, and replaced.
func TestSnapshots_corrupt(t *testing.T) {
	t.Parallel()
	b, told := newBook(t), &recorded{}
	s := b.snapshots("code", runtime.SnapshotEvery(2), runtime.WithLogger(told))
	b.add(s, "1", 1, 2)
	b.in(func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "update aggregate_snapshots set state = cast('{' as blob)")
		return err
	})
	if got := b.load(s, "1"); got.Version != 2 || got.Saved != 0 || !slices.Equal(got.State.Numbers, []int{1, 2}) {
		t.Errorf("got %+v", got)
	}
	if len(told.told) != 1 || !strings.Contains(told.told[0], "a snapshot cannot be read") {
		t.Errorf("the logger was told %q", told.told)
	}
	b.add(s, "1", 3)
	if got := b.load(s, "1"); got.Saved != 3 {
		t.Errorf("the snapshot is of version %d, want 3", got.Saved)
	}
}

func TestSnapshots_verified(t *testing.T) {
	t.Parallel()
	b, told := newBook(t), &recorded{}
	s := b.snapshots("code", runtime.SnapshotEvery(2), runtime.VerifySnapshots(1), runtime.WithLogger(told))
	b.add(s, "1", 1, 2)
	if got := b.load(s, "1"); got.Saved != 2 || len(told.told) > 0 {
		t.Errorf("a sound snapshot: %+v, told %q", got, told.told)
	}
	b.in(func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `update aggregate_snapshots set state = cast('{"Numbers":[9],"Hash":9}' as blob)`)
		return err
	})
	if got := b.load(s, "1"); !slices.Equal(got.State.Numbers, []int{1, 2}) {
		t.Errorf("got %+v, want what the events come to", got)
	}
	if len(told.told) != 1 || !strings.Contains(told.told[0], "a snapshot is not what the events come to") {
		t.Errorf("the logger was told %q", told.told)
	}
}

// A state that cannot be marshaled, and a table that is not there, fail no append.
func TestSnapshots_cannotBeSaved(t *testing.T) {
	t.Parallel()
	b, told := newBook(t), &recorded{}
	s := b.snapshots("code", runtime.SnapshotEvery(1), runtime.WithCodec(broken{}), runtime.WithLogger(told))
	b.add(s, "1", 1)
	if got := b.load(b.snapshots("code"), "1"); got.Version != 1 {
		t.Errorf("the append is gone: %+v", got)
	}
	if len(told.told) != 1 || !strings.Contains(told.told[0], "a snapshot cannot be saved") {
		t.Errorf("the logger was told %q", told.told)
	}
}

// A store that keeps no snapshots does without.
func TestSnapshots_storeWithout(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	s := mapping.NewSnapshots[*sql.Tx, tally](struct{ runtime.Store[*sql.Tx] }{b.store}, mapping.NewSettings(runtime.SnapshotEvery(1)), "Tally", "code", foldTally)
	b.add(s, "1", 1, 2)
	if got := b.load(s, "1"); got.Version != 2 || got.Saved != 0 {
		t.Errorf("got %+v", got)
	}
}
