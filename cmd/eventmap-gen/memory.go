package main

import (
	"runtime"
	"runtime/debug"
)

// deferCollection lets the heap grow to 20 MB before the first garbage is collected, in place of 4 MB: most runs end before
// they have made much more, and collecting it takes as long as all that the command does itself. Runs that go on past
// that collect as any Go program does.
func deferCollection() {
	const usual, first = 100, 500
	debug.SetGCPercent(first)
	runtime.AddCleanup(new(sentinel), func(percent int) { debug.SetGCPercent(percent) }, usual)
}

// A sentinel is something that the first collection finds unused. It holds a pointer so that it has memory of its own.
type sentinel struct{ _ *sentinel }
