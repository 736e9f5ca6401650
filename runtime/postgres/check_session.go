package postgres

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// session looks at the settings of a session that say how values go over the wire, which server or engine has read. Prepared
// statements take times and bytes in binary form, whatever these say; without them, as through many a pooler, they come as
// text, which pgx reads in one form only.
func (k *checker) session() error {
	if k.client != "UTF8" {
		k.problem("client_encoding", "is "+k.client+", so that texts would be taken for others", "leave it at UTF8, which is what pgx speaks")
	}
	if strings.HasPrefix(k.dates, "ISO") && k.bytes == "hex" {
		return nil
	}
	var at time.Time
	var content []byte
	err := k.each("session.sql", nil, []any{&at, &content}, func() {})
	var server *pgconn.PgError
	if err == nil || errors.As(err, &server) || k.ctx.Err() != nil {
		return err
	}
	k.problem("session", fmt.Sprintf("has DateStyle %s and bytea_output %s, and times and bytes come as text that pgx does not read: %v", k.dates, k.bytes, err),
		"leave them at ISO and hex, for the role or in the connection's address, or have pgx prepare statements")
	return nil
}
