package schemalock_test

import (
	stdcmp "cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/schemalock"
)

// lockOf returns a lock of events that are written as "Order.Placed.v1 order.Placed fields...", with ->2 after the version
// for one that is upcast. Each field is a string.
func lockOf(t *testing.T, events ...string) *schemalock.Lock {
	t.Helper()
	var lock schemalock.Lock
	for i, text := range events {
		words := strings.Fields(text)
		e := schemalock.Event{Type: "example.com/" + words[1], Payload: &model.Shape{Kind: model.ObjectShape}}
		name := strings.ReplaceAll(strings.ReplaceAll(words[0], ".", " "), "->", " ")
		n, _ := fmt.Sscanf(name, "%s %s v%d %d", &e.Aggregate, &e.Name, &e.Version, &e.Upcast)
		if n < 3 {
			t.Fatalf("%q is no event", text)
		}
		e.Pos = model.Position{File: "order.go", Line: i + 1, Col: 1}
		for _, field := range words[2:] {
			e.Payload.Fields = append(e.Payload.Fields, model.Field{Name: field, Go: field, Pos: e.Pos, Shape: &model.Shape{Kind: model.StringShape}})
		}
		lock.Events = append(lock.Events, e)
	}
	slices.SortFunc(lock.Events, func(a, b schemalock.Event) int { return strings.Compare(a.String(), b.String()) })
	return &lock
}

func TestCompare_events(t *testing.T) {
	t.Parallel()
	placed := []string{"Order.Placed.v1 order.Placed a b"}
	for _, tt := range []struct {
		name        string
		locked, now []string
		accepted    []string
		want        []string // "event rule"
		unused      []string
		remedy      string // a part of the first
	}{
		{name: "nothing changed", locked: placed, now: placed},
		{name: "nothing locked", now: placed},
		{name: "new event and version", locked: placed, now: []string{"Order.Paid.v1 order.Paid", "Order.Placed.v1->2 v1.Placed a b", "Order.Placed.v2 order.Placed c"}},
		{name: "type moved", locked: placed, now: []string{"Order.Placed.v1 elsewhere.WasPlaced a b"}},
		{name: "removed", locked: placed, now: []string{"Order.Paid.v1 order.Paid"}, want: []string{"Order.Placed.v1 event-removed"}, remedy: "keep its type as long as the log holds one; or, if none was ever stored, --accept-breaking Order.Placed.v1"},
		{name: "all removed", locked: placed, want: []string{"Order.Placed.v1 event-removed"}},
		{name: "version removed", locked: []string{"Order.Placed.v1->2 v1.Placed a", "Order.Placed.v2 order.Placed b"}, now: []string{"Order.Placed.v2 order.Placed b"}, want: []string{"Order.Placed.v1 version-removed"}, remedy: "bring its type back"},
		{name: "version changed in place", locked: placed, now: []string{"Order.Placed.v2 order.Placed a b c"}, want: []string{"Order.Placed.v1 version-changed"}, remedy: "keep a copy of the type as it was as version 1"},
		{name: "stored under another name", locked: placed, now: []string{"Order.placed.v1 order.Placed a b"}, want: []string{"Order.Placed.v1 event-renamed"}, remedy: "name=Placed"},
		{name: "type renamed", locked: placed, now: []string{"Order.WasPlaced.v1 order.WasPlaced b a"}, want: []string{"Order.Placed.v1 type-renamed"}, remedy: "renamed? pin it with //eventmap:event name=Placed"},
		{name: "another of the same look is no rename", locked: []string{"Order.A.v1 order.A x", "Order.B.v1 order.B x"}, now: []string{"Order.B.v1 order.B x"}, want: []string{"Order.A.v1 event-removed"}},
		{name: "empty events look like nothing", locked: []string{"Order.A.v1 order.A"}, now: []string{"Order.B.v1 order.B"}, want: []string{"Order.A.v1 event-removed"}},
		{name: "types of one form exchanged", locked: []string{"Order.A.v1 order.A x", "Order.B.v1 order.B x"}, now: []string{"Order.A.v1 order.B x", "Order.B.v1 order.A x"}, want: []string{"Order.A.v1 types-exchanged", "Order.B.v1 types-exchanged"}},
		{name: "versions of one form exchanged", locked: []string{"Order.A.v1->2 v1.A x", "Order.A.v2 order.A x"}, now: []string{"Order.A.v1->2 order.A x", "Order.A.v2 v1.A x"}, want: []string{"Order.A.v1 types-exchanged", "Order.A.v2 types-exchanged"}},
		{name: "types of two forms exchanged with them", locked: []string{"Order.A.v1 order.A x", "Order.B.v1 order.B y"}, now: []string{"Order.A.v1 order.B x", "Order.B.v1 order.A y"}},
		{name: "a type becomes the next version", locked: []string{"Order.A.v1 order.A x"}, now: []string{"Order.A.v1->2 v1.A x", "Order.A.v2 order.A x"}},
		{name: "aggregate renamed", locked: []string{"Order.A.v1 order.A x", "Order.B.v1 order.B"}, now: []string{"Purchase.A.v1 order.A x", "Purchase.B.v1 order.B"}, want: []string{"Order aggregate-renamed"}, remedy: "//eventmap:aggregate Order"},
		{name: "aggregate's folder renamed", locked: []string{"Order.A.v1 order.A x", "Order.B.v1 order.B"}, now: []string{"Purchase.A.v1 purchase.A x", "Purchase.B.v1 purchase.B"}, want: []string{"Order aggregate-renamed"}},
		{name: "moved to another aggregate", locked: []string{"Order.A.v1 order.A x", "Order.B.v1 order.B"}, now: []string{"Purchase.A.v1 order.A x", "Order.B.v1 order.B"}, want: []string{"Order.A.v1 aggregate-renamed"}},
		{name: "upcaster removed", locked: []string{"Order.P.v1->2 v1.P", "Order.P.v2 order.P"}, now: []string{"Order.P.v1 v1.P", "Order.P.v2 order.P"}, want: []string{"Order.P.v1 upcaster-removed"}},
		{name: "no upcaster", now: []string{"Order.P.v1 v1.P", "Order.P.v2 order.P"}, want: []string{"Order.P.v1 no-upcaster"}},
		{name: "gap", now: []string{"Order.P.v1->4 v1.P", "Order.P.v4 order.P"}, want: []string{"Order.P.v4 version-gap"}},
		{name: "all at once, by position", locked: []string{"Order.A.v1 order.A x", "Order.B.v1 order.B y z"}, now: []string{"Order.B.v1 order.B y", "Order.A.v1 order.A"}, want: []string{"Order.B.v1 field-removed", "Order.A.v1 field-removed"}},
		{name: "free version for the remedy", locked: []string{"Order.P.v1->3 v1.P a", "Order.P.v3 v3.P"}, now: []string{"Order.P.v1->3 v1.P", "Order.P.v3 v3.P"}, want: []string{"Order.P.v1 field-removed", "Order.P.v3 version-gap"}, remedy: "keep version 1 as it was and add version 4 with an upcaster"},

		{name: "accepted", locked: placed, accepted: []string{"Order.Placed.v1"}},
		{name: "accepted for all versions", locked: placed, now: []string{"Order.Placed.v1 order.Placed a"}, accepted: []string{"Order.Placed"}},
		{name: "accepted for an aggregate", locked: []string{"Order.A.v1 order.A x"}, now: []string{"Purchase.A.v1 order.A x"}, accepted: []string{"Order"}},
		{name: "another accepted", locked: placed, accepted: []string{"Order.Placed.v2", "Order.P", "Orders"}, want: []string{"Order.Placed.v1 event-removed"}, unused: []string{"Order.Placed.v2", "Order.P", "Orders"}},
		{name: "accepted twice", locked: placed, accepted: []string{"Order", "Order.Placed", "Order.Placed.v1"}},
		{name: "accepted for nothing", locked: placed, now: placed, accepted: []string{"Order"}, unused: []string{"Order"}},
		{name: "warnings are not for accepting", now: []string{"Order.P.v1 v1.P", "Order.P.v2 order.P"}, accepted: []string{"Order"}, want: []string{"Order.P.v1 no-upcaster"}, unused: []string{"Order"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			findings, unused := schemalock.Compare(lockOf(t, tt.locked...), lockOf(t, tt.now...), tt.accepted)
			var got []string
			for _, f := range findings {
				got = append(got, f.Event+" "+f.Rule.Name)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("findings (-want +got):\n%s\n%v", d, findings)
			}
			if d := cmp.Diff(tt.unused, unused, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("acceptances of nothing (-want +got):\n%s", d)
			}
			if tt.remedy != "" && (len(findings) == 0 || !strings.Contains(findings[0].Remedy, tt.remedy)) {
				t.Errorf("findings %v, want the remedy %q", findings, tt.remedy)
			}
		})
	}
}

func TestCompare_streams(t *testing.T) {
	t.Parallel()
	const id, other = "example.com/id.ID", "example.com/id.Other"
	for _, tt := range []struct {
		name, locked, now, want string
		accepted                []string
	}{
		{name: "a plain string"},
		{name: "the same type", locked: id, now: id},
		{name: "typed", now: id, want: "Order stream-id-typed its streams are called by what example.com/id.ID.String returns now, and by a plain string before"},
		{name: "a plain string again", locked: id},
		{name: "another type", locked: id, now: other, want: "Order stream-id-changed its streams are called by what example.com/id.Other.String returns now, and by what example.com/id.ID.String returned before"},
		{name: "another type, accepted", locked: id, now: other, accepted: []string{"Order"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			withIDs := func(id string) *schemalock.Lock {
				lock := lockOf(t, "Order.Placed.v1 order.Placed a")
				if id != "" {
					lock.Streams = []schemalock.Stream{{Aggregate: "Order", ID: id}, {Aggregate: "Payment", ID: id}}
				}
				again, err := schemalock.Decode(schemalock.Encode(lock), "lock")
				if err != nil {
					t.Fatal(err)
				}
				return again
			}
			locked := withIDs(tt.locked)
			findings, _ := schemalock.Compare(locked, withIDs(tt.now), tt.accepted)
			got := ""
			for _, f := range findings {
				if f.Event == "Order" {
					got += f.Event + " " + f.Rule.Name + " " + f.Message
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Numbers are stored and names are not: what matters is what a number stands for.
func TestCompare_enumerations(t *testing.T) {
	t.Parallel()
	lockOf := func(constants string) *schemalock.Lock {
		shape := &model.Shape{Kind: model.IntShape, Bits: 64}
		for _, c := range strings.Fields(constants) {
			name, value, _ := strings.Cut(c, "=")
			shape.Constants = append(shape.Constants, model.Constant{Name: name, Value: value})
		}
		payload := &model.Shape{Kind: model.ObjectShape, Fields: []model.Field{{
			Name: "a", Go: "A", Shape: &model.Shape{Kind: model.MapShape, Key: shape, Elem: &model.Shape{Kind: model.SliceShape, Elem: shape}},
		}}}
		return &schemalock.Lock{Events: []schemalock.Event{{Aggregate: "Order", Name: "Placed", Version: 1, Type: "order.Placed", Payload: payload}}}
	}
	const old = "New=0 Open=1 Paid=2"
	for _, tt := range []struct{ name, locked, now, want, message string }{
		{name: "the same in another order", now: "Paid=2 New=0 Open=1"},
		{name: "one at the end", now: old + " Sent=3"},
		{name: "one at the front", now: "None=0 New=1 Open=2 Paid=3", want: "constants-renumbered",
			message: "is of an enumeration: 0 is stored for New, and means None now; 1 is stored for Open, and means New now; 2 is stored for Paid, and means Open now"},
		{name: "one between", now: "New=0 Held=1 Open=2 Paid=3", want: "constants-renumbered", message: "1 is stored for Open, and means Held now"},
		{name: "one for another, whose number it was", now: "New=0 Held=1 Open=5 Paid=2", want: "constants-renumbered", message: "1 is stored for Open, and means Held now"},
		{name: "two change places", now: "New=1 Open=0 Paid=2", want: "constants-renumbered"},
		{name: "the first goes", now: "Open=0 Paid=1", want: "constant-gone constants-renumbered"},
		{name: "the last goes", now: "New=0 Open=1", want: "constant-gone", message: "2, which was Paid, is no constant any more"},
		{name: "another number", now: "New=0 Open=1 Paid=7", want: "constant-gone"},
		{name: "renamed", now: "New=0 Unpaid=1 Settled=2"},
		{name: "a second name", now: old + " First=0"},
		{name: "a second name of two goes", locked: old + " First=0", now: old},
		{name: "a second name moves on", locked: old + " Last=2", now: old + " Sent=3 Last=3"},
		{name: "no enumeration any more"},
		{name: "an enumeration now", locked: "Some=1", now: old},
		{name: "many", locked: "A=0 B=1 C=2 D=3 E=4", now: "Z=0 A=1 B=2 C=3 D=4 E=5", want: "constants-renumbered", message: "2 is stored for C, and means B now; and 2 more"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			locked, err := schemalock.Decode(schemalock.Encode(lockOf(stdcmp.Or(tt.locked, old))), "lock")
			if err != nil {
				t.Fatal(err)
			}
			findings, _ := schemalock.Compare(locked, lockOf(tt.now), nil)
			var rules []string
			for _, f := range findings {
				rules = append(rules, f.Rule.Name)
			}
			slices.Sort(rules)
			// Once for the key and once for the element.
			if got := strings.Join(slices.Compact(rules), " "); got != tt.want || len(rules) != 2*len(strings.Fields(tt.want)) {
				t.Errorf("got %v, want %q twice", findings, tt.want)
			}
			if tt.message != "" && !strings.Contains(fmt.Sprint(findings), tt.message) {
				t.Errorf("got %v, want %q", findings, tt.message)
			}
		})
	}
}
