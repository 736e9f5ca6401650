package reading

import "github.com/eventmap/eventmap/runtime"

// partEvents is how many events are shown at a time: opening so many takes longer than waking a goroutine, and little of a
// stream is left when its end is read.
const partEvents = 256

// Show calls show with the last events of a stream each time so many more are read that they are a part, if show is not nil.
func Show(events []runtime.PersistedEvent, show func([]runtime.PersistedEvent)) {
	if n := len(events); show != nil && n > 0 && n%partEvents == 0 {
		show(events[n-partEvents : n : n])
	}
}
