package astscan

import "testing"

func TestPathVersion_isTheLastVersionElement(t *testing.T) {
	t.Parallel()
	for below, want := range map[string]int{
		"": 0, "order": 0, "order/v1": 1, "v2/order": 2, "v2/order/v10": 10, "order/v10/v2/events": 2, "v0": 0, "v01": 0,
		"v": 0, "v1beta": 0, "ver2": 0, "V2": 0, "order/v2147483647": 2147483647, "order/v2147483648": 0, "order/v-1": 0,
	} {
		if got, ok := pathVersion(below); got != want || ok != (want > 0) {
			t.Errorf("pathVersion(%q) = %d, %v, want %d", below, got, ok, want)
		}
	}
}
