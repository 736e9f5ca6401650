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
	_, grown := watch(2*time.Millisecond, heap)
	return func() float64 { return float64(grown()) / (1 << 20) }
}

// watch begins to watch an amount, and returns what it is at the start, and what ends it and gives the most it has grown.
func watch[N uint64 | int](every time.Duration, amount func() N) (start N, grown func() N) {
	start = amount()
	most := start
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				most = max(most, amount())
			}
		}
	})
	return start, func() N {
		close(stop)
		wg.Wait()
		return most - start
	}
}

func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
