package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
)

// A state is kept with a stamp behind it: a line that names the last event in the state, and a checksum of all that belongs
// together. A row of which anything was changed, or that stands beside another stream's events, is not taken for a snapshot.
const (
	checksumSize = 8
	stampSize    = len("\n") + 36 + len(" ") + 2*checksumSize
)

// encode returns a state as it is kept.
func (s Snapshots[Tx, S]) encode(aggregateID string, loaded *Loaded[S]) (kept []byte, err error) {
	defer recovered(&err)
	state, err := s.settings.Codec().Marshal(&loaded.State)
	if err != nil {
		return nil, err
	}
	sum := s.checksum(aggregateID, loaded.Version, loaded.LastEventID, state)
	kept = append(make([]byte, 0, len(state)+stampSize), state...) // what a codec returns may have room that is its own
	return fmt.Appendf(kept, "\n%s %s", loaded.LastEventID, sum[:]), nil
}

// decode reads a state that was kept. An error leaves anything in state.
func (s Snapshots[Tx, S]) decode(aggregateID string, snapshot runtime.Snapshot, state *S) (err error) {
	defer recovered(&err)
	at := len(snapshot.State) - stampSize
	if at < 0 {
		return errChanged
	}
	text, stamp := snapshot.State[:at], snapshot.State[at:]
	last, err := uuid.ParseBytes(stamp[1:37])
	if err != nil {
		return errChanged
	}
	sum := s.checksum(aggregateID, snapshot.Version, last, text)
	switch {
	case string(sum[:]) != string(stamp[38:]):
		return errChanged
	case last != snapshot.LastEventID && last != uuid.Nil && snapshot.LastEventID != uuid.Nil:
		return fmt.Errorf("its last event is %s, and the log has %s there, as one that was restored without its snapshots; "+
			"drop the snapshots of %s", last, snapshot.LastEventID, s.aggregateType)
	}
	return s.settings.Codec().Unmarshal(text, state)
}

var errChanged = errors.New("its row is not what was saved: something damaged or changed it; the next snapshot of the stream replaces it")

// checksum returns a checksum in hexadecimal. Every load computes one, so it is made without fmt, and without a copy of the state.
func (s Snapshots[Tx, S]) checksum(aggregateID string, version int64, last uuid.UUID, state []byte) (text [2 * checksumSize]byte) {
	head := make([]byte, 0, 256)
	head = append(strconv.AppendQuote(head, s.aggregateType), ' ')
	head = append(strconv.AppendQuote(head, aggregateID), ' ')
	head = append(append(head, s.fingerprint...), ' ')
	head = append(strconv.AppendInt(head, version, 10), ' ')
	head = append(append(head, last.String()...), '\n')
	hash := sha256.New()
	_, _ = hash.Write(head)
	_, _ = hash.Write(state)
	hex.Encode(text[:], hash.Sum(head[:0])[:checksumSize])
	return text
}

// recovered makes an error of a panic of a state's own methods: a snapshot that cannot be made or read fails nothing.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("panic: %v", r)
	}
}
