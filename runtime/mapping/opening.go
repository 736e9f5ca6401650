package mapping

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// Open replaces the payloads of stored events by ones in clear, and lists in Erased what cannot be read because its subject
// was forgotten. It takes no round trip if all keys are cached, else one for those that are left when the first is missing. It
// returns the IDs of the keys; some may come more than once. A value that is not what was sealed there is a
// [*runtime.DecodeError] with a [privacy.ErrIntegrity]. Many events are opened by several goroutines, which end before it
// returns. After an error the events are as they were.
func (p Personal[Tx]) Open(ctx context.Context, tx Tx, events []runtime.PersistedEvent) ([]uuid.UUID, error) {
	return p.openRest(ctx, tx, events, nil)
}

// openRest is Open for events of which the first parts were opened before, as far as that could be done.
func (p Personal[Tx]) openRest(ctx context.Context, tx Tx, events []runtime.PersistedEvent, parts []*opening) ([]uuid.UUID, error) {
	if len(p.events) == 0 {
		return nil, nil
	}
	if p.keys == nil && len(p.keyIDs(events)) > 0 {
		return nil, errNoKeys
	}
	rest := events
	for _, o := range parts {
		rest = rest[len(o.events):]
	}
	find := func(missing []uuid.UUID) (*privacy.Ring, error) { return p.keys.ByID(ctx, tx, missing...) }
	return p.openParts(events, append(parts, openings(rest, p.cipher)...), find)
}

// cipher returns a cipher with the keys that are cached.
func (p Personal[Tx]) cipher() *privacy.Cipher {
	if p.keys == nil {
		return new(privacy.Ring).Cipher()
	}
	return p.keys.Cipher()
}

// openParts opens events whose parts are the openings, in order. find is asked once for all keys that are missing.
func (p Personal[Tx]) openParts(
	events []runtime.PersistedEvent, parts []*opening, find func(missing []uuid.UUID) (*privacy.Ring, error),
) (ids []uuid.UUID, err error) {
	run(parts, p.events)
	var missing []uuid.UUID
	var waiting []*opening
	for _, o := range parts {
		if errors.Is(o.err, privacy.ErrNotCached) {
			waiting, missing = append(waiting, o), append(missing, p.keyIDs(o.left())...)
		}
	}
	if len(waiting) > 0 {
		ring, err := find(missing)
		if err != nil {
			return nil, err
		}
		for _, o := range waiting {
			o.cipher.Add(ring)
			o.err = nil
		}
		run(waiting, p.events)
	}
	for _, o := range parts {
		if o.err != nil {
			return nil, NewDecodeError(&o.left()[0], o.err)
		}
		ids = append(ids, o.cipher.KeyIDs()...)
	}
	for _, o := range parts {
		for i := range o.opened {
			o.opened[i].put(&events[i])
		}
		events = events[len(o.opened):]
	}
	return ids, nil
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

// ring returns the keys.
func (p Personal[Tx]) ring(ctx context.Context, tx Tx, ids []uuid.UUID) (*privacy.Ring, error) {
	switch {
	case len(ids) == 0:
		return new(privacy.Ring), nil
	case p.keys == nil:
		return nil, errNoKeys
	}
	return p.keys.ByID(ctx, tx, ids...)
}

// openWith opens events with keys that were asked for.
func (p Personal[Tx]) openWith(ring *privacy.Ring, events []runtime.PersistedEvent) error {
	_, err := p.openParts(events, openings(events, ring.Cipher), nil)
	return err
}

// An opening is a part of a batch that one goroutine opens. It leaves the events as they are.
type opening struct {
	cipher *privacy.Cipher
	events []runtime.PersistedEvent
	opened []clearPayload // of the first events, as many as are opened
	err    error          // of the one after them
}

// A clearPayload is the payload of an event in clear, and what of it is erased.
type clearPayload struct {
	payload []byte
	erased  []string
}

func (c *clearPayload) put(e *runtime.PersistedEvent) { e.Payload, e.Erased = c.payload, c.erased }

// left returns the events that are not opened.
func (o *opening) left() []runtime.PersistedEvent { return o.events[len(o.opened):] }

// eventsEach is how many events an opening has at least: fewer are opened before another goroutine would begin.
const eventsEach = 500

// openings divides events among as many goroutines as can run.
func openings(events []runtime.PersistedEvent, cipher func() *privacy.Cipher) []*opening {
	parts := make([]*opening, max(1, min(goruntime.GOMAXPROCS(0), len(events)/eventsEach)))
	for i := range parts {
		parts[i] = &opening{cipher: cipher(), events: events[i*len(events)/len(parts) : (i+1)*len(events)/len(parts)]}
	}
	return parts
}

// run opens the events of openings, each up to the first that cannot be opened.
func run(parts []*opening, personal PersonalEvents) {
	parts = slices.DeleteFunc(slices.Clone(parts), func(o *opening) bool { return o.isOver() })
	var begun atomic.Int64
	work := func() {
		for i := begun.Add(1) - 1; i < int64(len(parts)); i = begun.Add(1) - 1 {
			parts[i].run(personal)
		}
	}
	var others sync.WaitGroup
	for range min(goruntime.GOMAXPROCS(0), len(parts)) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
}

// isOver reports whether no event can be opened any more.
func (o *opening) isOver() bool { return o.err != nil || len(o.left()) == 0 }

// run opens events up to the first that cannot be opened.
func (o *opening) run(personal PersonalEvents) {
	if o.opened == nil {
		o.opened = make([]clearPayload, 0, len(o.events))
	}
	var version EventVersion
	var fields []PersonalField
	to := new(block)
	for left := o.left(); len(left) > 0; left = left[1:] {
		e := &left[0]
		if now := versionOf(&e.Event); now != version { // events of one version come in rows
			version, fields = now, personal[now].Fields
		}
		opened, err := open(o.cipher, to, e, fields)
		if err != nil {
			o.err = err
			return
		}
		o.opened = append(o.opened, opened)
	}
}

// open returns the payload of an event in clear.
func open(cipher *privacy.Cipher, to *block, e *runtime.PersistedEvent, fields []PersonalField) (clearPayload, error) {
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
	concealed, err := reveal(new(block), &e, p.of(&e.Event), func(to []byte, _ *PersonalField, _ []byte) ([]byte, bool, error) { return to, true, nil })
	if err != nil {
		e.Payload = nil // nobody can say what of it is personal
		return e
	}
	concealed.put(&e)
	return e
}

// reveal returns the payload of an event, written into a block, in which each personal member is what read appends, or what an
// erased one reads as.
func reveal(
	block *block, e *runtime.PersistedEvent, fields []PersonalField,
	read func(to []byte, f *PersonalField, value []byte) (with []byte, erased bool, err error),
) (clearPayload, error) {
	if len(fields) == 0 {
		return clearPayload{e.Payload, e.Erased}, nil
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
				return clearPayload{}, twice(e, &fields[j])
			}
			w.add(members.quoted(), members.value())
			continue
		}
		f := &fields[i]
		if seen[i] {
			return clearPayload{}, twice(e, f)
		}
		seen[i] = true
		before := len(w.bytes)
		w.key(members.quoted())
		with, erased, err := read(w.bytes, f, members.value())
		switch {
		case err != nil:
			return clearPayload{}, err
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
		return clearPayload{}, fmt.Errorf("%w: the payload is no JSON object", privacy.ErrIntegrity)
	}
	return clearPayload{block.end(w), lost}, nil
}

// twice returns the error of a payload that has a personal member more than once, so that a value in clear could hide one.
func twice(e *runtime.PersistedEvent, f *PersonalField) error {
	return &privacy.PlaceError{Place: placeOf(&e.Event, f), Err: fmt.Errorf("%w: the payload has the member more than once, or in other letters too", privacy.ErrIntegrity)}
}
