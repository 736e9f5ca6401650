package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/gitfile"
)

// none is the value of a flag with a list that takes back what is recorded.
const none = "none"

// The flags whose recorded values depend on another flag.
var (
	tableFlags     = []string{"events-table", "aggregate-heads-table", "snapshots-table", "subject-keys-table", "checkpoints-table", "parked-events-table", "event-logs-table"}
	partitionFlags = []string{"partition-size", "partitions", "partman-schema", "partman-maintenance"}
)

// recall reads the output folder, and gives flags that were not given the values that stand in its record.
func (s *settings) recall(flags *pflag.FlagSet) error {
	if s.folder == toStdout {
		return nil
	}
	var err error
	if s.files, err = readFolder(s.folder); err != nil {
		return err
	}
	recorded, ok, err := s.files.Recorded()
	if err != nil || !ok {
		return err
	}
	if s.squash != "" {
		if err := s.release(); err != nil {
			return err
		}
	}
	if !flags.Changed("domain") {
		s.views = recorded.Views
	}
	for name, values := range recorded.Flags {
		flag := flags.Lookup(name)
		switch {
		case flag.Changed, len(values) == 0:
			continue
		case name == "snapshots-table" && flags.Changed("snapshots"):
			continue // it was made, and is not wanted any more
		case (name == "subject-keys-table" || name == "grant-forget") && flags.Changed("subject-keys") && s.design.SubjectKeys != "here":
			continue // the same
		case name == "subject-keys" && flags.Changed("subject-keys-table"):
			continue // it was elsewhere, and is to be here now
		case slices.Contains(partitionFlags, name) && flags.Changed("partition") && s.design.Partition != recorded.Flags["partition"][0]:
			continue // of another layout
		case slices.Contains(tableFlags, name) && flags.Changed("schema"):
			values = []string{moved(values[0], recorded.Flags["events-table"][0])}
		}
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			err = errors.Join(err, list.Replace(values))
		} else {
			err = errors.Join(err, flag.Value.Set(values[0]))
		}
	}
	return err
}

// release takes the migrations that were not released out of the folder, so that one is written for all of them.
func (s *settings) release() error {
	released, _, err := gitfile.Read(strings.TrimPrefix(s.squash, "git:"), filepath.Join(s.folder, migration.RecordFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--squash-unreleased %s: %w", s.squash, err)
	}
	s.files, s.squashed, err = s.files.Released(released)
	return err
}

// moved returns a recorded table without its schema, if that is the one of the events table: it goes where --schema says.
func moved(table, events string) string {
	schema, name, qualified := strings.Cut(table, ".")
	eventsSchema, _, _ := strings.Cut(events, ".")
	if qualified && schema == eventsSchema {
		return name
	}
	return table
}

// unlessNone returns the values of a list, or nothing if they are none.
func unlessNone(values []string) []string {
	if slices.Equal(values, []string{none}) {
		return nil
	}
	return values
}
