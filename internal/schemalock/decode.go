package schemalock

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/model"
)

// Decode reads a lock that Encode wrote, perhaps merged since. The name is the file's, for positions.
//
// A lock that is broken, conflicted or of another format is an error that names the line and what to do: [model.Problems].
func Decode(content []byte, name string) (*Lock, error) {
	content = bytes.ReplaceAll(bytes.TrimPrefix(content, []byte("\ufeff")), []byte("\r\n"), []byte("\n"))
	r := reader{name: name, content: content}
	if line := conflict(content); line > 0 {
		return nil, r.problem(model.Position{File: name, Line: line, Col: 1},
			"a merge left a conflict here; take either side of the whole file (git checkout --ours or --theirs) and run eventmap-gen again: it adds the events of the other side")
	}
	lock, err := r.read()
	if err != nil {
		return nil, err
	}
	seen := map[key]*Event{}
	for i := range lock.Events {
		e := &lock.Events[i]
		if first := seen[e.key()]; first != nil {
			return nil, r.problem(e.Pos, fmt.Sprintf("%v is locked twice, first in line %d; remove the block that is out of date", e, first.Pos.Line))
		}
		seen[e.key()] = e
		if err := checkShape(e.Payload, e.Payload); err != nil {
			return nil, r.problem(e.Pos, fmt.Sprintf("%v: %v; restore the file from version control", e, err))
		}
	}
	lock.sort()
	return lock, nil
}

// conflict returns the first line that git or another tool left to mark a conflict, or 0.
func conflict(content []byte) int {
	n := 0
	for line := range bytes.Lines(content) {
		n++
		for _, mark := range []string{"<<<<<<<", "=======", ">>>>>>>", "|||||||"} {
			if bytes.HasPrefix(line, []byte(mark)) {
				return n
			}
		}
	}
	return 0
}

// A reader reads the file of a lock.
type reader struct {
	name    string
	content []byte
	decoder *json.Decoder
	known   model.Position // of knownAt, from where lines are counted on
	knownAt int64
}

func (r *reader) problem(at model.Position, message string) error {
	return model.Problems{{Pos: at, Message: message}}
}

// read reads the whole file.
func (r *reader) read() (*Lock, error) {
	var head struct {
		Schema  string `json:"$schema"`
		Format  *int
		Streams []struct{ Aggregate, ID string }
		Folds   []struct{ Aggregate, Fingerprint string }
		Events  json.RawMessage
	}
	r.decoder = json.NewDecoder(bytes.NewReader(r.content))
	r.decoder.DisallowUnknownFields()
	if err := r.decoder.Decode(&head); err != nil {
		return nil, r.broken(err)
	}
	end := r.decoder.InputOffset()
	if _, err := r.decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, r.problem(r.at(end), "there is more after the end of the lock; restore the file from version control")
	}
	switch {
	case head.Format == nil || head.Events == nil:
		return nil, r.problem(model.Position{File: r.name}, "this is no schema lock: it lacks its format or its events; move it away, or choose another file with --lock")
	case *head.Format != format:
		return nil, r.problem(model.Position{File: r.name}, fmt.Sprintf("the lock has format %d, and this eventmap-gen knows %d; use the version that wrote it, or a later one", *head.Format, format))
	}
	start := int64(bytes.Index(r.content, head.Events))
	r.decoder = json.NewDecoder(bytes.NewReader(head.Events))
	r.decoder.DisallowUnknownFields()
	if open, err := r.decoder.Token(); err != nil || open != json.Delim('[') {
		return nil, r.problem(r.at(start), "events is no list; restore the file from version control")
	}
	var lock Lock
	for _, s := range head.Streams {
		lock.Streams = append(lock.Streams, Stream{Aggregate: s.Aggregate, ID: s.ID})
	}
	for _, f := range head.Folds {
		lock.Folds = append(lock.Folds, Fold{Aggregate: f.Aggregate, Fingerprint: f.Fingerprint})
	}
	for r.decoder.More() {
		before := start + r.decoder.InputOffset()
		pos := r.at(before + int64(bytes.IndexByte(r.content[before:], '{')))
		var e lockedEvent
		if err := r.decoder.Decode(&e); err != nil {
			return nil, r.problem(pos, fmt.Sprintf("this event cannot be read: %v; restore the file from version control", err))
		}
		if e.Aggregate == "" || e.Event == "" || e.Version < 1 || e.Payload == nil {
			return nil, r.problem(pos, "this event lacks its aggregate, event, version or payload; restore the file from version control")
		}
		lock.Events = append(lock.Events, Event{
			Aggregate: e.Aggregate, Name: e.Event, Version: e.Version, Type: e.Type, Upcast: e.Upcast, Forget: e.Forget, Payload: e.Payload.model(), Pos: pos,
		})
	}
	return &lock, nil
}

// broken returns the problem of a file that is no JSON, or not of the right form.
func (r *reader) broken(err error) error {
	at := model.Position{File: r.name}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = r.at(max(syntax.Offset-1, 0))
	}
	return r.problem(at, fmt.Sprintf("the lock cannot be read: %s; restore the file from version control", strings.TrimPrefix(err.Error(), "json: ")))
}

// at returns the position of an offset. It is quick if the offsets it is asked for rise.
func (r *reader) at(offset int64) model.Position {
	offset = min(offset, int64(len(r.content)))
	if r.known.Line == 0 || offset < r.knownAt {
		r.known, r.knownAt = model.Position{File: r.name, Line: 1, Col: 1}, 0
	}
	passed := r.content[r.knownAt:offset]
	r.known.Line += bytes.Count(passed, []byte("\n"))
	if i := bytes.LastIndexByte(passed, '\n'); i >= 0 {
		r.known.Col = len(passed) - i
	} else {
		r.known.Col += len(passed)
	}
	r.knownAt = offset
	return r.known
}

// The JSON of a lock.
type (
	lockedEvent struct {
		Aggregate string
		Event     string
		Version   int
		Type      string
		Upcast    int
		Forget    *model.Forget
		Payload   *lockedShape
	}
	lockedShape struct {
		Kind      model.ShapeKind
		Bits      int
		Len       int
		Nullable  bool
		Type      string
		Guarded   bool
		Constants map[string]json.Number
		Key       *lockedShape
		Elem      *lockedShape
		Fields    []lockedField
	}
	lockedField struct {
		Name     string
		Go       string
		Optional bool
		Nilable  bool
		Quoted   bool
		Personal *struct {
			Subject string
			Clear   bool
		}
		lockedShape
	}
)

// model returns the shape in the model's terms.
func (s *lockedShape) model() *model.Shape {
	if s == nil {
		return nil
	}
	shape := &model.Shape{
		Kind: s.Kind, Bits: s.Bits, Len: s.Len, Nullable: s.Nullable, Type: s.Type, Guarded: s.Guarded, Key: s.Key.model(), Elem: s.Elem.model(),
	}
	for _, name := range slices.Sorted(maps.Keys(s.Constants)) {
		shape.Constants = append(shape.Constants, model.Constant{Name: name, Value: s.Constants[name].String()})
	}
	for _, f := range s.Fields {
		field := model.Field{Name: f.Name, Go: f.Go, Optional: f.Optional, Nilable: f.Nilable, Quoted: f.Quoted, Shape: f.model()}
		if f.Personal != nil {
			field.Personal = &model.Personal{Subject: f.Personal.Subject, HasClear: f.Personal.Clear}
		}
		if field.Go == "" {
			field.Go = field.Name
		}
		shape.Fields = append(shape.Fields, field)
	}
	return shape
}

// checkShape returns an error for a shape that cannot be one.
func checkShape(s, root *model.Shape) error {
	switch s.Kind {
	case model.BoolShape, model.NumberShape, model.StringShape, model.BytesShape, model.TimeShape, model.RawShape, model.TextShape, model.OpaqueShape:
		return nil
	case model.IntShape, model.UintShape, model.FloatShape:
		if s.Bits < 8 || s.Bits > 64 {
			return fmt.Errorf("a number of %d bits", s.Bits)
		}
		return nil
	case model.RefShape:
		if root.Find(s.Type) == nil {
			return fmt.Errorf("it refers to %s, which is not there", s.Type)
		}
		return nil
	case model.ObjectShape:
		for _, f := range s.Fields {
			if err := checkShape(f.Shape, root); err != nil {
				return err
			}
		}
		return nil
	case model.MapShape:
		if s.Key == nil {
			return errors.New("a map without a key")
		}
		if err := checkShape(s.Key, root); err != nil {
			return err
		}
		fallthrough
	case model.ArrayShape, model.SliceShape:
		if s.Elem == nil {
			return fmt.Errorf("a %s without elements", s.Kind)
		}
		return checkShape(s.Elem, root)
	}
	return fmt.Errorf("there is no kind %q", s.Kind)
}

// IsOurs reports whether content is a lock.
func IsOurs(content []byte) bool {
	_, err := Decode(content, "")
	return err == nil
}
