package main

import "testing"

func TestPercentFor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		live uint64
		want int
	}{
		{live: 0, want: 1300}, // of a megabyte at least
		{live: 4 << 20, want: 250},
		{live: 8 << 20, want: 200},
		{live: 100 << 20, want: 200},
	} {
		if got := percentFor(tt.live); got != tt.want {
			t.Errorf("%d bytes are live: %d percent, want %d", tt.live, got, tt.want)
		}
	}
}
