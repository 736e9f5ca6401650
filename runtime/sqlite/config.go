package sqlite

import (
	"fmt"
	"slices"
	"time"

	"github.com/eventmap/eventmap/internal/pgname"
	"github.com/eventmap/eventmap/internal/sqlitename"
	"github.com/eventmap/eventmap/runtime"
)

// A Config says where a store keeps its events and what it does beside storing them. The zero value is ready for use
// with the tables that [Migrate] makes, or migrate-gen writes, by default. A Config is itself an [Option], so that both
// styles work:
//
//	sqlite.New(sqlite.Config{EventsTable: "shop_events"})
//	sqlite.New(sqlite.WithEventsTable("shop_events"))
type Config struct {
	// EventsTable is the table of events. Names are always quoted; SQLite does not tell upper from lower case. Empty means
	// "events".
	EventsTable string
	// SnapshotsTable is the table of snapshots, for aggregates that have the mark snapshots. Empty means "aggregate_snapshots".
	SnapshotsTable string
	// SubjectKeysTable is the table of a [KeyStore]; a store does not use it. Empty means "subject_keys".
	SubjectKeysTable string
	// CheckpointsTable and ParkedEventsTable are the tables of [Consumers]; a store does not use them. Empty means
	// "consumer_checkpoints" and "parked_events".
	CheckpointsTable  string
	ParkedEventsTable string
	// Logger is told about appends, conflicts and recognised retries. Nil means none.
	Logger runtime.Logger
	// Clock stamps events whose CreatedAt is zero. Nil means time.Now.
	Clock func() time.Time
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

// WithSnapshotsTable sets the table of snapshots; see [Config].
func WithSnapshotsTable(name string) Option {
	return option(func(c *Config) { c.SnapshotsTable = name })
}

// WithCheckpointsTable sets the table of the checkpoints of consumers; see [Config].
func WithCheckpointsTable(name string) Option {
	return option(func(c *Config) { c.CheckpointsTable = name })
}

// WithParkedEventsTable sets the table of the parked events of consumers; see [Config].
func WithParkedEventsTable(name string) Option {
	return option(func(c *Config) { c.ParkedEventsTable = name })
}

// WithLogger sets the logger; see [Config].
func WithLogger(l runtime.Logger) Option {
	return option(func(c *Config) { c.Logger = l })
}

// WithClock sets the clock that stamps events whose CreatedAt is zero; see [Config].
func WithClock(now func() time.Time) Option {
	return option(func(c *Config) { c.Clock = now })
}

// tables are the tables by their validated names.
type tables struct {
	Events, Snapshots, SubjectKeys, Checkpoints, Parked pgname.Table
}

// configure returns what the options come to, or the first rule that one of the names breaks.
func configure(opts []Option) (Config, tables, error) {
	var c Config
	for _, o := range opts {
		o.apply(&c)
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	var t tables
	for _, name := range []struct {
		what, given, otherwise string
		to                     *pgname.Table
	}{
		{"events table", c.EventsTable, pgname.EventsTable, &t.Events},
		{"snapshots table", c.SnapshotsTable, pgname.SnapshotsTable, &t.Snapshots},
		{"subject keys table", c.SubjectKeysTable, pgname.SubjectKeysTable, &t.SubjectKeys},
		{"checkpoints table", c.CheckpointsTable, pgname.CheckpointsTable, &t.Checkpoints},
		{"parked events table", c.ParkedEventsTable, pgname.ParkedEventsTable, &t.Parked},
	} {
		if name.given == "" {
			name.given = name.otherwise
		}
		parsed, err := sqlitename.ParseTable(name.given)
		if err != nil {
			return Config{}, tables{}, fmt.Errorf("%s: %w", name.what, err)
		}
		*name.to = parsed
	}
	all := []pgname.Table{t.Events, t.Snapshots, t.SubjectKeys, t.Checkpoints, t.Parked}
	for i, table := range all {
		if slices.ContainsFunc(all[:i], func(other pgname.Table) bool { return sqlitename.Same(other.Name, table.Name) }) {
			return Config{}, tables{}, fmt.Errorf("table %q is named twice; each needs a name of its own", table)
		}
	}
	return c, t, nil
}

// flags returns the options of migrate-gen that make these tables, each after a blank.
func (t tables) flags() string {
	flags := " --dialect sqlite"
	for _, table := range []struct {
		flag      string
		name      pgname.Table
		otherwise string
	}{
		{"events-table", t.Events, pgname.EventsTable},
		{"snapshots-table", t.Snapshots, pgname.SnapshotsTable},
		{"subject-keys-table", t.SubjectKeys, pgname.SubjectKeysTable},
		{"checkpoints-table", t.Checkpoints, pgname.CheckpointsTable},
		{"parked-events-table", t.Parked, pgname.ParkedEventsTable},
	} {
		if table.name.Name != table.otherwise {
			flags += fmt.Sprintf(" --%s %s", table.flag, table.name)
		}
	}
	return flags
}
