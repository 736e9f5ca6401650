// Package transfer is about two people in one event: who sends, and who is sent to.
package transfer

import "time"

// ID identifies a transfer.
type ID string

// A Recipient is the number of a person.
type Recipient int64

// An Address is where somebody lives.
type Address struct {
	Street string   `json:"street"`
	Lines  []string `json:"lines,omitempty"`
}

// An Event is something that happened to a transfer.
//
//eventmap:events Transfer
type Event interface{ transferEvent() }

// Made begins a transfer.
//
//eventmap:event version=2
type Made struct {
	From    string            `json:"from"`              //eventmap:subject from
	To      Recipient         `json:"to"`                //eventmap:subject to
	Name    string            `json:"name"`              //eventmap:personal from erased="(removed)"
	Nick    *string           `json:"nick,omitempty"`    //eventmap:personal from
	Born    time.Time         `json:"born"`              //eventmap:personal from
	Photo   []byte            `json:"photo,omitempty"`   //eventmap:personal from
	Note    string            `json:"note"`              //eventmap:personal to erased="(removed)"
	Tags    []string          `json:"tags"`              //eventmap:personal to
	Answers map[string]int    `json:"answers,omitempty"` //eventmap:personal to
	Home    Address           `json:"home"`              //eventmap:personal to
	Age     int               `json:"age"`               //eventmap:personal to
	Labels  map[string]string `json:"labels,omitempty"`
	Cents   int64             `json:"cents"`
}

// MadeV1 is how a transfer began once: the whole name of who sends is one field.
//
//eventmap:event name=Made version=1
type MadeV1 struct {
	From string `json:"from"` //eventmap:subject
	Full string `json:"full"` //eventmap:personal erased="(removed)"
}

// Upcast turns a transfer of the first version into one of the second, which went to nobody in particular.
//
//eventmap:upcast
func Upcast(e MadeV1) Made {
	return Made{From: e.From, Name: e.Full, Labels: map[string]string{"release": "1"}}
}

// Corrected says what the note should have been.
type Corrected struct {
	To   Recipient `json:"to"`   //eventmap:subject
	Note string    `json:"note"` //eventmap:personal
}

// Checked is about nobody.
type Checked struct {
	Passed bool `json:"passed"`
}

func (Made) transferEvent()      {}
func (Corrected) transferEvent() {}
func (Checked) transferEvent()   {}

// A Transfer is what its events come to.
//
//eventmap:aggregate id=ID snapshots
type Transfer struct {
	Name, Note string
	Checks     int
}

// OnMade begins it.
func (t *Transfer) OnMade(e Made) { t.Name, t.Note = e.Name, e.Note }

// OnCorrected changes the note.
func (t *Transfer) OnCorrected(e Corrected) { t.Note = e.Note }

// OnChecked counts.
func (t *Transfer) OnChecked(Checked) { t.Checks++ }
