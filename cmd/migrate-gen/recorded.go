package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// none is the value of a flag with a list that takes back what is recorded.
const none = "none"

// The flags whose recorded values depend on another flag.
var (
	tableFlags     = []string{"events-table", "aggregate-heads-table", "checkpoints-table", "parked-events-table"}
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
	if !flags.Changed("domain") {
		s.views = recorded.Views
	}
	for name, values := range recorded.Flags {
		flag := flags.Lookup(name)
		switch {
		case flag.Changed, len(values) == 0:
			continue
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
