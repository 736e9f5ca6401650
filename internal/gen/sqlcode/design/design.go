package design

import (
	"errors"
	"fmt"
	"slices"

	"github.com/eventmap/eventmap/internal/pgname"
)

// A Design is what options come to. Two runs with the same design write the same SQL. Its exported methods and fields are
// also the templates'.
type Design struct {
	Tables
	Dialect    *Dialect
	Version    int    // of the schema
	Payload    string // type of the column; empty where the dialect has one only
	Metadata   string
	Indexes    []Index // what was asked for, as it is here
	AppendOnly bool
	Grants     []string // roles, sorted
	// ForgetGrants are roles that may erase keys, sorted.
	ForgetGrants []string
	// SubjectKeysPlace is where the keys of personal data are, one of KeyPlaces.
	SubjectKeysPlace string
	Partition        Partition
	Logs             Logs
	Views            []View // by name
	Strict           bool
	// KnownInline reports whether the check that only known events enter names them itself, as releases before this one
	// wrote it, and asks no function.
	KnownInline bool
	Retired     []EventVersion // events that the domain had once, and that have no view any more

	asked []Request
}

// roles checks the names of roles and returns them sorted, each once.
func roles(names []string) ([]string, error) {
	var problems []error
	for _, name := range names {
		if err := pgname.CheckRole(name); err != nil {
			problems = append(problems, fmt.Errorf("grant to %w", err))
		}
	}
	sorted := slices.Clone(names)
	slices.Sort(sorted)
	return slices.Compact(sorted), errors.Join(problems...)
}

// KeepsBytes reports whether the payload column takes any bytes, and not JSON only.
func (d Design) KeepsBytes() bool { return d.Payload == "bytea" }

// OnlySubjectKeys reports whether the database has keys of personal data and nothing else.
func (d Design) OnlySubjectKeys() bool { return d.SubjectKeysPlace == only }

// IsGranted reports whether a role may do what an application does.
func (d Design) IsGranted(role string) bool { return slices.Contains(d.Grants, role) }

// ForgetSchemas returns the schemas of the tables that it takes to forget, each once.
func (d Design) ForgetSchemas() []string {
	return Tables{Snapshots: d.Snapshots, SubjectKeys: d.SubjectKeys}.Schemas()
}

// KeysElsewhere returns the word for keys in another database, or nothing.
func (d Design) KeysElsewhere() string {
	if d.SubjectKeysPlace == elsewhere {
		return elsewhere
	}
	return ""
}

// AppendOnlyFunction returns the function, and the name of the trigger, that refuses changes of the log.
func (d Design) AppendOnlyFunction() pgname.Table { return d.Events.Derived("append_only") }
