package main

import (
	"runtime"
	"runtime/metrics"
	"sync"
	"time"
)

// allocations returns how many objects the program has allocated so far.
func allocations() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:objects"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// watchHeap begins to watch the heap, garbage included, and returns what ends it and gives the most it has grown, in MiB.
func watchHeap() func() float64 {
	runtime.GC()
	start := heap()
	most := start
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				most = max(most, heap())
			}
		}
	})
	return func() float64 {
		close(stop)
		wg.Wait()
		return float64(most-start) / (1 << 20)
	}
}

func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
