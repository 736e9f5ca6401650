package sqlcode

import (
	"fmt"
	"slices"
	"strings"
)

// A choice is an option that has a closed set of values.
type choice struct {
	what  string   // for messages
	known []string // the default first
}

const none = "none"

var (
	dialects      = choice{"dialect", []string{postgres, sqlite}}
	payloadTypes  = choice{"payload type", []string{"bytea", "jsonb", "json"}}
	metadataTypes = choice{"metadata type", []string{"json", "jsonb"}}
	indexNames    = choice{"index", []string{"event-type", "correlation"}}
	layouts       = choice{"partition layout", []string{none, "range", "hash", "partman"}}
	maintenances  = choice{"partman maintenance", []string{none, "bgw", "pg_cron"}}
)

// Choices of the command line, each with its default first.
var (
	Dialects      = dialects.known
	PayloadTypes  = payloadTypes.known
	MetadataTypes = metadataTypes.known
	IndexNames    = indexNames.known // none is the default
	Layouts       = layouts.known
	Maintenances  = maintenances.known
)

// find returns the value, or the default for an empty one.
func (c choice) find(value string) (string, error) {
	if value == "" {
		return c.known[0], nil
	}
	if !slices.Contains(c.known, value) {
		return "", fmt.Errorf("%s %q: is not known; choose one of %s", c.what, value, strings.Join(c.known, ", "))
	}
	return value, nil
}

// findAll returns the values, each once and in the order in which they are known.
func (c choice) findAll(values []string) ([]string, error) {
	for _, value := range values {
		if !slices.Contains(c.known, value) {
			return nil, fmt.Errorf("%s %q: is not known; choose from %s", c.what, value, strings.Join(c.known, ", "))
		}
	}
	var found []string
	for _, value := range c.known {
		if slices.Contains(values, value) {
			found = append(found, value)
		}
	}
	return found, nil
}
