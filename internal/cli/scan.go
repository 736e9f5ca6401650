package cli

import (
	"github.com/spf13/pflag"

	"github.com/eventmap/eventmap/internal/astscan"
)

// A Scan says which events a command reads, by flags that are the same for every command that reads them.
type Scan struct {
	astscan.Options
	Inputs []string // folders, as they were given
}

// AddFlags adds the flags. The scan is filled when they are parsed; Complete takes what is no flag.
func (s *Scan) AddFlags(flags *pflag.FlagSet) {
	flags.StringArrayVarP(&s.Inputs, "input", "i", nil, "")
	flags.StringVar(&s.Aggregate, "aggregate", "", "")
	flags.BoolVar(&s.Convention, "convention", false, "")
	flags.StringSliceVar(&s.Tags, "tags", nil, "")
}

// Complete sets the patterns to scan from the input folders and the arguments that are no flags.
func (s *Scan) Complete(args []string) (err error) {
	s.Patterns, err = Patterns(args, s.Inputs)
	return err
}
