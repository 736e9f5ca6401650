package postgres

import (
	"bytes"
	"testing"

	"github.com/eventmap/eventmap/runtime"
)

func TestBlocks_copiesStayApart(t *testing.T) {
	t.Parallel()
	var s blocks
	var copies [][]byte
	sizes := []int{1, 3, 500, 12, ownBlock, ownBlock + 1, lastBlock, 0, 7}
	content := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, sizes[i%len(sizes)]) }
	for i := range 200 {
		given := content(i)
		copies = append(copies, s.bytes(given))
		for j := range given {
			given[j] = 0xff // the driver uses its memory again
		}
	}
	for i, c := range copies {
		if cap(c) != len(c) {
			t.Fatalf("copy %d of %d bytes has room for %d: to append to it would overwrite the next", i, len(c), cap(c))
		}
		if want := content(i); !bytes.Equal(c, want) {
			t.Fatalf("copy %d holds %v, want %v", i, c, want)
		}
	}
}

func TestBlocks_tellNilFromEmpty(t *testing.T) {
	t.Parallel()
	var s blocks
	if got := s.bytes(nil); got != nil {
		t.Errorf("copy of nil is %v", got)
	}
	if got := s.bytes([]byte{}); got == nil || len(got) != 0 {
		t.Errorf("copy of nothing is %v, want it empty and not nil", got)
	}
	var text runtime.NullString
	for _, row := range []struct {
		given []byte
		want  runtime.NullString
	}{
		{[]byte("a"), runtime.SomeString("a")},
		{nil, runtime.NullString{}},
		{[]byte{}, runtime.SomeString("")},
		{[]byte("a"), runtime.SomeString("a")},
	} {
		if s.setNull(&text, row.given); text != row.want {
			t.Errorf("text of %v is %+v, want %+v", row.given, text, row.want)
		}
	}
}

func TestBlocks_areFew(t *testing.T) {
	t.Parallel()
	payload := bytes.Repeat([]byte("x"), 100)
	var s blocks
	var begin *byte
	made := 0
	for range 1000 {
		_ = s.bytes(payload)
		if b := &s.last[:1][0]; b != begin {
			begin = b
			made++
		}
	}
	if want := 15; made > want { // 100,000 bytes: 512, 1,024 and so on up to 16 KiB, then six more
		t.Errorf("1,000 copies of 100 bytes took %d blocks, want %d at most", made, want)
	}
}
