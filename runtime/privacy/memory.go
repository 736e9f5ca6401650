package privacy

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// MemoryKeys is a [KeyStore] in memory, for tests. It knows no transactions: what it is told is done at once. It is safe for
// concurrent use.
type MemoryKeys[Tx any] struct {
	mu   sync.Mutex
	rows []StoredKey
}

// NewMemoryKeys returns an empty store.
func NewMemoryKeys[Tx any]() *MemoryKeys[Tx] { return new(MemoryKeys[Tx]) }

// MakeKeys implements [KeyStore].
func (m *MemoryKeys[Tx]) MakeKeys(_ context.Context, _ Tx, keys []StoredKey, readmit bool) ([]StoredKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	newest := make([]StoredKey, len(keys))
	for i, k := range keys {
		at := -1
		for j := range m.rows {
			if m.rows[j].Subject == k.Subject && (at < 0 || m.rows[j].Generation > m.rows[at].Generation) {
				at = j
			}
		}
		if at < 0 || readmit && m.rows[at].IsForgotten() {
			k.Generation = 1
			if at >= 0 {
				k.Generation = m.rows[at].Generation + 1
			}
			at = m.add(k)
		}
		newest[i] = m.rows[at]
	}
	return newest, nil
}

func (m *MemoryKeys[Tx]) add(k StoredKey) int {
	k.CreatedAt, k.Settled = time.Now(), true
	m.rows = append(m.rows, k)
	return len(m.rows) - 1
}

// FindKeys implements [KeyStore].
func (m *MemoryKeys[Tx]) FindKeys(_ context.Context, _ Tx, query KeyQuery) ([]StoredKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []StoredKey
	for _, row := range m.rows {
		var selected bool
		switch {
		case query.IDs != nil:
			selected = slices.Contains(query.IDs, row.KeyID)
		case query.Subjects != nil:
			selected = slices.Contains(query.Subjects, row.Subject)
		case query.Forgotten:
			selected = row.IsForgotten() && bytes.Compare(row.KeyID[:], query.After[:]) > 0
		default:
			selected = !row.IsForgotten() && row.WrappedBy != query.NotWrappedBy
		}
		if selected {
			found = append(found, row)
		}
	}
	slices.SortFunc(found, func(a, b StoredKey) int { return compareIDs(a.KeyID, b.KeyID) })
	if query.Limit > 0 && len(found) > query.Limit {
		found = found[:query.Limit]
	}
	return found, nil
}

// ForgetKeys implements [KeyStore].
func (m *MemoryKeys[Tx]) ForgetKeys(_ context.Context, _ Tx, keys []StoredKey) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range keys {
		at := slices.IndexFunc(m.rows, func(row StoredKey) bool { return row.KeyID == k.KeyID })
		if at < 0 {
			if slices.ContainsFunc(m.rows, func(row StoredKey) bool { return row.Subject == k.Subject && row.Generation == k.Generation }) {
				continue
			}
			at = m.add(StoredKey{KeyID: k.KeyID, Subject: k.Subject, Generation: k.Generation})
		}
		if row := &m.rows[at]; row.ForgottenAt.IsZero() {
			row.Wrapped, row.WrappedBy, row.ForgottenAt = nil, "", time.Now()
		}
	}
	return nil
}

// RewrapKeys implements [KeyStore].
func (m *MemoryKeys[Tx]) RewrapKeys(_ context.Context, _ Tx, keys []StoredKey) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range keys {
		for i := range m.rows {
			if row := &m.rows[i]; row.KeyID == k.KeyID && !row.IsForgotten() {
				row.Wrapped, row.WrappedBy = k.Wrapped, k.WrappedBy
			}
		}
	}
	return nil
}

var _ KeyStore[uuid.UUID] = (*MemoryKeys[uuid.UUID])(nil)
