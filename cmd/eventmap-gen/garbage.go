package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// The heap may grow to roomyHeap before garbage is collected, however little of it is live, and to three times what is live
// where that is more. The process is short: a domain of some hundred events is done after two collections. See
// docs/adr/0160-both-processors-work-while-files-are-made.md, and 0179 for the bound.
const (
	roomyHeap      = 14 << 20 // bytes
	garbagePercent = 200
)

// deferCollection says when garbage is collected, now and after each collection.
func deferCollection() {
	const least = 4 << 20 // what the heap may grow to at 100 percent before the first collection
	debug.SetGCPercent(100 * roomyHeap / least)
	afterCollection(func() {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		debug.SetGCPercent(percentFor(live[0].Value.Uint64()))
	})
}

// percentFor returns how much garbage may gather beside so many live bytes, in percent of them.
func percentFor(live uint64) int {
	return max(garbagePercent, int(100*roomyHeap/max(live, 1<<20))-100)
}

// afterCollection calls f soon after each collection of garbage.
func afterCollection(f func()) {
	type sentinel struct{ _ *sentinel } // with a pointer, so that it has memory of its own
	runtime.AddCleanup(&sentinel{}, func(f func()) {
		f()
		afterCollection(f)
	}, f)
}
