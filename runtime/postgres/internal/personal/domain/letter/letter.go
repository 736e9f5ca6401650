// Package letter has events of one form, with marks and without.
package letter

// An Event is something that happened to a letter.
//
//eventmap:events Letter
type Event interface{ letterEvent() }

// A CardEvent is something that happened to a card.
//
//eventmap:events Card
type CardEvent interface{ cardEvent() }

// Written is a letter by somebody.
type Written struct {
	By      string `json:"by"`      //eventmap:subject
	Subject string `json:"subject"` //eventmap:personal
	Body    string `json:"body"`    //eventmap:personal
	Pages   int    `json:"pages"`
	Postage int64  `json:"postage"`
}

// Sent is the same, in clear.
type Sent struct {
	By      string `json:"by"`
	Subject string `json:"subject"`
	Body    string `json:"body"`
	Pages   int    `json:"pages"`
	Postage int64  `json:"postage"`
}

func (Written) letterEvent() {}
func (Sent) cardEvent()      {}

// A Letter is what its events come to.
//
//eventmap:aggregate Letter
type Letter struct{ Pages, Bytes int }

// OnWritten adds to it.
func (l *Letter) OnWritten(e Written) {
	l.Pages += e.Pages
	l.Bytes += len(e.Subject) + len(e.Body)
}

// A Card is what its events come to.
//
//eventmap:aggregate Card
type Card struct{ Pages, Bytes int }

// OnSent adds to it.
func (c *Card) OnSent(e Sent) {
	c.Pages += e.Pages
	c.Bytes += len(e.Subject) + len(e.Body)
}
