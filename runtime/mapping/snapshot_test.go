package mapping_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
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
		loaded.Appended(result)
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
	for every, id := range map[int]string{0: "2", -1: "3", math.MinInt: "4", math.MaxInt: "5"} {
		never := b.snapshots("code", runtime.SnapshotEvery(every))
		b.add(never, id, slices.Repeat([]int{1}, 300)...)
		if got := b.load(never, id); got.Saved != 0 || got.Version != 300 {
			t.Errorf("every %d: a snapshot of version %d of %d was saved", every, got.Saved, got.Version)
		}
	}
}

type otherCodec struct{ runtime.JSONCodec }

// Whatever becomes of the row, the state is the one that the events come to, the logger is told, and the next snapshot takes
// the row's place.
func TestSnapshots_corrupt(t *testing.T) {
	t.Parallel()
	const cannotBeRead = "a snapshot cannot be read"
	for name, tt := range map[string]struct{ spoil, told string }{
		"no JSON":                  {"update aggregate_snapshots set state = cast('{' as blob)", cannotBeRead},
		"empty":                    {"update aggregate_snapshots set state = cast('' as blob)", cannotBeRead},
		"null":                     {"update aggregate_snapshots set state = cast('null' as blob)", cannotBeRead},
		"no members":               {"update aggregate_snapshots set state = cast('{}' as blob)", cannotBeRead},
		"another state":            {`update aggregate_snapshots set state = cast('{"Numbers":[9],"Hash":9}' as blob)`, cannotBeRead},
		"another state's stamp":    {`update aggregate_snapshots set state = cast('{"Numbers":[9],"Hash":9}' || substr(cast(state as text), -54) as blob)`, cannotBeRead},
		"truncated":                {"update aggregate_snapshots set state = substr(state, 1, length(state) - 1)", cannotBeRead},
		"without its beginning":    {"update aggregate_snapshots set state = substr(state, 2)", cannotBeRead},
		"without its stamp":        {"update aggregate_snapshots set state = substr(state, 1, length(state) - 54)", cannotBeRead},
		"no text":                  {"update aggregate_snapshots set state = x'ff00ff'", cannotBeRead},
		"zeros":                    {"update aggregate_snapshots set state = zeroblob(length(state))", cannotBeRead},
		"huge":                     {"update aggregate_snapshots set state = zeroblob(20000000)", cannotBeRead},
		"nested":                   {"update aggregate_snapshots set state = cast(replace(hex(zeroblob(100000)), '0', '[') as blob)", cannotBeRead},
		"of an earlier version":    {"update aggregate_snapshots set aggregate_version = 1", cannotBeRead},
		"of a later version":       {"update aggregate_snapshots set aggregate_version = 3", ""},
		"of the last version":      {"update aggregate_snapshots set aggregate_version = 9223372036854775807", ""},
		"of another stream":        {"update aggregate_snapshots set state = (select state from aggregate_snapshots where aggregate_id = '2')", cannotBeRead},
		"of other code":            {"update aggregate_snapshots set fingerprint = 'f'", ""},
		"of another type":          {"update aggregate_snapshots set aggregate_type = 'Other'", ""},
		"deleted":                  {"delete from aggregate_snapshots", ""},
		"with keys":                {`update aggregate_snapshots set key_ids = 'no JSON'`, "-"},
		"saved in another century": {"update aggregate_snapshots set saved_at = 'once'", "-"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, told := newBook(t), &recorded{}
			s := b.snapshots("code", runtime.SnapshotEvery(2), runtime.WithLogger(told))
			b.add(s, "1", 1, 2)
			b.add(s, "2", 3, 4)
			b.in(func(ctx context.Context, tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, tt.spoil+" where aggregate_id = '1'")
				return err
			})
			saved := int64(0)
			if tt.told == "-" { // it is of no matter
				saved, tt.told = 2, ""
			}
			if got := b.load(s, "1"); got.Version != 2 || got.Saved != saved || !slices.Equal(got.State.Numbers, []int{1, 2}) {
				t.Errorf("got %+v", got)
			}
			if (tt.told == "") != (len(told.told) == 0) || len(told.told) > 1 || !strings.Contains(strings.Join(told.told, ""), tt.told) {
				t.Errorf("the logger was told %q, want %q", told.told, tt.told)
			}
			for _, n := range []int{3, 4} {
				b.add(s, "1", n)
			}
			want := tally{Numbers: []int{1, 2, 3, 4}, Hash: hashOf(1, 2, 3, 4)}
			if got := b.load(s, "1"); !reflect.DeepEqual(got.State, want) {
				t.Errorf("later on it is %+v, want %+v", got.State, want)
			}
		})
	}
}

func hashOf(numbers ...int) (hash uint64) {
	for _, n := range numbers {
		hash = hash*31 + uint64(n) + 1
	}
	return hash
}

// A log that was restored without its snapshots, and goes on with other events, passes the version of one of them: it holds
// what never happened there.
func TestSnapshots_logRestoredWithoutThem(t *testing.T) {
	t.Parallel()
	b, told := newBook(t), &recorded{}
	s := b.snapshots("code", runtime.SnapshotEvery(4), runtime.WithLogger(told))
	b.add(s, "1", 1, 2, 3, 4)
	b.in(func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "delete from events where aggregate_version > 2")
		return err
	})
	for version, n := range []int{7, 8, 9} {
		b.add(s, "1", n)
		if got := b.load(b.snapshots("code", runtime.WithLogger(told)), "1"); !slices.Equal(got.State.Numbers, []int{1, 2, 7, 8, 9}[:3+version]) {
			t.Errorf("the state is %v", got.State.Numbers)
		}
	}
	if len(told.told) == 0 || !strings.Contains(told.told[0], "restored without its snapshots; drop the snapshots of Tally") {
		t.Errorf("the logger was told %q", told.told)
	}
	if got := b.load(s, "1"); got.Saved != 5 {
		t.Errorf("the snapshot is of version %d, want that it was replaced by one of 5", got.Saved)
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
	// A fold that depends on more than the generator sees: another program has saved another state under the same key.
	other := mapping.NewSnapshots[*sql.Tx, tally](b.store, mapping.NewSettings(runtime.SnapshotEvery(1)), "Tally", "code", func(s *tally, events []runtime.PersistedEvent) error {
		s.Hash++
		return foldTally(s, events)
	})
	b.in(func(ctx context.Context, tx *sql.Tx) error {
		loaded, err := other.Load(ctx, tx, "1", runtime.ToVersion(2))
		if err != nil {
			return err
		}
		_, err = b.store.DropSnapshots(ctx, tx, runtime.SnapshotQuery{AggregateType: "Tally", AggregateID: "1"})
		other.Save(ctx, tx, "1", loaded)
		return err
	})
	if got := b.load(s, "1"); !slices.Equal(got.State.Numbers, []int{1, 2}) || got.State.Hash != hashOf(1, 2) {
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

// A state whose methods panic fails neither an append nor a load: the append may be committed already.
func TestSnapshots_stateThatPanics(t *testing.T) {
	t.Parallel()
	b, told := newBook(t), &recorded{}
	s := func(writes, reads bool) mapping.Snapshots[*sql.Tx, tally] {
		return b.snapshots("code", runtime.SnapshotEvery(1), runtime.WithCodec(panicking{writes: writes, reads: reads}), runtime.WithLogger(told))
	}
	b.add(s(true, false), "1", 1)
	b.add(s(false, false), "1", 2)
	if got := b.load(s(false, true), "1"); got.Version != 2 || got.Saved != 0 || !slices.Equal(got.State.Numbers, []int{1, 2}) {
		t.Errorf("got %+v, want what both events come to", got)
	}
	want := []string{"a snapshot cannot be saved", "a snapshot cannot be read"}
	if len(told.told) != 2 || !strings.Contains(told.told[0], want[0]) || !strings.Contains(told.told[1], want[1]) || !strings.Contains(told.told[1], "panic: no state") {
		t.Errorf("the logger was told %q, want %q", told.told, want)
	}
}

// A panicking codec stands for a state with methods for JSON that panic.
type panicking struct {
	runtime.JSONCodec
	writes, reads bool
}

func (p panicking) Marshal(value any) ([]byte, error) {
	if p.writes {
		panic("no state")
	}
	return p.JSONCodec.Marshal(value)
}

func (p panicking) Unmarshal(data []byte, into any) error {
	if p.reads {
		panic("no state")
	}
	return p.JSONCodec.Unmarshal(data, into)
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

// lending lends the events of a load, and spoils them when they have been used.
type lending struct {
	*sqlite.Store
	lent *int
}

func (l lending) PartsOf() runtime.AggregateStreamReader[*sql.Tx] { return l }

func (l lending) LendFromSnapshot(ctx context.Context, tx *sql.Tx, key runtime.SnapshotKey, use func(runtime.Snapshot, runtime.Stream) error) error {
	snapshot, stream, err := l.ReadFromSnapshot(ctx, tx, key)
	if err != nil {
		return err
	}
	*l.lent++
	defer clear(stream.Events)
	return use(snapshot, stream)
}

// embedding reads in its own way, of which what it embeds knows nothing.
type embedding struct{ lending }

func (e embedding) ReadFromSnapshot(context.Context, *sql.Tx, runtime.SnapshotKey) (runtime.Snapshot, runtime.Stream, error) {
	return runtime.Snapshot{}, runtime.Stream{}, errOwn
}

var errOwn = errors.New("of its own")

func TestSnapshots_lentEvents(t *testing.T) {
	t.Parallel()
	b, lent := newBook(t), 0
	settings := mapping.NewSettings(runtime.SnapshotEvery(3))
	s := mapping.NewSnapshots[*sql.Tx, tally](lending{b.store, &lent}, settings, "Tally", "code", foldTally)
	for i := range 5 {
		b.add(s, "1", i)
	}
	if got := b.load(s, "1"); got.Version != 5 || got.Saved != 3 || got.State.Hash != hashOf(0, 1, 2, 3, 4) || lent != 6 {
		t.Errorf("got %+v, lent %d times; want version 5 from 3, all numbers, 6 times", got, lent)
	}
	e := mapping.NewSnapshots[*sql.Tx, tally](embedding{lending{b.store, &lent}}, settings, "Tally", "code", foldTally)
	b.in(func(ctx context.Context, tx *sql.Tx) error {
		if _, err := e.Load(ctx, tx, "1"); !errors.Is(err, errOwn) {
			t.Errorf("a store that embeds a lender was passed by: %v", err)
		}
		return nil
	})
}
