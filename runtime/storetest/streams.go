package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/eventmap/eventmap/runtime"
)

func (s *suite[Tx]) streamsCases() []testCase {
	needs := []Ability{StreamsAppender}
	return []testCase{
		{name: "Streams/each as if appended alone", needs: needs, run: s.streamsAppend},
		{name: "Streams/one conflict and nothing is written", needs: needs, run: s.streamsConflict},
		{name: "Streams/a conflict keeps the transaction", needs: append(needs, Transactions), run: s.streamsConflictKeepsTransaction},
		{name: "Streams/same events give the first results", needs: needs, run: s.streamsRetry},
		{name: "Streams/event ID stored otherwise", needs: needs, run: s.streamsDuplicate},
		{name: "Streams/event ID stored in another stream", needs: append(needs, DuplicatesElsewhere), run: s.streamsDuplicateElsewhere},
		{name: "Streams/refused before anything is sent", needs: needs, run: s.streamsRefused},
		{name: "Guards/hold and write nothing", needs: needs, run: s.guardsHold},
		{name: "Guards/one that fails keeps everything out", needs: needs, run: s.guardsFail},
		{name: "Guards/alone", needs: needs, run: s.guardsAlone},
		{name: "Guards/a conflict keeps the transaction", needs: append(needs, Transactions), run: s.guardsKeepTransaction},
		{name: "Guards/a guarded stream can be begun", needs: append(needs, Transactions), run: s.guardsThenAppend},
		{name: "Guards/a retry is recognised though they hold no longer", needs: needs, run: s.guardsRetry},
		{name: "Guards/refused before anything is sent", needs: needs, run: s.guardsRefused},
		{name: "Guards/hold until the transaction ends", needs: append(needs, Transactions, ConcurrentWriters), run: s.guardsLock},
		{name: "Guards/crossing ones never both hold", needs: needs, run: s.guardsCross},
	}
}

// tryStreams appends to several streams in a transaction of its own.
func (s *suite[Tx]) tryStreams(ctx context.Context, appends ...runtime.StreamAppend) (r []runtime.AppendResult, err error) {
	store := s.Store.(runtime.StreamsAppender[Tx])
	err = s.do(ctx, func(tx Tx) error {
		var appendErr error
		r, appendErr = store.AppendStreams(ctx, tx, appends...)
		return appendErr
	})
	return r, err
}

func (s *suite[Tx]) streamsAppend(t *testing.T) {
	stream, absent, anyway := s.newStream(), s.newStream(), s.newStream()
	s.append(t, runtime.NoStream(), placed(stream, 2))
	other := placed(stream, 1)
	other[0].AggregateType = "Invoice"
	before := s.end(t)
	appends := []runtime.StreamAppend{
		{Expected: runtime.Exact(2), Events: placed(stream, 3)},
		{Expected: runtime.NoStream(), Events: odd(absent, false)},
		{Expected: runtime.Any(), Events: placed(anyway, 1)},
		{Expected: runtime.Any(), Events: other},
	}
	r, err := s.tryStreams(t.Context(), appends...)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "number of results", len(appends), len(r))
	var all []runtime.PersistedEvent
	for i, from := range []int64{2, 0, 0, 0} {
		equal(t, "FromVersion", from, r[i].FromVersion())
		equal(t, "ToVersion", from+int64(len(appends[i].Events)), r[i].ToVersion())
		equal(t, "number of positions", len(appends[i].Events), len(r[i].GlobalPositions))
		if !slices.IsSorted(r[i].GlobalPositions) {
			t.Errorf("positions %v do not rise", r[i].GlobalPositions)
		}
		all = append(all, r[i].Events...)
	}
	equal(t, "stream as read", r[0].Events, s.stream(t, stream).Events[2:])
	equal(t, "stream as read", r[1].Events, s.stream(t, absent).Events)
	slices.SortFunc(all, func(a, b runtime.PersistedEvent) int { return int(a.GlobalPosition - b.GlobalPosition) })
	equal(t, "log as read", all, s.log(t, before, 100))
	_, err = s.tryStreams(t.Context(),
		runtime.StreamAppend{Expected: runtime.StreamExists(), Events: placed(anyway, 1)},
		runtime.StreamAppend{Expected: runtime.Any(), Events: placed(stream, 1)})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "version", int64(6), s.stream(t, stream).Version())
	equal(t, "version", int64(2), s.stream(t, anyway).Version())
}

func (s *suite[Tx]) streamsConflict(t *testing.T) {
	stream := s.newStream()
	s.append(t, runtime.NoStream(), placed(stream, 2))
	for _, wrong := range []runtime.ExpectedVersion{runtime.NoStream(), runtime.Exact(1), runtime.Exact(3)} {
		one, two := s.newStream(), s.newStream()
		before := s.end(t)
		tx := s.begin(t)
		_, err := s.Store.(runtime.StreamsAppender[Tx]).AppendStreams(t.Context(), tx.Tx,
			runtime.StreamAppend{Expected: runtime.NoStream(), Events: placed(one, 1)},
			runtime.StreamAppend{Expected: wrong, Events: placed(stream, 1)},
			runtime.StreamAppend{Expected: runtime.StreamExists(), Events: placed(two, 1)},
		)
		wantConflict(t, err, &runtime.ConflictError{AggregateType: aggregateType, AggregateID: stream, Expected: wrong, Actual: 2})
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		equal(t, "latest position", before, s.end(t))
		equal(t, "version", int64(0), s.stream(t, one).Version())
		s.append(t, runtime.NoStream(), placed(one, 1))
	}
	equal(t, "version", int64(2), s.stream(t, stream).Version())
}

func (s *suite[Tx]) streamsConflictKeepsTransaction(t *testing.T) {
	store := s.Store.(runtime.StreamsAppender[Tx])
	one, two := s.newStream(), s.newStream()
	s.in(t, func(tx Tx) error {
		appends := []runtime.StreamAppend{
			{Expected: runtime.NoStream(), Events: placed(one, 1)},
			{Expected: runtime.StreamExists(), Events: placed(two, 1)},
		}
		if _, err := store.AppendStreams(t.Context(), tx, appends...); !errors.Is(err, runtime.ErrOptimisticConcurrency) {
			t.Errorf("error is %v, want %v", err, runtime.ErrOptimisticConcurrency)
		}
		appends[1].Expected = runtime.NoStream()
		_, err := store.AppendStreams(t.Context(), tx, appends...)
		return err
	})
	equal(t, "version", int64(1), s.stream(t, one).Version())
	equal(t, "version", int64(1), s.stream(t, two).Version())
}

func (s *suite[Tx]) streamsRetry(t *testing.T) {
	one, two := s.newStream(), s.newStream()
	appends := []runtime.StreamAppend{
		{Expected: runtime.NoStream(), Events: placed(one, 2)},
		{Expected: runtime.Exact(0), Events: placed(two, 1)},
	}
	want, err := s.tryStreams(t.Context(), appends...)
	if err != nil {
		t.Fatal(err)
	}
	before := s.end(t)
	got, err := s.tryStreams(t.Context(), appends...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		want[i].AlreadyStored = true
	}
	equal(t, "results", want, got)
	equal(t, "latest position", before, s.end(t))
}

func (s *suite[Tx]) streamsDuplicate(t *testing.T) {
	one, two := s.newStream(), s.newStream()
	stored := placed(one, 1)
	s.append(t, runtime.NoStream(), stored)
	s.isDuplicate(t,
		runtime.StreamAppend{Expected: runtime.NoStream(), Events: stored},
		runtime.StreamAppend{Expected: runtime.NoStream(), Events: placed(two, 1)})
	equal(t, "version", int64(0), s.stream(t, two).Version())
}

func (s *suite[Tx]) streamsDuplicateElsewhere(t *testing.T) {
	one, two, three := s.newStream(), s.newStream(), s.newStream()
	moved := placed(one, 1)
	s.append(t, runtime.NoStream(), slices.Clone(moved))
	moved[0].AggregateID = two
	s.isDuplicate(t,
		runtime.StreamAppend{Expected: runtime.Any(), Events: moved},
		runtime.StreamAppend{Expected: runtime.Any(), Events: placed(three, 1)})
	equal(t, "version", int64(0), s.stream(t, three).Version())
}

// isDuplicate fails t unless the appends are refused because an event is stored otherwise, and write nothing.
func (s *suite[Tx]) isDuplicate(t *testing.T, appends ...runtime.StreamAppend) {
	t.Helper()
	before := s.end(t)
	_, err := s.tryStreams(t.Context(), appends...)
	if !errors.Is(err, runtime.ErrDuplicateEvent) || errors.Is(err, runtime.ErrOptimisticConcurrency) {
		t.Errorf("error is %v, want %v", err, runtime.ErrDuplicateEvent)
	}
	equal(t, "latest position", before, s.end(t))
}

func (s *suite[Tx]) streamsRefused(t *testing.T) {
	one, two := s.newStream(), s.newStream()
	twice := placed(one, 1)
	again := placed(two, 1)
	again[0].EventID = twice[0].EventID
	mixed := placed(two, 2)
	mixed[1].AggregateID = one
	fine := runtime.StreamAppend{Expected: runtime.Any(), Events: placed(one, 1)}
	var invalid *runtime.InvalidEventError
	for _, row := range []struct {
		name    string
		appends []runtime.StreamAppend
		is      func(error) bool
	}{
		{"nothing", nil, func(err error) bool { return errors.Is(err, runtime.ErrNoEvents) }},
		{"a stream without events", []runtime.StreamAppend{fine, {Expected: runtime.Any()}},
			func(err error) bool { return errors.Is(err, runtime.ErrNoEvents) }},
		{"a stream twice", []runtime.StreamAppend{fine, fine},
			func(err error) bool { return errors.As(err, &invalid) }},
		{"two streams in one", []runtime.StreamAppend{fine, {Expected: runtime.Any(), Events: mixed}},
			func(err error) bool { return errors.As(err, &invalid) }},
		{"a negative version", []runtime.StreamAppend{{Expected: runtime.Exact(-1), Events: placed(two, 1)}},
			func(err error) bool { return errors.As(err, &invalid) }},
		{"one event ID in two streams", []runtime.StreamAppend{{Expected: runtime.Any(), Events: twice}, {Expected: runtime.Any(), Events: again}},
			func(err error) bool { return errors.Is(err, runtime.ErrDuplicateEvent) }},
	} {
		if _, err := s.tryStreams(t.Context(), row.appends...); err == nil || !row.is(err) {
			t.Errorf("%s: error is %v", row.name, err)
		}
	}
	equal(t, "version", int64(0), s.stream(t, one).Version())
}
