package astscan

import (
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// forEach calls f with each element, in some order and several at a time.
func forEach[E any](list []E, f func(E)) {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, e := range list {
		group.Go(func() error {
			f(e)
			return nil
		})
	}
	_ = group.Wait() // f reports by itself
}

// shares parts a list into as many pieces as there are processors, in its order.
func shares[E any](list []E) [][]E {
	n := runtime.GOMAXPROCS(0)
	return slices.Collect(slices.Chunk(list, max(1, (len(list)+n-1)/n)))
}

// aside starts a stage while others run. It reports to a scan of its own. The function that aside returns waits for it and takes
// over what it reported.
func (s *scan) aside(stage func(*scan)) (join func()) {
	own := *s
	own.problems, own.notes, own.doubts, own.warnings = nil, nil, nil, nil
	var group sync.WaitGroup
	group.Go(func() { stage(&own) })
	return func() {
		group.Wait()
		s.problems = append(s.problems, own.problems...)
		s.notes = append(s.notes, own.notes...)
		s.doubts = append(s.doubts, own.doubts...)
		s.warnings = append(s.warnings, own.warnings...)
	}
}
