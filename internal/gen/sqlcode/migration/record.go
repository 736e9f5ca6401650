package migration

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/gen"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgname"
)

// RecordFile is the file, beside the migrations, that says what was written so far.
const RecordFile = "eventmap.schema.json"

// A record is what a folder's migrations come to.
type record struct {
	Generator  string                `json:"generator"` // always "migrate-gen"
	Version    int                   `json:"schemaVersion"`
	Format     string                `json:"format"`
	Dialect    string                `json:"dialect,omitempty"`    // empty: PostgreSQL
	From       string                `json:"from,omitempty"`       // where the first migrations move a log from, one of Sources
	Number     string                `json:"number,omitempty"`     // "time", or empty: one after the other
	Domain     []string              `json:"domain,omitempty"`     // patterns of the packages that the views are of
	Convention bool                  `json:"convention,omitempty"` // it was on beside marks
	Schema     recordedOptions       `json:"schema"`
	Views      []design.View         `json:"views,omitempty"`
	Known      string                `json:"known,omitempty"`   // "function" if a check asks one which events may enter
	Retired    []design.EventVersion `json:"retired,omitempty"` // events that the domain had once
	Migrations []recordedFile        `json:"migrations"`        // in the order in which they run up
}

// recordedOptions are Options with nothing left out. The names in JSON are those of the flags.
type recordedOptions struct {
	EventsTable         string   `json:"events-table"`
	AggregateHeadsTable string   `json:"aggregate-heads-table,omitempty"`
	SnapshotsTable      string   `json:"snapshots-table,omitempty"`    // empty: there is none
	SubjectKeys         string   `json:"subject-keys,omitempty"`       // elsewhere, or empty
	SubjectKeysTable    string   `json:"subject-keys-table,omitempty"` // empty: there is none
	CheckpointsTable    string   `json:"checkpoints-table"`
	ParkedEventsTable   string   `json:"parked-events-table"`
	Payload             string   `json:"payload,omitempty"`
	Metadata            string   `json:"metadata,omitempty"`
	Indexes             []string `json:"index,omitempty"`
	AppendOnly          bool     `json:"append-only,omitempty"`
	Strict              bool     `json:"strict,omitempty"`
	Grants              []string `json:"grant,omitempty"`
	ForgetGrants        []string `json:"grant-forget,omitempty"`
	Partition           string   `json:"partition,omitempty"`
	PartitionSize       int64    `json:"partition-size,omitempty"`
	Partitions          int      `json:"partitions,omitempty"`
	PartmanSchema       string   `json:"partman-schema,omitempty"`
	PartmanMaintenance  string   `json:"partman-maintenance,omitempty"`
	Logs                string   `json:"logs,omitempty"` // empty: one
	HashedLogs          int      `json:"hashed-logs,omitempty"`
	EventLogsTable      string   `json:"event-logs-table,omitempty"`
	TenantRLS           bool     `json:"tenant-rls,omitempty"`
	Citus               bool     `json:"citus,omitempty"`
}

// A recordedFile is a file of a migration as it was written, up or down.
type recordedFile struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"` // of its content with LF line ends
}

const generator = "migrate-gen"

// IsRecord reports whether content was written by this package as a record.
func IsRecord(content []byte) bool {
	return bytes.HasPrefix(content, []byte("{\n  \"generator\": \""+generator+"\",\n"))
}

// viewsByField returns the names, quoted, of views that a record describes as builds before 0.1 did, whose views read
// payloads without the functions that there are since: each column had a field where it has a path now.
func viewsByField(content []byte) []string {
	var old struct {
		Views []struct {
			Name    string
			Columns []struct{ Field string }
		}
	}
	if err := json.Unmarshal(content, &old); err != nil {
		return nil
	}
	var names []string
	byField := false
	for _, v := range old.Views {
		names = append(names, pgname.Quote(v.Name))
		for _, c := range v.Columns {
			byField = byField || c.Field != ""
		}
	}
	if !byField {
		return nil
	}
	return names
}

// newRecord returns the record of a design and no files.
func (w Writer) newRecord(d design.Design) record {
	dialect := ""
	if !d.Dialect.IsPostgres() {
		dialect = d.Dialect.Name
	}
	number := ""
	if w.byTime {
		number = Numbers[1]
	}
	known := ""
	if d.Strict && !d.KnownInline {
		known = "function"
	}
	return record{
		Generator:  generator,
		Number:     number,
		Dialect:    dialect,
		Version:    d.Version,
		Format:     w.format.name,
		Domain:     w.domain,
		Convention: w.convention,
		Schema: recordedOptions{
			EventsTable:         d.Events.String(),
			AggregateHeadsTable: d.Heads.String(),
			SnapshotsTable:      d.Snapshots.String(),
			SubjectKeys:         d.KeysElsewhere(),
			SubjectKeysTable:    d.SubjectKeys.String(),
			CheckpointsTable:    d.Checkpoints.String(),
			ParkedEventsTable:   d.Parked.String(),
			Payload:             d.Payload,
			Metadata:            d.Metadata,
			Indexes:             d.IndexOptions(),
			AppendOnly:          d.AppendOnly,
			Strict:              d.Strict,
			Grants:              d.Grants,
			ForgetGrants:        d.ForgetGrants,
			Partition:           d.Partition.Layout,
			PartitionSize:       d.Partition.Size,
			Partitions:          d.Partition.Count,
			PartmanSchema:       d.Partition.PartmanSchema,
			PartmanMaintenance:  d.Partition.Maintenance,
			Logs:                spreadOf(d.Logs),
			HashedLogs:          d.Logs.Hashed,
			EventLogsTable:      d.EventLogs.String(),
			TenantRLS:           d.Logs.RLS,
			Citus:               d.Logs.Citus,
		},
		Views:   d.Views,
		Known:   known,
		Retired: d.Retired,
	}
}

// parseRecord reads a record and the design that it stands for. Newest is the version of the schema that is known.
func parseRecord(content []byte, newest int) (record, design.Design, error) {
	var r record
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		if views := viewsByField(content); len(views) > 0 {
			return r, design.Design{}, fmt.Errorf("%s: has views of a build before 0.1, which this %s cannot change: run `drop view %s`, "+
				"take \"views\" out of the file, and run again; the next migration makes them anew", RecordFile, generator, strings.Join(views, ", "))
		}
		return r, design.Design{}, fmt.Errorf("%s: cannot be read: %w; if branches were merged, take it from one of them, with that "+
			"branch's migrations, and run again", RecordFile, err)
	}
	switch {
	case r.Generator != generator:
		return r, design.Design{}, fmt.Errorf("%s: was not written by %s", RecordFile, generator)
	case r.Version > newest:
		return r, design.Design{}, fmt.Errorf("%s: has schema version %d, and this %s writes %d; use a newer one",
			RecordFile, r.Version, generator, newest)
	case r.Version < 1:
		return r, design.Design{}, fmt.Errorf("%s: has no schema version", RecordFile)
	}
	s := r.Schema
	d, err := design.Options{
		Dialect:             r.Dialect,
		EventsTable:         s.EventsTable,
		AggregateHeadsTable: s.AggregateHeadsTable,
		SnapshotsTable:      s.SnapshotsTable,
		SubjectKeys:         s.SubjectKeys,
		SubjectKeysTable:    s.SubjectKeysTable,
		CheckpointsTable:    s.CheckpointsTable,
		ParkedEventsTable:   s.ParkedEventsTable,
		Payload:             s.Payload,
		Metadata:            s.Metadata,
		Indexes:             s.Indexes,
		AppendOnly:          s.AppendOnly,
		Strict:              s.Strict,
		Grants:              s.Grants,
		ForgetGrants:        s.ForgetGrants,
		Partition:           s.Partition,
		PartitionSize:       s.PartitionSize,
		Partitions:          s.Partitions,
		PartmanSchema:       s.PartmanSchema,
		PartmanMaintenance:  s.PartmanMaintenance,
		Logs:                s.Logs,
		HashedLogs:          s.HashedLogs,
		EventLogsTable:      s.EventLogsTable,
		TenantRLS:           s.TenantRLS,
		Citus:               s.Citus,
	}.Recorded(r.Views, r.Retired)
	if err != nil {
		return r, design.Design{}, fmt.Errorf("%s: %w", RecordFile, err)
	}
	d.Version = r.Version
	d.KnownInline = d.Strict && r.Known == ""
	return r, d, nil
}

// spreadOf returns how logs are recorded: one log is not, so that records of before stay as they are.
func spreadOf(l design.Logs) string {
	if !l.Many() {
		return ""
	}
	return l.Spread
}

// Recorded is what a folder's migrations came to so far.
type Recorded struct {
	// Flags are the options of that, by the names of their flags.
	Flags map[string][]string
	// Views are those of the domain.
	Views []design.View
}

// Recorded returns what the record of the folder says, and false if there is none.
func (f Folder) Recorded() (recorded Recorded, ok bool, err error) {
	content, ok := f[RecordFile]
	if !ok {
		return recorded, false, nil
	}
	r, d, err := parseRecord(content, pgname.SchemaVersion)
	if err != nil {
		return recorded, false, err
	}
	var options map[string]any
	text, err := json.Marshal(r.Schema)
	if err == nil {
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber() // a size keeps its digits
		err = decoder.Decode(&options)
	}
	flags := map[string][]string{"format": {r.Format}, "dialect": {d.Dialect.Name}}
	for name, value := range options {
		if list, ok := value.([]any); ok {
			for _, one := range list {
				flags[name] = append(flags[name], fmt.Sprint(one))
			}
			continue
		}
		flags[name] = []string{fmt.Sprint(value)}
	}
	if r.Number != "" {
		flags["number"] = []string{r.Number}
	}
	if r.Domain != nil {
		flags["domain"] = r.Domain
		flags["convention"] = []string{fmt.Sprint(r.Convention)}
	}
	return Recorded{Flags: flags, Views: r.Views}, true, err
}

// add records files.
func (r *record) add(files []gen.File) {
	for _, file := range files {
		r.Migrations = append(r.Migrations, recordedFile{file.Path, hash(file.Content)})
	}
}

// file returns the record as a file.
func (r record) file() (gen.File, error) {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return gen.File{}, fmt.Errorf("%s: %w", RecordFile, err)
	}
	return gen.File{Path: RecordFile, Content: append(content, '\n')}, nil
}

// has reports whether a file is recorded.
func (r record) has(name string) bool {
	return slices.ContainsFunc(r.Migrations, func(f recordedFile) bool { return f.File == name })
}

// check returns an error for every recorded file that is not as it was written.
func (r record) check(folder Folder) error {
	var problems []error
	for _, f := range r.Migrations {
		content, ok := folder[f.File]
		switch {
		case !ok:
			problems = append(problems, fmt.Errorf("%s: is missing, and %s says that it was written", f.File, RecordFile))
		case hash(content) != f.SHA256:
			problems = append(problems, fmt.Errorf("%s: was edited since it was written; a written migration is never "+
				"changed: take the edit back and put it into a migration of your own, or, if it is meant, say --accept-edits", f.File))
		}
	}
	return errors.Join(problems...)
}

// accept records files as they are now, with those of ours that were not known, and forgets those that are gone.
func (r *record) accept(folder Folder) {
	var kept []recordedFile
	for _, f := range r.Migrations {
		if content, ok := folder[f.File]; ok {
			kept = append(kept, recordedFile{f.File, hash(content)})
		}
	}
	for _, name := range folder.ours() {
		if !r.has(name) {
			kept = append(kept, recordedFile{name, hash(folder[name])})
		}
	}
	r.Migrations = kept
}

// hash does not depend on the line ends, which a checkout may change.
func hash(content []byte) string {
	sum := sha256.Sum256(bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n")))
	return hex.EncodeToString(sum[:])
}
