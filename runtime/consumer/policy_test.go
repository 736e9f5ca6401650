package consumer_test

import (
	"testing"
	"time"

	"github.com/eventmap/eventmap/runtime/consumer"
)

func TestBackoff_doublesUpToTheMost(t *testing.T) {
	t.Parallel()
	b := consumer.Backoff{First: 100 * time.Millisecond, Most: time.Second}
	for failures, most := range map[int]time.Duration{
		1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 3: 400 * time.Millisecond, 4: 800 * time.Millisecond,
		5: time.Second, 6: time.Second, 1 << 30: time.Second,
	} {
		waits := map[time.Duration]bool{}
		for range 100 {
			wait := consumer.After(b, failures)
			if wait < most/2 || wait > most {
				t.Fatalf("after %d failures: wait of %s, want %s to %s", failures, wait, most/2, most)
			}
			waits[wait] = true
		}
		if len(waits) < 10 {
			t.Errorf("after %d failures: %d different waits in 100, want them spread", failures, len(waits))
		}
	}
}

func TestPolicy_String(t *testing.T) {
	t.Parallel()
	if got := consumer.Stop.String() + " " + consumer.Park.String(); got != "stop park" {
		t.Errorf("policies %q", got)
	}
}
