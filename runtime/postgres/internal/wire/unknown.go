package wire

import "github.com/jackc/pgx/v5"

// An Unknown is a transaction over a connection that a store does not know, so that each append looks at the sequence. Then it has
// one text, which pgx prepares once; else how many round trips an append takes depends on how soon it follows another.
type Unknown struct{ pgx.Tx }

// Conn returns nil.
func (Unknown) Conn() *pgx.Conn { return nil }
