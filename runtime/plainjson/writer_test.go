package plainjson_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/eventmap/eventmap/runtime/plainjson"
)

// written returns what write writes, or false if it is not plain.
func written(write func(*plainjson.Writer)) (string, bool) {
	var w plainjson.Writer
	w.Begin()
	write(&w)
	payload, ok := w.End()
	return string(payload), ok
}

// isWritten fails t unless write writes what encoding/json does.
func isWritten[T any](t *testing.T, v T, write func(*plainjson.Writer, *T)) {
	t.Helper()
	got, ok := written(func(w *plainjson.Writer) { write(w, &v) })
	want, err := json.Marshal(&v)
	if ok != (err == nil) || got != string(want) {
		t.Errorf("%#v is written as %q, %t; encoding/json writes %q, %v", v, got, ok, want, err)
	}
}

func TestWriter_writesWhatEncodingJSONDoes(t *testing.T) {
	t.Parallel()
	isWritten(t, true, plainjson.WriteBool)
	isWritten(t, int8(math.MinInt8), plainjson.WriteInt)
	isWritten(t, int64(math.MinInt64), plainjson.WriteInt)
	isWritten(t, uint64(math.MaxUint64), plainjson.WriteUint)
	for _, f := range []float64{
		0, math.Copysign(0, -1), 1, 0.1, 1e20, 1e21, -1e21, 1e-6, 9.99e-7, math.MaxFloat64, math.SmallestNonzeroFloat64, math.NaN(), math.Inf(1), math.Inf(-1),
	} {
		isWritten(t, f, plainjson.WriteFloat)
		isWritten(t, float32(f), plainjson.WriteFloat)
	}
	for _, s := range []string{
		"", "plain", `"`, `\`, "<>&", "a\x00", "\x1f", "\x7f", "é", "日本", "🎉", "\u2028", "\u2029x", "\ufffd", "\xff", "a\xc3", "e\u0301", "x\n",
	} {
		isWritten(t, s, plainjson.WriteString)
	}
	now := time.Date(2026, 3, 1, 9, 5, 0, 123456789, time.UTC)
	for _, at := range []time.Time{
		{}, now, now.In(time.FixedZone("", 5*3600+1800)), now.In(time.FixedZone("", 30)), now.In(time.FixedZone("", 25*3600)), now.AddDate(9000, 0, 0), now.AddDate(-3000, 0, 0),
	} {
		isWritten(t, at, plainjson.WriteTime)
		isWritten(t, &at, func(w *plainjson.Writer, v **time.Time) { plainjson.WritePointer(w, v, plainjson.WriteTime) })
	}
	isWritten(t, (*time.Time)(nil), func(w *plainjson.Writer, v **time.Time) { plainjson.WritePointer(w, v, plainjson.WriteTime) })
	for _, list := range [][]string{nil, {}, {"a"}, {"a", "<"}} {
		isWritten(t, list, func(w *plainjson.Writer, v *[]string) { plainjson.WriteSlice(w, v, plainjson.WriteString) })
	}
}

func TestWriter_payloadsAreApart(t *testing.T) {
	t.Parallel()
	var w plainjson.Writer
	var payloads [][]byte
	for _, s := range []string{"one", "two", "\xff", "three"} {
		w.Begin()
		plainjson.WriteString(&w, &s)
		payload, ok := w.End()
		if !ok {
			t.Fatal("not written")
		}
		payloads = append(payloads, payload)
	}
	bad := math.NaN()
	w.Begin()
	w.Raw("{")
	plainjson.WriteFloat(&w, &bad)
	if payload, ok := w.End(); ok || payload != nil {
		t.Errorf("NaN is written as %s", payload)
	}
	_ = append(payloads[0], "over"...)
	if got := string(payloads[0]) + string(payloads[1]) + string(payloads[3]); got != `"one""two""three"` {
		t.Errorf("payloads are %s", got)
	}
}

func TestWriter_allocatesThePayloadOnly(t *testing.T) {
	at, name := time.Now().UTC(), "plain"
	n := testing.AllocsPerRun(100, func() {
		_, _ = written(func(w *plainjson.Writer) {
			w.Raw(`{"at":`)
			plainjson.WriteTime(w, &at)
			w.Member(`"name":`)
			plainjson.WriteString(w, &name)
			w.Raw("}")
		})
	})
	if n > 3 { // the writer, which leaves for the function, the payload, and the string made of it
		t.Errorf("%v allocations", n)
	}
}
