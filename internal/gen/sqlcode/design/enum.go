package design

import (
	"fmt"
	"slices"
	"strings"
)

// An enum is an option with a closed set of values.
type enum struct {
	what   string   // for messages
	values []string // the default first
}

const none = "none"

// The places of the table of keys: in the database of the log, in another one, and in this one, which has nothing else.
const (
	here      = "here"
	elsewhere = "elsewhere"
	only      = "only"
)

var (
	payloadTypes  = enum{"payload type", []string{"bytea", "jsonb", "json"}}
	metadataTypes = enum{"metadata type", []string{"json", "jsonb"}}
	indexNames    = enum{"index", []string{"event-type", "correlation"}}
	layouts       = enum{"partition layout", []string{none, "range", "hash", "partman"}}
	spreads       = enum{"logs", []string{none, "tenant", "hash"}}
	maintenances  = enum{"partman maintenance", []string{none, "bgw", "pg_cron"}}
	keyPlaces     = enum{"subject keys", []string{none, here, elsewhere, only}}
)

// The values of the options, each with its default first.
var (
	Dialects      = namesOf(dialects)
	PayloadTypes  = payloadTypes.values
	MetadataTypes = metadataTypes.values
	IndexNames    = indexNames.values // none is the default
	Layouts       = layouts.values
	Spreads       = spreads.values
	Maintenances  = maintenances.values
	KeyPlaces     = keyPlaces.values // here is the default for a domain with personal data
)

// find returns the value, or the default for an empty one.
func (e enum) find(value string) (string, error) {
	if value == "" {
		return e.values[0], nil
	}
	if !slices.Contains(e.values, value) {
		return "", fmt.Errorf("%s %q: is not known; choose one of %s", e.what, value, strings.Join(e.values, ", "))
	}
	return value, nil
}

// findAll returns the values, each once and in the order of the enum.
func (e enum) findAll(values []string) ([]string, error) {
	for _, value := range values {
		if !slices.Contains(e.values, value) {
			return nil, fmt.Errorf("%s %q: is not known; choose from %s", e.what, value, strings.Join(e.values, ", "))
		}
	}
	var found []string
	for _, value := range e.values {
		if slices.Contains(values, value) {
			found = append(found, value)
		}
	}
	return found, nil
}
