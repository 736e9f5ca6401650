package mapping

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

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
	return fmt.Appendf(bytes.Clone(state), "\n%s %x", loaded.LastEventID, sum), nil
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
	case hex.EncodeToString(sum) != string(stamp[38:]):
		return errChanged
	case last != snapshot.LastEventID && last != uuid.Nil && snapshot.LastEventID != uuid.Nil:
		return fmt.Errorf("its last event is %s, and the log has %s there, as one that was restored without its snapshots; "+
			"drop the snapshots of %s", last, snapshot.LastEventID, s.aggregateType)
	}
	return s.settings.Codec().Unmarshal(text, state)
}

var errChanged = errors.New("its row is not what was saved: something damaged or changed it; the next snapshot of the stream replaces it")

func (s Snapshots[Tx, S]) checksum(aggregateID string, version int64, last uuid.UUID, state []byte) []byte {
	hash := sha256.New()
	_, _ = fmt.Fprintf(hash, "%q %q %s %d %s\n", s.aggregateType, aggregateID, s.fingerprint, version, last)
	_, _ = hash.Write(state)
	return hash.Sum(nil)[:checksumSize]
}

// recovered makes an error of a panic of a state's own methods: a snapshot that cannot be made or read fails nothing.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("panic: %v", r)
	}
}
