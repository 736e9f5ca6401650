package postgres

import "github.com/eventmap/eventmap/runtime"

// What a page of an iterator holds: few rows at first, for a loop that is soon left, then as many as make round trips
// cheap, but never more than one row beyond maxPageBytes. The rows left over are read again by the next page.
const (
	firstPageRows = 64
	maxPageRows   = 4096
	maxPageBytes  = 4 << 20
)

// A pager reads a sequence of events page by page, each whole before its first event is handed out, so that the
// transaction is free in between.
type pager struct {
	decoder *decoder
	page    []runtime.PersistedEvent // reused
	rows    int                      // to ask for next
	left    int                      // events still wanted
	limited bool
	done    bool // the last page was the end
}

// newPager returns a pager of at most limit events, or of all for 0.
func newPager(limit int) *pager {
	return &pager{decoder: newDecoder(), rows: firstPageRows, left: limit, limited: limit > 0}
}

// next returns the next page, which is valid until the next call. open begins a statement that gives at most n rows,
// those after the last page's.
func (p *pager) next(open func(n int) (rows, error)) ([]runtime.PersistedEvent, error) {
	asked := p.rows
	if p.limited {
		asked = min(asked, p.left)
	}
	r, err := open(asked)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	p.page = p.page[:0]
	size := 0
	for size < maxPageBytes && r.Next() {
		if err := p.decoder.decode(r); err != nil {
			return nil, err
		}
		e := &p.decoder.event
		p.page = append(p.page, *e)
		size += len(e.Payload) + len(e.Metadata)
	}
	r.Close()
	if err := r.Err(); err != nil {
		return nil, err
	}
	got := len(p.page)
	p.left -= got
	p.done = got < asked && size < maxPageBytes || p.limited && p.left == 0
	p.rows = min(p.rows*4, maxPageRows)
	if got > 0 {
		p.rows = max(1, min(p.rows, maxPageBytes/(size/got+1)))
	}
	return p.page, nil
}

// skip takes back that an event of the page counts towards the limit.
func (p *pager) skip() {
	if p.limited {
		p.left++
		p.done = false
	}
}
