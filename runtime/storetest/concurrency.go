package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
)

// writers is how many goroutines the concurrent cases start.
const writers = 8

func (s *suite[Tx]) concurrencyCases() []testCase {
	return []testCase{
		{name: "Concurrent/Any never fails", run: s.anyNeverFails},
		{name: "Concurrent/exactly one of those who expect the same wins", run: s.oneWinner},
		{name: "Concurrent/the same append made by many is stored once", run: s.storedOnce},
		{name: "Concurrent/appends to several streams do not deadlock", needs: []Ability{StreamsAppender}, run: s.noDeadlock},
		{name: "Concurrent/a reader sees every event once and in order", run: s.readerFollows},
	}
}

// together runs call in every writer at once and returns their errors.
func together(call func(writer int) error) []error {
	errs := make([]error, writers)
	var ready, done sync.WaitGroup
	ready.Add(writers)
	for w := range writers {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			errs[w] = call(w)
		})
	}
	done.Wait()
	return errs
}

// succeed fails t for every error.
func succeed(t *testing.T, errs []error) {
	t.Helper()
	for w, err := range errs {
		if err != nil {
			t.Errorf("writer %d: %v", w, err)
		}
	}
}

func (s *suite[Tx]) anyNeverFails(t *testing.T) {
	const rounds = 20
	stream := s.newStream()
	succeed(t, together(func(w int) error {
		for i := range rounds {
			if _, err := s.try(t.Context(), runtime.Any(), placed(stream, 1+(w+i)%3)); err != nil {
				return err
			}
		}
		return nil
	}))
	events := s.stream(t, stream).Events
	position := int64(0)
	for i, e := range events {
		equal(t, "version", int64(i+1), e.AggregateVersion)
		if e.GlobalPosition <= position {
			t.Errorf("version %d has position %d, after %d", e.AggregateVersion, e.GlobalPosition, position)
		}
		position = e.GlobalPosition
	}
	want := 0
	for w := range writers {
		for i := range rounds {
			want += 1 + (w+i)%3
		}
	}
	equal(t, "number of events", want, len(events))
}

func (s *suite[Tx]) oneWinner(t *testing.T) {
	stream := s.newStream()
	for version := int64(0); version < 15; {
		n := 1 + int(version)%2
		won := 0
		for w, err := range together(func(int) error {
			_, err := s.try(t.Context(), runtime.Exact(version), placed(stream, n))
			return err
		}) {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, runtime.ErrOptimisticConcurrency):
				t.Errorf("writer %d: %v", w, err)
			}
		}
		if won != 1 {
			t.Fatalf("%d writers appended at version %d, want 1", won, version)
		}
		version += int64(n)
		equal(t, "version", version, s.stream(t, stream).Version())
	}
}

func (s *suite[Tx]) storedOnce(t *testing.T) {
	stream := s.newStream()
	for version := range int64(10) {
		events := placed(stream, 1)
		var mu sync.Mutex
		first := 0
		succeed(t, together(func(int) error {
			r, err := s.try(t.Context(), runtime.Exact(version), events)
			mu.Lock()
			defer mu.Unlock()
			if err == nil && !r.AlreadyStored {
				first++
			}
			return err
		}))
		equal(t, "appends that stored the event", 1, first)
	}
	equal(t, "version", int64(10), s.stream(t, stream).Version())
}

func (s *suite[Tx]) noDeadlock(t *testing.T) {
	const rounds = 10
	for round := range rounds {
		names := make([]string, 4)
		for i := range names {
			names[i] = s.newStream()
			if (round+i)%2 == 0 { // some streams exist, the others are created by whoever comes first
				s.append(t, runtime.NoStream(), placed(names[i], 1))
			}
		}
		succeed(t, together(func(w int) error {
			var appends []runtime.StreamAppend
			for i := range names {
				appends = append(appends, runtime.StreamAppend{
					Expected: runtime.Any(), Events: placed(names[(w+i*(1+w%2*2))%len(names)], 1),
				})
			}
			for {
				_, err := s.tryStreams(t.Context(), appends...)
				if !runtime.Retryable(err) {
					return err
				}
			}
		}))
		for i, name := range names {
			want := int64(writers)
			if (round+i)%2 == 0 {
				want++
			}
			equal(t, "version", want, s.stream(t, name).Version())
		}
	}
}

func (s *suite[Tx]) readerFollows(t *testing.T) {
	const rounds = 25
	before := s.end(t)
	streams := []string{s.newStream(), s.newStream(), s.newStream()}
	writing := make(chan struct{})
	var failed []error
	go func() {
		defer close(writing)
		failed = together(func(w int) error {
			for i := range rounds {
				if _, err := s.try(t.Context(), runtime.Any(), placed(streams[(w+i)%3], 1+i%2)); err != nil {
					return err
				}
			}
			return nil
		})
	}()
	seen := make(map[uuid.UUID]bool)
	versions := make(map[string]int64)
	for checkpoint := before; ; {
		last := false
		select {
		case <-writing:
			last = true
		default:
		}
		events := s.readable(t, checkpoint, 7)
		if last {
			events = s.log(t, checkpoint, 7)
		}
		for _, e := range events {
			if seen[e.EventID] {
				t.Fatalf("event %s came twice", e.EventID)
			}
			seen[e.EventID] = true
			if e.GlobalPosition <= checkpoint {
				t.Fatalf("position %d came after %d", e.GlobalPosition, checkpoint)
			}
			checkpoint = e.GlobalPosition
			versions[e.AggregateID]++
			equal(t, "version", versions[e.AggregateID], e.AggregateVersion)
		}
		if last && len(events) == 0 {
			break
		}
	}
	succeed(t, failed)
	for _, stream := range streams {
		equal(t, fmt.Sprintf("version of %s", stream), versions[stream], s.stream(t, stream).Version())
	}
	equal(t, "events seen", writers*(rounds/2*3+1), len(seen))
}
