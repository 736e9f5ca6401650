// Command plainjson compares what generated code writes and reads with what encoding/json does, for random values and random
// payloads, most of them broken.
package main

import (
	"bytes"
	"encoding"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	goruntime "runtime"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
)

// A subject is an event type. Both functions return what they had, and a difference if there is one.
type subject struct {
	name   string
	encode func(*source) (payload []byte, difference string)
	decode func(payload []byte) (difference string)
}

func subjectOf[E any](
	name string,
	to func(string, string, E, ...runtime.Option) (runtime.Event, error),
	from func(runtime.PersistedEvent, ...runtime.Option) (E, error),
	stored runtime.Event,
) subject {
	options := []runtime.Option{
		runtime.WithEventID(func() uuid.UUID { return uuid.UUID{1} }),
		runtime.WithClock(func() time.Time { return time.Unix(0, 0) }),
	}
	byJSON := append(options[:len(options):len(options)], runtime.WithCodec(runtime.JSONCodec{}))
	return subject{
		name: name,
		encode: func(s *source) ([]byte, string) {
			var e E
			s.fill(reflect.ValueOf(&e).Elem(), 2)
			got, err := to(stored.AggregateType, "1", e, options...)
			want, wantErr := to(stored.AggregateType, "1", e, byJSON...)
			if text(err) != text(wantErr) || !reflect.DeepEqual(got, want) {
				return nil, fmt.Sprintf("encoded %+v\n got %.3000q %v\nwant %.3000q %v", e, got.Payload, err, want.Payload, wantErr)
			}
			return want.Payload, ""
		},
		decode: func(payload []byte) string {
			e := runtime.PersistedEvent{Event: stored}
			e.Payload = bytes.Clone(payload)
			got, err := from(e, options...)
			want, wantErr := from(e, byJSON...)
			if text(err) != text(wantErr) || !reflect.DeepEqual(got, want) {
				return fmt.Sprintf("decoded %q\n got %+v %v\nwant %+v %v", payload, got, err, want, wantErr)
			}
			if !bytes.Equal(e.Payload, payload) {
				return fmt.Sprintf("decoding changed %q to %q", payload, e.Payload)
			}
			return ""
		},
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func main() {
	inputs := flag.Int("inputs", 1000, "how many values and payloads")
	seed := flag.Uint64("seed", 1, "of all that is random")
	flag.Parse()
	workers := goruntime.GOMAXPROCS(0)
	differences := make(chan string, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			s := &source{rand.New(rand.NewPCG(*seed, uint64(w)))}
			for range *inputs / workers / payloadsOfValue {
				if d := s.compare(); d != "" {
					differences <- d
					return
				}
			}
		})
	}
	wg.Wait()
	close(differences)
	failed := false
	for d := range differences {
		failed = true
		fmt.Printf("seed %d: %s\n", *seed, d)
	}
	if failed {
		os.Exit(1)
	}
	fmt.Printf("%d inputs, %d types, %s\n", *inputs, len(subjects), goruntime.Version())
}

// payloadsOfValue is how many inputs one value gives: itself, and payloads made of it.
const payloadsOfValue = 16

// A source gives random values and payloads.
type source struct{ *rand.Rand }

// compare compares one value and what is made of it.
func (s *source) compare() string {
	subject := &subjects[s.IntN(len(subjects))]
	payload, difference := subject.encode(s)
	for i := 1; i < payloadsOfValue && difference == ""; i++ {
		made := bytes.Clone(payload)
		for range s.IntN(4) {
			made = s.change(made)
		}
		difference = subject.decode(made)
	}
	if difference != "" {
		return subject.name + ": " + difference
	}
	return ""
}

var strange = []string{"", "a", "plain text", `"`, `\`, "<b>", "&", "\u2028", "\u2029", "ä", "é日本", "🎉", "\x00", "\x1f", "\x7f", "\xff", "a\xc3", "\ufffd", "\n", "/", "null", "K", "ſ"}

func (s *source) text() string {
	var b strings.Builder
	for range s.IntN(4) {
		if s.IntN(3) == 0 {
			b.WriteString(strange[s.IntN(len(strange))])
		} else {
			b.WriteByte(byte('a' + s.IntN(26)))
		}
	}
	return b.String()
}

func (s *source) number() int64 {
	n := int64(s.Uint64()) >> s.IntN(64)
	switch s.IntN(12) {
	case 0:
		return math.MaxInt64
	case 1:
		return math.MinInt64
	}
	return n
}

func (s *source) float() float64 {
	switch s.IntN(10) {
	case 0:
		return math.Float64frombits(s.Uint64())
	case 1:
		return []float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), 1e21, 1e20, 1e-6, 1e-7, math.MaxFloat32, math.SmallestNonzeroFloat32}[s.IntN(10)]
	case 2:
		return s.NormFloat64() * math.Pow(10, float64(s.IntN(50)-25))
	}
	return float64(s.IntN(100_000)) / 100
}

func (s *source) time() time.Time {
	t := time.Unix(s.Int64N(5e9)-1e9, s.Int64N(1e9)/int64(math.Pow10(s.IntN(9)))).UTC()
	switch s.IntN(16) {
	case 0:
		return time.Time{}
	case 1:
		return t.In(time.FixedZone("", s.IntN(200_000)-100_000))
	case 2, 3:
		return t.In(time.FixedZone("", (s.IntN(96)-48)*1800))
	case 4:
		return t.AddDate(s.IntN(12_000)-6000, 0, 0)
	}
	return t
}

var timeType = reflect.TypeFor[time.Time]()

// fill gives v a random value.
func (s *source) fill(v reflect.Value, depth int) {
	if !v.CanSet() {
		return
	}
	if v.Type() == timeType {
		v.Set(reflect.ValueOf(s.time()))
		return
	}
	_, isJSON := v.Addr().Interface().(json.Unmarshaler)
	_, isText := v.Addr().Interface().(encoding.TextUnmarshaler)
	if isJSON || isText {
		for _, sample := range []string{`"red"`, `"1"`, `"k:v"`, `"5.25"`, `{"a":[1, 2]}`} {
			if s.IntN(2) == 0 && json.Unmarshal([]byte(sample), v.Addr().Interface()) == nil {
				return
			}
		}
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(s.IntN(2) == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(s.number())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		v.SetUint(uint64(s.number()))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(s.float())
	case reflect.String:
		if v.Type() == reflect.TypeFor[json.Number]() {
			v.SetString([]string{"", "1", "1.50", "1e400", "x"}[s.IntN(5)])
			return
		}
		v.SetString(s.text())
	case reflect.Pointer:
		if depth > 0 && s.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			s.fill(v.Elem(), depth-1)
		}
	case reflect.Slice:
		if depth > 0 && s.IntN(4) > 0 {
			n := s.IntN(4)
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				s.fill(v.Index(i), depth-1)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			s.fill(v.Index(i), depth-1)
		}
	case reflect.Map:
		if depth > 0 && s.IntN(4) > 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range s.IntN(3) {
				key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				s.fill(key, 0)
				s.fill(value, depth-1)
				v.SetMapIndex(key, value)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if s.IntN(5) > 0 {
				s.fill(v.Field(i), depth)
			}
		}
	}
}

// What is put into payloads.
var tokens = []string{
	"null", "true", "false", "0", "-0", "1", "-1", "01", "1.0", "1e2", "1E+2", "-", "1.", ".5", "127", "128", "-129", "255", "256", "65536", "2147483648",
	"9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551615", "18446744073709551616", "1e999", "0.1", "123456789012345678901234567890",
	`""`, `"a"`, `"\u0041"`, `"\ud800"`, `"\ud83c\udf89"`, `"\x"`, `"ä"`, "\"\xff\"", "\"\x01\"", `"2026-01-02T03:04:05Z"`, `"2026-01-02T03:04:05.123456789+05:30"`, `"2026-13-02T03:04:05Z"`, `"\u0032026-01-02T03:04:05Z"`,
	`"YWJj"`, `"YWJ"`, `"red"`, `"1"`, `"k:v"`,
	"{}", "[]", "[1,2]", `{"a":1}`, "[[]]", "{", "}", "[", "]", ",", ":", `"`, `\`, " ", "\n", "\t", "\r", "\v", "\u00a0", "\x00", "/*x*/", "nul", "tru",
	`"unknown":1,`, `"unknown":[{"a":"]"}],`, `,"unknown":{"a":[1,{"b":null}]}`, `"":1,`, `"ſ":1,`, `"K":2,`, `"un-known":01,`,
}

// change makes another payload of one.
func (s *source) change(payload []byte) []byte {
	if len(payload) == 0 {
		return []byte(tokens[s.IntN(len(tokens))])
	}
	at := s.IntN(len(payload) + 1)
	switch s.IntN(14) {
	case 0: // put something in
		return splice(payload, at, at, tokens[s.IntN(len(tokens))])
	case 1: // take something out
		return splice(payload, at, min(len(payload), at+1+s.IntN(5)), "")
	case 2: // end it
		return payload[:at]
	case 3: // another byte
		if at < len(payload) {
			payload[at] = byte(s.IntN(256))
		}
	case 4: // other case
		if from, to := s.literal(payload, at); from < to {
			return splice(payload, from, to, strings.ToUpper(string(payload[from:to])))
		}
	case 5: // a letter of another alphabet, or an underscore, in a string
		if from, to := s.literal(payload, at); from < to {
			return splice(payload, from+1, from+1, []string{"_", "-", "ſ", "K", `\u0061`, "é"}[s.IntN(6)])
		}
	case 6: // an escape for the first letter of a string
		if from, to := s.literal(payload, at); to-from > 2 {
			return splice(payload, from+1, from+2, fmt.Sprintf(`\u%04x`, payload[from+1]))
		}
	case 7, 8, 9: // another value
		if from, to := value(payload, at); from < to {
			return splice(payload, from, to, tokens[s.IntN(len(tokens))])
		}
	case 10: // a member twice
		if from, to := member(payload, at); from < to {
			return splice(payload, to, to, ","+string(payload[from:to]))
		}
	case 11: // white space
		for i := range payload {
			if strings.IndexByte("{}[],:", payload[i]) >= 0 && s.IntN(3) == 0 {
				return splice(payload, i, i, []string{" ", "\n", "\t", "\r\n"}[s.IntN(4)])
			}
		}
	case 12: // without a member
		if from, to := member(payload, at); from < to {
			return splice(payload, from, min(len(payload), to+1), "")
		}
	case 13: // deep
		deep := strings.Repeat("[", 1+s.IntN(3))
		if s.IntN(500) == 0 {
			deep = strings.Repeat("[", []int{900, 1001, 9_995, 10_000, 10_002}[s.IntN(5)])
		}
		if from, to := value(payload, at); from < to {
			return splice(payload, from, to, deep+strings.Repeat("]", len(deep)))
		}
	}
	return payload
}

func splice(payload []byte, from, to int, text string) []byte {
	made := make([]byte, 0, len(payload)+len(text))
	made = append(made, payload[:from]...)
	made = append(made, text...)
	return append(made, payload[to:]...)
}

// literal returns where a string lies, with its quotes, after a place in a payload.
func (s *source) literal(payload []byte, at int) (from, to int) {
	from = bytes.IndexByte(payload[at:], '"')
	if from < 0 {
		return 0, 0
	}
	from += at
	to = bytes.IndexByte(payload[from+1:], '"')
	if to < 0 {
		return 0, 0
	}
	return from, from + 1 + to + 1
}

// value returns where a value lies that follows a colon after a place in a payload.
func value(payload []byte, at int) (from, to int) {
	from = bytes.IndexByte(payload[at:], ':')
	if from < 0 {
		return 0, 0
	}
	from += at + 1
	decoder := json.NewDecoder(bytes.NewReader(payload[from:]))
	var raw json.RawMessage
	if decoder.Decode(&raw) != nil {
		return 0, 0
	}
	return from, from + int(decoder.InputOffset())
}

// member returns where a member lies whose name ends after a place in a payload.
func member(payload []byte, at int) (from, to int) {
	begin, end := value(payload, at)
	if begin == end || begin < 2 || payload[begin-2] != '"' {
		return 0, 0
	}
	open := bytes.LastIndexByte(payload[:begin-2], '"')
	if open < 0 {
		return 0, 0
	}
	return open, end
}
