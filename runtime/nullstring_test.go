package runtime_test

import (
	"testing"

	"github.com/eventmap/eventmap/runtime"
)

func TestNullString_scansAndGives(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		src  any
		want runtime.NullString
		give any
	}{
		{nil, runtime.NullString{}, nil},
		{"", runtime.SomeString(""), ""},
		{"a", runtime.SomeString("a"), "a"},
		{[]byte("b"), runtime.SomeString("b"), "b"},
	} {
		n := runtime.SomeString("what was there before")
		if err := n.Scan(row.src); err != nil || n != row.want {
			t.Errorf("Scan(%v) gives %+v (%v), want %+v", row.src, n, err, row.want)
		}
		if give, err := n.Value(); err != nil || give != row.give {
			t.Errorf("Value of %+v is %v (%v), want %v", n, give, err, row.give)
		}
	}
	var n runtime.NullString
	if err := n.Scan(struct{}{}); err == nil {
		t.Error("a struct was scanned")
	}
}
