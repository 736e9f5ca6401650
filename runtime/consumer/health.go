package consumer

import "sync"

// A health is what keeps a consumer of a runner from being driven. The poller writes the refusal and the workers write what
// came of the database: neither undoes what the other has noted.
type health struct {
	mu      sync.Mutex
	refusal error // why the consumer is not driven, nil if it is
	astray  bool  // a worker has found the checkpoint to be astray; the poller looks again
	last    error // of the last use of the database, nil if that went well
}

// refuse notes why the consumer is not to be driven, or, with nil, that it is, and reports whether it was driven until now
// and is not any more.
func (h *health) refuse(reason error) (news bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	news = h.refusal == nil && reason != nil
	h.refusal = reason
	return news
}

// mistrust notes that a checkpoint is astray.
func (h *health) mistrust(reason error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refusal, h.astray = reason, true
}

// mistrusted reports whether a checkpoint was found to be astray.
func (h *health) mistrusted() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.astray
}

// trust notes that no checkpoint is astray.
func (h *health) trust() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.astray = false
}

// refused reports whether the consumer is not to be driven.
func (h *health) refused() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.refusal != nil
}

// used notes what came of the last use of the database.
func (h *health) used(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = err
}

// trouble returns why the consumer is not driven, or else what is wrong with the database, or nil.
func (h *health) trouble() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.refusal != nil {
		return h.refusal
	}
	return h.last
}
