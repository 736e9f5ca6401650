package mapping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
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
		return err
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
		if !runtime.ValidName(subjects[i]) {
			return nil, &runtime.InvalidEventError{Field: field, Reason: fmt.Sprintf("names whom %s of %s is about, and is empty or no valid text", f.Field, e.EventType)}
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

// foldedOf returns the index of the field whose name encoding/json would take that name for, or -1.
func foldedOf(fields []PersonalField, name []byte) int {
	for i := range fields {
		if strings.EqualFold(fields[i].Member, string(name)) {
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

// Open replaces the payloads of stored events by ones in clear, and lists in Erased what cannot be read because its subject
// was forgotten. It asks for all keys at once: that takes no round trip if they are known, else one. It returns the IDs of
// the keys; some may come more than once. A value that is not what was sealed there is a [*runtime.DecodeError] with a
// [privacy.ErrIntegrity].
func (p Personal[Tx]) Open(ctx context.Context, tx Tx, events []runtime.PersistedEvent) ([]uuid.UUID, error) {
	ids := p.keyIDs(events)
	ring, err := p.ring(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	return ids, p.openWith(ring, events)
}

// OpenOne is Open for one event.
func (p Personal[Tx]) OpenOne(ctx context.Context, tx Tx, e *runtime.PersistedEvent) error {
	if p.events.of(&e.Event) == nil {
		return nil
	}
	events := []runtime.PersistedEvent{*e}
	_, err := p.Open(ctx, tx, events)
	*e = events[0]
	return err
}

// OpenAll is Open for copies of the events.
func (p Personal[Tx]) OpenAll(ctx context.Context, tx Tx, events []runtime.PersistedEvent) ([]runtime.PersistedEvent, error) {
	if !slices.ContainsFunc(events, func(e runtime.PersistedEvent) bool { return p.events.of(&e.Event) != nil }) {
		return events, nil
	}
	opened := slices.Clone(events)
	_, err := p.Open(ctx, tx, opened)
	return opened, err
}

// Prepare asks for the keys of events at once, so that opening them one by one takes no more round trips.
func (p Personal[Tx]) Prepare(ctx context.Context, tx Tx, events []runtime.PersistedEvent) error {
	_, err := p.ring(ctx, tx, p.keyIDs(events))
	return err
}

// keyIDs returns the IDs of the keys that the events are sealed with.
func (p Personal[Tx]) keyIDs(events []runtime.PersistedEvent) []uuid.UUID {
	var ids []uuid.UUID
	for i := range events {
		if p.events.of(&events[i].Event) == nil {
			continue
		}
		from := len(ids)
		ids = privacy.AppendKeyIDs(ids, events[i].Payload)
		if from > 0 && !slices.ContainsFunc(ids[from:], func(id uuid.UUID) bool { return id != ids[from-1] }) {
			ids = ids[:from] // the key is that of the event before
		}
	}
	return ids
}

// ring returns the keys, or nil for none.
func (p Personal[Tx]) ring(ctx context.Context, tx Tx, ids []uuid.UUID) (*privacy.Ring, error) {
	switch {
	case len(ids) == 0:
		return nil, nil
	case p.keys == nil:
		return nil, errNoKeys
	}
	return p.keys.ByID(ctx, tx, ids...)
}

// openWith opens events with keys that were asked for.
func (p Personal[Tx]) openWith(ring *privacy.Ring, events []runtime.PersistedEvent) error {
	cipher, to := ring.Cipher(), new(block)
	for i := range events {
		if err := open(cipher, to, &events[i], p.events.of(&events[i].Event)); err != nil {
			return NewDecodeError(&events[i], err)
		}
	}
	return nil
}

// open replaces the payload of an event by one in clear.
func open(cipher *privacy.Cipher, to *block, e *runtime.PersistedEvent, fields []PersonalField) error {
	return reveal(to, e, fields, func(to []byte, f *PersonalField, value []byte) ([]byte, bool, error) {
		if f.HasClear && !privacy.IsSealed(value) {
			return append(to, value...), false, nil
		}
		place := placeOf(&e.Event, f)
		return cipher.AppendOpened(to, &place, value)
	})
}

// Conceal returns the event without its personal data, for those who have no keys. Erased lists what is left out.
func (p PersonalEvents) Conceal(e runtime.PersistedEvent) runtime.PersistedEvent {
	err := reveal(new(block), &e, p.of(&e.Event), func(to []byte, _ *PersonalField, _ []byte) ([]byte, bool, error) { return to, true, nil })
	if err != nil {
		e.Payload = nil // nobody can say what of it is personal
	}
	return e
}

// reveal replaces the payload of an event by one in a block, in which each personal member is what read appends, or what an
// erased one reads as. The event is left as it is after an error.
func reveal(
	block *block, e *runtime.PersistedEvent, fields []PersonalField,
	read func(to []byte, f *PersonalField, value []byte) (with []byte, erased bool, err error),
) error {
	if len(fields) == 0 {
		return nil
	}
	w := block.object(len(e.Payload))
	members := newMembers(e.Payload)
	var lost []string
	var room [16]bool
	seen := append(room[:0], make([]bool, len(fields))...)
	for members.next() {
		i := fieldOf(fields, members.name)
		if i < 0 {
			if j := foldedOf(fields, members.name); j >= 0 {
				return twice(e, &fields[j])
			}
			w.add(members.quoted(), members.value())
			continue
		}
		f := &fields[i]
		if seen[i] {
			return twice(e, f)
		}
		seen[i] = true
		before := len(w.bytes)
		w.key(members.quoted())
		with, erased, err := read(w.bytes, f, members.value())
		switch {
		case err != nil:
			return err
		case erased && f.Erased == "":
			w.bytes = w.bytes[:before]
		case erased:
			w.bytes = append(w.bytes, f.Erased...)
		default:
			w.bytes = with
		}
		if erased {
			lost = append(lost, f.Field)
		}
	}
	if !members.isWhole() {
		return fmt.Errorf("%w: the payload is no JSON object", privacy.ErrIntegrity)
	}
	e.Payload, e.Erased = block.end(w), lost
	return nil
}

// twice returns the error of a payload that has a personal member more than once, so that a value in clear could hide one.
func twice(e *runtime.PersistedEvent, f *PersonalField) error {
	return &privacy.PlaceError{Place: placeOf(&e.Event, f), Err: fmt.Errorf("%w: the payload has the member more than once, or in other letters too", privacy.ErrIntegrity)}
}

// Forget returns a handler that forgets the subject of each event of these versions: the one that the named member of its
// payload says, or whom the stream's ID names.
func Forget[Tx any](keys *privacy.Keys[Tx], subjects map[EventVersion]string) func(ctx context.Context, tx Tx, e runtime.PersistedEvent) error {
	return func(ctx context.Context, tx Tx, e runtime.PersistedEvent) error {
		name, forgets := subjects[versionOf(&e.Event)]
		switch {
		case !forgets:
			return nil
		case keys == nil:
			return errNoKeys
		case name == "":
			return keys.Forget(ctx, tx, e.AggregateID)
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
			return keys.Forget(ctx, tx, subject)
		}
		return NewDecodeError(&e, fmt.Errorf("its payload does not say in %q who is to be forgotten", name))
	}
}
