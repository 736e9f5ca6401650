package main

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/eventmap/eventmap/internal/gen/sqlcode"
)

// toStdout is the output folder that stands for standard output.
const toStdout = "-"

// settings is what the command line says. The flags are described in doc.go, which is the manual.
type settings struct {
	folder      string
	checkOnly   bool
	acceptEdits bool
	doctor      bool
	dsn         string
	domain      []string // patterns
	options     sqlcode.Options
}

// addSettings adds the flags. The settings are filled when the flags are parsed.
func addSettings(flags *pflag.FlagSet) *settings {
	var s settings
	flags.StringVarP(&s.folder, "output", "o", "migrations", "")
	flags.StringVar(&s.options.Dialect, "dialect", sqlcode.Dialects[0], "")
	flags.StringVar(&s.options.Format, "format", sqlcode.Formats()[0], "")
	flags.StringVar(&s.options.Filename, "filename", "", "")
	flags.StringVar(&s.options.Schema, "schema", "", "")
	flags.StringVar(&s.options.EventsTable, "events-table", "", "")
	flags.StringVar(&s.options.AggregateHeadsTable, "aggregate-heads-table", "", "")
	flags.StringVar(&s.options.CheckpointsTable, "checkpoints-table", "", "")
	flags.StringVar(&s.options.ParkedEventsTable, "parked-events-table", "", "")
	flags.StringVar(&s.options.Payload, "payload", sqlcode.PayloadTypes[0], "")
	flags.StringVar(&s.options.Metadata, "metadata", sqlcode.MetadataTypes[0], "")
	flags.StringSliceVar(&s.options.Indexes, "index", nil, "")
	flags.BoolVar(&s.options.AppendOnly, "append-only", false, "")
	flags.StringSliceVar(&s.options.Grants, "grant", nil, "")
	flags.StringVar(&s.options.Partition, "partition", sqlcode.Layouts[0], "")
	flags.Int64Var(&s.options.PartitionSize, "partition-size", 0, "")
	flags.IntVar(&s.options.Partitions, "partitions", 0, "")
	flags.StringVar(&s.options.PartmanSchema, "partman-schema", "", "")
	flags.StringVar(&s.options.PartmanMaintenance, "partman-maintenance", sqlcode.Maintenances[0], "")
	flags.StringVar(&s.options.From, "from", "", "")
	flags.StringVar(&s.options.FromEventsTable, "from-events-table", "", "")
	flags.StringVar(&s.options.FromHeadsTable, "from-heads-table", "", "")
	flags.StringVar(&s.options.FromCheckpointsTable, "from-checkpoints-table", "", "")
	flags.StringArrayVar(&s.domain, "domain", nil, "")
	flags.BoolVar(&s.options.Strict, "strict", false, "")
	flags.BoolVar(&s.checkOnly, "check", false, "")
	flags.BoolVar(&s.acceptEdits, "accept-edits", false, "")
	flags.BoolVar(&s.doctor, "doctor", false, "")
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
	for _, name := range []string{"from-events-table", "from-heads-table", "from-checkpoints-table"} {
		if err == nil && s.options.From == "" && flags.Changed(name) {
			err = fmt.Errorf("--%s says what a store of --from is like, and there is none", name)
		}
	}
	if err == nil && s.options.From != "" && s.folder == toStdout {
		err = errors.New("--output - prints one file, and --from has several")
	}
	if err == nil && s.options.From != "" && !flags.Changed("metadata") {
		err = errors.New("--from needs --metadata: jsonb leaves the log as it is, json has it written anew while appends wait")
	}
	return err
}
