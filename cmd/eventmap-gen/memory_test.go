package main

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// The setting is the process's own, so this runs beside no other test.
func TestDeferCollection_holdsUntilTheFirst(t *testing.T) {
	usual := debug.SetGCPercent(100)
	t.Cleanup(func() { debug.SetGCPercent(usual) })
	deferCollection()
	for deadline := time.Now().Add(time.Minute); ; runtime.Gosched() {
		runtime.GC()
		percent := debug.SetGCPercent(100)
		if percent == 100 {
			return
		}
		debug.SetGCPercent(percent)
		if time.Now().After(deadline) {
			t.Fatalf("after a collection, the next comes at %d%%", percent)
		}
	}
}
