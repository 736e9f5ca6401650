package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
)

// toStdout is the output folder that stands for standard output.
const toStdout = "-"

// settings is what the command line says. The flags are described in doc.go, which is the manual.
type settings struct {
	folder    string
	files     migration.Folder // what is in it
	loosens   bool             // protection may be taken away
	squash    string           // git:REF
	squashed  []string         // files that become one migration
	checkOnly bool
	doctor    bool
	deep      bool   // the doctor reads the whole log
	forgotten string // a file that lists whom the doctor should not find
	dsn       string
	domain    []string // patterns
	// convention: structs of packages without marks are events even beside packages with marks
	convention bool
	design     design.Options
	migration  migration.Options
	views      []design.View // recorded, where no domain says otherwise
}

// addSettings adds the flags. The settings are filled when the flags are parsed.
func addSettings(flags *pflag.FlagSet) *settings {
	var s settings
	flags.StringVarP(&s.folder, "output", "o", "migrations", "")
	flags.StringVar(&s.design.Dialect, "dialect", design.Dialects[0], "")
	flags.StringVar(&s.migration.Format, "format", migration.Formats()[0], "")
	flags.StringVar(&s.migration.Filename, "filename", "", "")
	flags.StringVar(&s.migration.Number, "number", migration.Numbers[0], "")
	flags.StringVar(&s.design.Schema, "schema", "", "")
	flags.StringVar(&s.design.EventsTable, "events-table", "", "")
	flags.StringVar(&s.design.AggregateHeadsTable, "aggregate-heads-table", "", "")
	flags.BoolVar(&s.design.Snapshots, "snapshots", false, "")
	flags.StringVar(&s.design.SnapshotsTable, "snapshots-table", "", "")
	flags.StringVar(&s.design.SubjectKeys, "subject-keys", "", "")
	flags.StringVar(&s.design.SubjectKeysTable, "subject-keys-table", "", "")
	flags.StringVar(&s.design.CheckpointsTable, "checkpoints-table", "", "")
	flags.StringVar(&s.design.ParkedEventsTable, "parked-events-table", "", "")
	flags.StringVar(&s.design.Payload, "payload", design.PayloadTypes[0], "")
	flags.StringVar(&s.design.Metadata, "metadata", design.MetadataTypes[0], "")
	flags.StringSliceVar(&s.design.Indexes, "index", nil, "")
	flags.BoolVar(&s.design.AppendOnly, "append-only", false, "")
	flags.StringSliceVar(&s.design.Grants, "grant", nil, "")
	flags.StringSliceVar(&s.design.ForgetGrants, "grant-forget", nil, "")
	flags.StringVar(&s.design.Partition, "partition", design.Layouts[0], "")
	flags.Int64Var(&s.design.PartitionSize, "partition-size", 0, "")
	flags.IntVar(&s.design.Partitions, "partitions", 0, "")
	flags.StringVar(&s.design.PartmanSchema, "partman-schema", "", "")
	flags.StringVar(&s.design.PartmanMaintenance, "partman-maintenance", design.Maintenances[0], "")
	flags.StringVar(&s.design.Logs, "logs", design.Spreads[0], "")
	flags.IntVar(&s.design.HashedLogs, "hashed-logs", 0, "")
	flags.StringVar(&s.design.EventLogsTable, "event-logs-table", "", "")
	flags.BoolVar(&s.design.TenantRLS, "tenant-rls", false, "")
	flags.BoolVar(&s.design.Citus, "citus", false, "")
	flags.StringVar(&s.migration.From, "from", "", "")
	flags.StringVar(&s.migration.LogOf, "log-of", "", "")
	flags.StringVar(&s.migration.FromEventsTable, "from-events-table", "", "")
	flags.StringVar(&s.migration.FromHeadsTable, "from-heads-table", "", "")
	flags.StringVar(&s.migration.FromCheckpointsTable, "from-checkpoints-table", "", "")
	flags.StringSliceVar(&s.migration.FromColumns, "from-columns", nil, "")
	flags.StringVar(&s.migration.FromAggregate, "from-aggregate", "", "")
	flags.StringVar(&s.migration.FromSeparator, "from-separator", "", "")
	flags.Int64Var(&s.migration.FromFirstVersion, "from-first-version", 1, "")
	flags.StringVar(&s.migration.FromEncoding, "from-encoding", migration.Encodings[0], "")
	flags.StringArrayVar(&s.domain, "domain", nil, "")
	flags.BoolVar(&s.convention, "convention", false, "")
	flags.BoolVar(&s.design.Strict, "strict", false, "")
	flags.BoolVar(&s.checkOnly, "check", false, "")
	flags.BoolVar(&s.migration.AcceptEdits, "accept-edits", false, "")
	flags.BoolVar(&s.loosens, "allow-loosening", false, "")
	flags.StringVar(&s.squash, "squash-unreleased", "", "")
	flags.BoolVar(&s.doctor, "doctor", false, "")
	flags.BoolVar(&s.deep, "deep", false, "")
	flags.StringVar(&s.forgotten, "forgotten", "", "")
	flags.StringVar(&s.dsn, "dsn", "", "")
	return &s
}

// check returns an error for what the parsed flags cannot mean. A flag that is given and empty is mostly a variable that
// is not set in a script; it must not quietly stand for the default.
func (s *settings) check(flags *pflag.FlagSet) error {
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument: %q", flags.Arg(0))
	}
	var err error
	flags.Visit(func(f *pflag.Flag) {
		if empty := f.Value.String() == "" || f.Value.String() == "[]"; err == nil && empty {
			err = fmt.Errorf("flag has an empty value: --%s", f.Name)
		}
	})
	if err == nil && s.checkOnly && s.folder == toStdout {
		err = errors.New("--check compares with a folder, and --output - is none")
	}
	if err == nil && s.doctor != (s.dsn != "") {
		err = errors.New("--doctor and --dsn go together")
	}
	if revision, ok := strings.CutPrefix(s.squash, "git:"); err == nil && s.squash != "" && (!ok || revision == "") {
		err = fmt.Errorf("--squash-unreleased %s: write git:REF, such as git:origin/main", s.squash)
	}
	if err == nil && s.design.SubjectKeys == "only" && s.folder != toStdout && !s.doctor {
		err = errors.New("--subject-keys only prints the SQL of one table, and needs --output - or --doctor")
	}
	if err == nil && s.deep && s.design.SubjectKeys == "only" {
		err = errors.New("--deep reads a log, and --subject-keys only says that there is none")
	}
	if err == nil && s.deep && !s.doctor {
		err = errors.New("--deep is how --doctor looks, and there is none")
	}
	if err == nil && s.forgotten != "" && !s.doctor {
		err = errors.New("--forgotten is what --doctor compares with, and there is none")
	}
	for _, name := range []string{"from-events-table", "from-heads-table", "from-checkpoints-table"} {
		if err == nil && s.migration.From == "" && flags.Changed(name) {
			err = fmt.Errorf("--%s says what a store of --from is like, and there is none", name)
		}
	}
	for _, name := range []string{"from-columns", "from-aggregate", "from-separator", "from-first-version", "from-encoding"} {
		if err == nil && s.migration.From != "table" && flags.Changed(name) {
			err = fmt.Errorf("--%s says what a table of --from table is like, and there is none", name)
		}
	}
	if err == nil && s.migration.From != "" && s.folder == toStdout {
		err = errors.New("--output - prints one file, and --from has several")
	}
	if err == nil && s.migration.LogOf != "" && s.migration.From != "one-log" {
		err = errors.New("--log-of says how --from one-log spreads events, and that is not given")
	}
	if err == nil && s.migration.From != "" && s.migration.From != "one-log" && s.migration.From != "table" && !flags.Changed("metadata") {
		err = errors.New("--from needs --metadata: jsonb leaves the log as it is, json has it written anew while appends wait")
	}
	return err
}

// plan returns what the settings come to: the writer of the migrations and the design that they lead to. The error holds every
// problem with them.
func (s *settings) plan() (migration.Writer, design.Design, error) {
	s.migration.Domain, s.migration.Convention, s.migration.Now = s.domain, s.convention && len(s.domain) > 0, time.Now()
	writer, writerErr := migration.NewWriter(s.migration)
	options := s.design
	options.Indexes, options.Grants, options.ForgetGrants = unlessNone(options.Indexes), unlessNone(options.Grants), unlessNone(options.ForgetGrants)
	design, designErr := options.Design()
	if options.Domain == nil && len(s.views) > 0 {
		design, designErr = options.Recorded(s.views, nil)
	}
	return writer, design, errors.Join(writerErr, designErr, writer.Check(design))
}
