package postgres

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/pgname"
	"github.com/eventmap/eventmap/runtime"
)

// A Config says where a store keeps its events and what it does beside storing them. The zero value is ready for use
// with the tables that migrate-gen writes by default. A Config is itself an [Option], so that both styles work:
//
//	postgres.New(postgres.Config{EventsTable: "shop.events"})
//	postgres.New(postgres.WithEventsTable("shop.events"))
type Config struct {
	// EventsTable is the table of events: "table", found by the search_path, or "schema.table". Names are taken
	// literally, upper case and hyphens included, and are always quoted. Empty means "events".
	EventsTable string
	// AggregateHeadsTable is the table of stream versions, named in the same way. Empty means "aggregate_heads", in the
	// schema of EventsTable.
	AggregateHeadsTable string
	// SnapshotsTable is the table of snapshots, named in the same way, for aggregates that have the mark snapshots. Empty means
	// "aggregate_snapshots", in the schema of EventsTable.
	SnapshotsTable string
	// Layout says whether there is one log or many. The zero value is [OneLog].
	Layout Layout
	// Log is the log of a store, where there are many; see [Logs], which has a store for each.
	Log string
	// EventLogsTable is the table of the logs, where there are many, named in the same way. Empty means "event_logs", in the
	// schema of EventsTable.
	EventLogsTable string
	// SubjectKeysTable is the table of a [KeyStore], named in the same way; a store does not use it. Empty means
	// "subject_keys", in the schema of EventsTable.
	SubjectKeysTable string
	// Reader is where [Consumers] of many logs read events, such as a pool on a standby; checkpoints and what handlers write stay
	// where they are. Nil means there too.
	Reader *pgxpool.Pool
	// CheckpointsTable and ParkedEventsTable are the tables of [Consumers], named in the same way; a store does not use them.
	// Empty means "consumer_checkpoints" and "parked_events", in the schema of EventsTable.
	CheckpointsTable  string
	ParkedEventsTable string
	// Payload is the type of the payload column. Empty means [Bytea], which is what migrate-gen makes by default.
	Payload PayloadType
	// NotifyChannel is the channel on which an append notifies listeners when its transaction commits; the payload is
	// the append's last position. Empty means none. NOTIFY serializes commits and halves the throughput of appends.
	NotifyChannel string
	// Logger is told about appends, conflicts and recognised retries. Nil means none.
	Logger runtime.Logger
	// Clock stamps events whose CreatedAt is zero. Nil means time.Now.
	Clock func() time.Time
	// Record is the content of eventmap.schema.json, which migrate-gen writes beside its migrations; embed it. [Check]
	// compares the database with it: views, the trigger of --append-only, the check of --strict and whether that lets in every
	// event of the domain. So a release whose migration was forgotten does not start. A store does not use it.
	Record []byte
	// GroupLimits bound what a [Group] sends at once; other stores do not use them.
	GroupLimits GroupLimits
	// GroupHook is called for each group of appends that a [Group] sends, when it is over, with how many appends and events it
	// had. It is called from several goroutines at once, and what it waits for the next group waits for.
	GroupHook func(appends, events int)
}

// An Option changes the [Config] of a store. Options apply in order.
type Option interface{ apply(*Config) }

type option func(*Config)

func (o option) apply(c *Config) { o(c) }

func (c Config) apply(to *Config) { *to = c }

// WithEventsTable sets the table of events; see [Config].
func WithEventsTable(name string) Option {
	return option(func(c *Config) { c.EventsTable = name })
}

// WithAggregateHeadsTable sets the table of stream versions; see [Config].
func WithAggregateHeadsTable(name string) Option {
	return option(func(c *Config) { c.AggregateHeadsTable = name })
}

// WithSnapshotsTable sets the table of snapshots; see [Config].
func WithSnapshotsTable(name string) Option {
	return option(func(c *Config) { c.SnapshotsTable = name })
}

// WithLog sets the log of a store, where there are many; see [ManyLogs].
func WithLog(name string) Option {
	return option(func(c *Config) { c.Log = name })
}

// WithEventLogsTable sets the table of logs, where there are many; see [Config].
func WithEventLogsTable(name string) Option {
	return option(func(c *Config) { c.EventLogsTable = name })
}

// WithReader sets where [Consumers] of many logs read events, such as a pool on a standby; see [Config].
func WithReader(pool *pgxpool.Pool) Option {
	return option(func(c *Config) { c.Reader = pool })
}

// WithPayload sets the type of the payload column; see [Config].
func WithPayload(t PayloadType) Option {
	return option(func(c *Config) { c.Payload = t })
}

// WithNotifyChannel sets the channel that appends notify; see [Config].
func WithNotifyChannel(channel string) Option {
	return option(func(c *Config) { c.NotifyChannel = channel })
}

// WithLogger sets the logger; see [Config].
func WithLogger(l runtime.Logger) Option {
	return option(func(c *Config) { c.Logger = l })
}

// WithClock sets the clock that stamps events whose CreatedAt is zero; see [Config].
func WithClock(now func() time.Time) Option {
	return option(func(c *Config) { c.Clock = now })
}

// WithRecord has [Check] compare the database with what migrate-gen wrote; see [Config].
func WithRecord(record []byte) Option {
	return option(func(c *Config) { c.Record = record })
}

// WithGroupLimits sets what a [Group] sends at once; see [GroupLimits].
func WithGroupLimits(l GroupLimits) Option {
	return option(func(c *Config) { c.GroupLimits = l })
}

// WithGroupHook sets what is told of the groups that a [Group] sends; see [Config].
func WithGroupHook(hook func(appends, events int)) Option {
	return option(func(c *Config) { c.GroupHook = hook })
}

// The tables that migrate-gen writes when it is given no names.
const (
	defaultEventsTable         = "events"
	defaultAggregateHeadsTable = "aggregate_heads"
)

// tables are a store's tables by their validated names.
type tables struct {
	events    pgname.Table
	heads     pgname.Table
	snapshots pgname.Table
	logs
}

// tables returns the names that the configuration stands for, or the first rule that one of them breaks.
func (c *Config) tables() (tables, error) {
	name := c.EventsTable
	if name == "" {
		name = defaultEventsTable
	}
	events, err := pgname.ParseTable(name)
	if err != nil {
		return tables{}, fmt.Errorf("events table: %w", err)
	}
	heads := events.Sibling(defaultAggregateHeadsTable)
	if c.AggregateHeadsTable != "" {
		if heads, err = pgname.ParseTable(c.AggregateHeadsTable); err != nil {
			return tables{}, fmt.Errorf("aggregate heads table: %w", err)
		}
	}
	if heads == events {
		return tables{}, fmt.Errorf("aggregate heads table: %q is the events table", heads)
	}
	snapshots := events.Sibling(pgname.SnapshotsTable)
	if c.SnapshotsTable != "" {
		if snapshots, err = pgname.ParseTable(c.SnapshotsTable); err != nil {
			return tables{}, fmt.Errorf("snapshots table: %w", err)
		}
	}
	if snapshots == events || snapshots == heads {
		return tables{}, fmt.Errorf("snapshots table: %q is the table of events or of heads", snapshots)
	}
	t := tables{events: events, heads: heads, snapshots: snapshots}
	if err := c.Layout.check(); err != nil {
		return tables{}, err
	}
	if c.Layout.many {
		t.logs = logs{table: events.Sibling(pgname.EventLogsTable), hashed: c.Layout.hashed, citus: c.Layout.citus}
		if c.EventLogsTable != "" {
			if t.table, err = pgname.ParseTable(c.EventLogsTable); err != nil {
				return tables{}, fmt.Errorf("event logs table: %w", err)
			}
		}
	}
	return t, nil
}

// checkChannel returns nil if PostgreSQL takes s as a channel name whole. pg_notify refuses what is longer.
func checkChannel(s string) error {
	switch {
	case len(s) > pgname.MaxBytes:
		return fmt.Errorf("notify channel %q has %d bytes; PostgreSQL takes %d", s, len(s), pgname.MaxBytes)
	case !utf8.ValidString(s):
		return fmt.Errorf("notify channel %q is not valid UTF-8", s)
	case strings.ContainsRune(s, 0):
		return errors.New("notify channel holds a NUL")
	}
	return nil
}
