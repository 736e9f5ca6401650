package catalog

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/eventmap/eventmap/internal/model"
)

// A diagram shows who emits and who handles the events of an aggregate, in three columns.
type diagram struct {
	Key           string // of the aggregate
	Width, Height int
	Box           int // the width of a node
	Nodes         []node
	Edges         []edge
}

// Short reports whether it fits on a screen or two.
func (d *diagram) Short() bool { return len(d.Nodes) < 90 }

// A node is a box with a name.
type node struct {
	X, Y       int
	Kind       string // emitter, event or handler
	Text, Full string
	ID         string // of its event's place in the page
	Number     int
}

// TextX is where the text begins.
func (n node) TextX() int { return n.X + 11 }

// TextY is the base line of the text.
func (n node) TextY() int { return n.Y + 17 }

// An edge leads from the right side of a node to the left side of another.
type edge struct {
	Path     string
	From, To int  // numbers of nodes
	Unknown  bool // nobody knows whether the event is handled
}

const (
	nodeHeight  = 26
	nodeGap     = 10
	columnGap   = 84
	longest     = 31  // letters of a name
	letterWidth = 7.3 // of the font, which is as wide in every letter
)

// newDiagram returns the diagram of an aggregate, or nil if nobody looked for what it shows or nothing was found.
func newDiagram(a *model.Aggregate, u *model.Usage) *diagram {
	if u == nil {
		return nil
	}
	d := diagram{Key: key(a.Name)}
	var columns [3][]*node
	byName := map[[2]string]*node{}
	add := func(column int, kind, name, full, id string) *node {
		if n := byName[[2]string{kind, name}]; n != nil {
			return n
		}
		n := &node{Kind: kind, Text: shorten(name), Full: full, ID: id}
		if n.Text != name {
			n.Full = name + ", " + full
		} else if full == name {
			n.Full = ""
		}
		byName[[2]string{kind, name}] = n
		columns[column] = append(columns[column], n)
		return n
	}
	type link struct {
		from, to *node
		unknown  bool
	}
	var links []link
	for i := range a.Events {
		e := &a.Events[i]
		if a.Latest(e.Name).Version != e.Version {
			continue
		}
		n := add(1, "event", e.Name, e.Name, eventKey(a.Name, e.Name))
		emitters, handled, _, unknown := u.Of(a.Name, e.Name)
		for _, emitter := range emitters {
			links = append(links, link{add(0, "emitter", emitter.Func, emitter.Pos.String(), ""), n, false})
		}
		for _, h := range handled {
			links = append(links, link{n, add(2, "handler", handlerName(h), h.Func+", "+h.Pos.String(), ""), false})
		}
		for _, h := range unknown {
			links = append(links, link{n, add(2, "handler", handlerName(h), h.Func+", "+h.Pos.String(), ""), true})
		}
	}
	if len(columns[0]) == 0 && len(columns[2]) == 0 {
		return nil
	}
	letters := 12
	for _, column := range columns {
		for _, n := range column {
			letters = max(letters, utf8.RuneCountInString(n.Text))
		}
	}
	d.Box = int(float64(letters)*letterWidth) + 24
	rows := max(len(columns[0]), len(columns[1]), len(columns[2]))
	d.Height = rows*(nodeHeight+nodeGap) - nodeGap + 2
	x := 1
	numbers := map[*node]int{}
	for _, column := range columns {
		if len(column) == 0 {
			continue
		}
		top := 1 + (rows-len(column))*(nodeHeight+nodeGap)/2
		for i, n := range column {
			n.X, n.Y, n.Number = x, top+i*(nodeHeight+nodeGap), len(d.Nodes)
			numbers[n] = n.Number
			d.Nodes = append(d.Nodes, *n)
		}
		x += d.Box + columnGap
	}
	d.Width = x - columnGap + 1
	for _, l := range links {
		x1, y1, x2, y2 := l.from.X+d.Box, l.from.Y+nodeHeight/2, l.to.X, l.to.Y+nodeHeight/2
		d.Edges = append(d.Edges, edge{
			Path: fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, y1, x1+columnGap/2, y1, x2-columnGap/2, y2, x2, y2),
			From: numbers[l.from], To: numbers[l.to], Unknown: l.unknown,
		})
	}
	slices.SortStableFunc(d.Edges, func(a, b edge) int { return a.From - b.From })
	d.Edges = slices.CompactFunc(d.Edges, func(a, b edge) bool { return a == b })
	return &d
}

// shorten returns a name that fits in a box.
func shorten(name string) string {
	if utf8.RuneCountInString(name) <= longest {
		return name
	}
	return string([]rune(name)[:longest-1]) + "…"
}
