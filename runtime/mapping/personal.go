package mapping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// An EventVersion names one version of one event.
type EventVersion struct {
	AggregateType, EventType string
	Version                  int
}

// versionOf returns what an event is a version of.
func versionOf(e *runtime.Event) EventVersion {
	return EventVersion{e.AggregateType, e.EventType, e.EventVersion}
}

// PersonalEvents are the events of a package that hold personal data.
type PersonalEvents map[EventVersion]PersonalEvent

// A PersonalEvent says what of the payload of an event is personal.
type PersonalEvent struct {
	Members []string // the names of all members that its payload can have
	Fields  []PersonalField
}

// A PersonalField is a member of a payload that is sealed.
type PersonalField struct {
	Member   string // its name
	Field    string // the name of the field in Go
	Subject  string // the member that says whom it is about; empty: the stream's ID does
	Erased   string // what an erased value reads as, as JSON; empty: it is left out
	HasClear bool   // it is in clear in events that were stored before it had its mark
}

// A Personal seals and opens the personal data of events. It is immutable and safe for concurrent use. The
// zero value knows no events that hold any.
type Personal[Tx any] struct {
	keys   *privacy.Keys[Tx]
	events PersonalEvents
}

// NewPersonal returns what seals and opens the events with the keys.
func NewPersonal[Tx any](keys *privacy.Keys[Tx], events PersonalEvents) Personal[Tx] {
	return Personal[Tx]{keys: keys, events: events}
}

var errNoKeys = errors.New("there are no keys for personal data: they are nil")

// of returns what of an event is personal, or nil.
func (p PersonalEvents) of(e *runtime.Event) []PersonalField {
	return p[versionOf(e)].Fields
}

// An Appended is the result of an append of events that may hold personal data.
type Appended struct {
	runtime.AppendResult                          // with its events as they are stored
	Opened               []runtime.PersistedEvent // the same events in clear
	KeyIDs               []uuid.UUID              // of the keys of what is sealed in them
}

// Append seals events and appends them. They are the caller's no more.
func (p Personal[Tx]) Append(ctx context.Context, tx Tx, store runtime.EventStore[Tx], expected runtime.ExpectedVersion, events []runtime.Event) (Appended, error) {
	clear := make([][]byte, len(events))
	for i := range events {
		clear[i] = events[i].Payload
	}
	if err := p.Seal(ctx, tx, events); err != nil {
		return Appended{}, err
	}
	result, err := store.Append(ctx, tx, expected, events)
	if err != nil {
		return Appended{}, err
	}
	appended := Appended{AppendResult: result, Opened: slices.Clone(result.Events)}
	if result.AlreadyStored { // sealed by the first try, perhaps under other keys
		appended.KeyIDs, err = p.Open(ctx, tx, appended.Opened)
		return appended, err
	}
	for i := range appended.Opened {
		e := &appended.Opened[i]
		if p.events.of(&e.Event) != nil {
			appended.KeyIDs = privacy.AppendKeyIDs(appended.KeyIDs, e.Payload)
		}
		e.Payload = clear[i]
	}
	return appended, nil
}

// Seal replaces the payloads of events by ones in which what is personal is sealed. It asks for all keys at once: that takes
// no round trip if they are known, else one. A subject without a name is an [*runtime.InvalidEventError], one that was
// forgotten a [privacy.ErrForgotten].
func (p Personal[Tx]) Seal(ctx context.Context, tx Tx, events []runtime.Event) error {
	var subjects []string // for each field of each event, in order
	for i := range events {
		e := &events[i]
		known, ok := p.events[versionOf(e)]
		if !ok {
			continue
		}
		of, err := subjectsOf(e, &known)
		if err != nil {
			var invalid *runtime.InvalidEventError
			if errors.As(err, &invalid) {
				invalid.Index = i
			}
			return err
		}
		subjects = append(subjects, of...)
	}
	if len(subjects) == 0 {
		return nil
	}
	if p.keys == nil {
		return errNoKeys
	}
	ring, err := p.keys.ForSubjects(ctx, tx, subjects...)
	if err != nil {
		return p.events.locate(err, events, subjects)
	}
	cipher, to := ring.Cipher(), new(block)
	for i := range events {
		e := &events[i]
		fields := p.events.of(e)
		if len(fields) == 0 {
			continue
		}
		if e.Payload, err = seal(cipher, to, e, fields, subjects[:len(fields)]); err != nil {
			return fmt.Errorf("event %d: %w", i, err)
		}
		subjects = subjects[len(fields):]
	}
	return nil
}

// locate returns an error about a subject with the first field that is about it. subjects are those of each field of each event.
func (p PersonalEvents) locate(err error, events []runtime.Event, subjects []string) error {
	about, ok := errors.AsType[*privacy.SubjectError](err)
	if !ok {
		return err
	}
	for i := range events {
		e := &events[i]
		for _, f := range p.of(e) {
			if subjects[0] == about.Subject {
				return fmt.Errorf("event %d: seal %s of %s v%d of %s %q: %w", i, f.Field, e.EventType, e.EventVersion, e.AggregateType, e.AggregateID, err)
			}
			subjects = subjects[1:]
		}
	}
	return err
}

// SealOne is Seal for what encoding an event has returned.
func (p Personal[Tx]) SealOne(ctx context.Context, tx Tx, e runtime.Event, err error) (runtime.Event, error) {
	if err != nil {
		return e, err
	}
	events := []runtime.Event{e}
	err = p.Seal(ctx, tx, events)
	return events[0], err
}

// SealAll is Seal for what encoding events has returned.
func (p Personal[Tx]) SealAll(ctx context.Context, tx Tx, events []runtime.Event, err error) ([]runtime.Event, error) {
	if err != nil {
		return nil, err
	}
	return events, p.Seal(ctx, tx, events)
}

// subjectsOf returns the subject of each personal field of an event in clear.
func subjectsOf(e *runtime.Event, known *PersonalEvent) ([]string, error) {
	subjects := make([]string, len(known.Fields))
	members := newMembers(e.Payload)
	for members.next() {
		if !slices.Contains(known.Members, string(members.name)) {
			return nil, fmt.Errorf("encode %s v%d of %s %q: its payload has a member %q, which its type has not: what is personal in it cannot be told; use a codec that writes the JSON members of the type", e.EventType, e.EventVersion, e.AggregateType, e.AggregateID, members.name)
		}
		for i := range known.Fields {
			if known.Fields[i].Subject == string(members.name) {
				var err error
				if subjects[i], err = textOf(members.value()); err != nil {
					return nil, &runtime.InvalidEventError{Field: string(members.name), Reason: "is the subject of personal data, and no text or number"}
				}
			}
		}
	}
	if !members.isWhole() {
		return nil, fmt.Errorf("encode %s v%d of %s %q: its payload is no JSON object, so that what is personal in it cannot be sealed; use a codec that writes the JSON members of the type", e.EventType, e.EventVersion, e.AggregateType, e.AggregateID)
	}
	for i, f := range known.Fields {
		field := f.Subject
		if f.Subject == "" {
			subjects[i], field = e.AggregateID, "AggregateID"
		}
		err := privacy.CheckSubject(subjects[i])
		if err == nil && strings.ContainsRune(subjects[i], utf8.RuneError) { // JSON has it in place of each byte that is no UTF-8
			err = errors.New("it holds U+FFFD or is not valid UTF-8, so that two IDs would be one")
		}
		if err != nil {
			return nil, &runtime.InvalidEventError{Field: field, Reason: fmt.Sprintf("names whom %s of %s is about: %v", f.Field, e.EventType, err)}
		}
	}
	return subjects, nil
}

// textOf returns a JSON string or number as text.
func textOf(value []byte) (string, error) {
	if len(value) > 0 && value[0] != '"' {
		var n json.Number
		err := json.Unmarshal(value, &n)
		return n.String(), err
	}
	var s string
	err := json.Unmarshal(value, &s)
	return s, err
}

// seal returns the payload of an event with its personal members sealed.
func seal(cipher *privacy.Cipher, to *block, e *runtime.Event, fields []PersonalField, subjects []string) (payload []byte, err error) {
	w := to.object(len(e.Payload) + 128*len(fields))
	members := newMembers(e.Payload)
	for members.next() {
		i := fieldOf(fields, members.name)
		if i < 0 {
			w.add(members.quoted(), members.value())
			continue
		}
		place := placeOf(e, &fields[i])
		w.key(members.quoted())
		if w.bytes, err = cipher.AppendSealed(w.bytes, &place, subjects[i], members.value()); err != nil {
			return nil, err
		}
	}
	return to.end(w), nil
}

// fieldOf returns the index of the field of that name, or -1.
func fieldOf(fields []PersonalField, name []byte) int {
	for i := range fields {
		if fields[i].Member == string(name) {
			return i
		}
	}
	return -1
}

// mayFold reports whether the first letters of two names leave it open whether they differ in case only. Letters of ASCII
// differ by one bit then; any other may be that of one of ASCII, as the Kelvin sign is.
func mayFold(a string, b []byte) bool {
	return len(a) == 0 || len(b) == 0 || a[0] >= utf8.RuneSelf || b[0] >= utf8.RuneSelf || a[0]|0x20 == b[0]|0x20
}

// foldedOf returns the index of the field whose name encoding/json would take that name for, or -1.
func foldedOf(fields []PersonalField, name []byte) int {
	for i := range fields {
		if mayFold(fields[i].Member, name) && strings.EqualFold(fields[i].Member, string(name)) {
			return i
		}
	}
	return -1
}

// placeOf returns where a sealed value stands.
func placeOf(e *runtime.Event, f *PersonalField) privacy.Place {
	return privacy.Place{
		AggregateType: e.AggregateType, AggregateID: e.AggregateID,
		EventID: e.EventID, EventType: e.EventType, EventVersion: e.EventVersion, Field: f.Member,
	}
}

// Forget returns a handler that forgets the subject of each event of these versions: the one that the named member of its
// payload says, or whom the stream's ID names. That a key cannot be erased is [consumer.ErrUnavailable]: nobody is passed over.
// Where the consumer replays, see [consumer.Replaying], subjects that were readmitted after the event keep their new key.
func Forget[Tx any](keys *privacy.Keys[Tx], subjects map[EventVersion]string) func(ctx context.Context, tx Tx, e runtime.PersistedEvent) error {
	return func(ctx context.Context, tx Tx, e runtime.PersistedEvent) error {
		name, forgets := subjects[versionOf(&e.Event)]
		switch {
		case !forgets:
			return nil
		case keys == nil:
			return errNoKeys
		case name == "":
			return forget(ctx, tx, keys, &e, e.AggregateID)
		}
		members := newMembers(e.Payload)
		for members.next() {
			if string(members.name) != name {
				continue
			}
			subject, err := textOf(members.value())
			if err != nil {
				break
			}
			return forget(ctx, tx, keys, &e, subject)
		}
		return NewDecodeError(&e, fmt.Errorf("its payload does not say in %q who is to be forgotten", name))
	}
}

// forget forgets the subject of an event, or says that it is to be tried again.
func forget[Tx any](ctx context.Context, tx Tx, keys *privacy.Keys[Tx], e *runtime.PersistedEvent, subject string) error {
	err := privacy.CheckSubject(subject)
	if err != nil {
		return err
	}
	if consumer.Replaying(ctx) {
		err = keys.ForgetAsOf(ctx, tx, e.CreatedAt, subject)
	} else {
		err = keys.Forget(ctx, tx, subject)
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", consumer.ErrUnavailable, err)
	}
	return err
}
