package main

import (
	"fmt"
	"regexp"
	"strings"

	"pgregory.net/rapid"
)

// kindsPath is the package of the fixture testdata/kinds.
const kindsPath = modulePath + "/kinds"

// A braced path stands for the name that the file imports it by.
var (
	// fieldTypes are those that an event may have.
	fieldTypes = []string{
		"bool", "string", "int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64", "uintptr",
		"float32", "float64", "rune", "byte", "[]byte", "[4]byte", "[]string", "[][]string", "[2][]int64", "[0]int", "struct{}",
		"[]struct{}", "map[string]struct{}", "map[string]int", "map[int64]string", "map[uint8]bool", "map[string][]*string",
		"*int", "**string", "*[]int", "*map[string]int", "[]*bool", "map[string]map[string]*float32",
		"struct{ A, B string }", "[]struct{ X int `json:\"x\"`; Y *[]byte }", "*struct{ V map[int]string }",
		"{time}.Time", "*{time}.Time", "[]{time}.Time", "map[{time}.Time]string", "{time}.Duration", "{time}.Month",
		"{encoding/json}.RawMessage", "*{encoding/json}.RawMessage", "[]{encoding/json}.RawMessage", "{encoding/json}.Number",
		"{github.com/google/uuid}.UUID", "*{github.com/google/uuid}.UUID", "map[{github.com/google/uuid}.UUID]int",
		"{github.com/google/uuid}.NullUUID", "{database/sql}.NullString", "{database/sql}.NullTime", "{math/big}.Int", "*{math/big}.Int",
		"*{math/big}.Rat", "*{math/big}.Float", "{net/netip}.Addr", "{net/netip}.Prefix", "{net}.IP", "{net/mail}.Address", "{log/slog}.Level",
		"{net/http}.Header", "{encoding/json}.RawMessage",
		"{kinds}.Text", "{kinds}.Count", "{kinds}.Octet", "{kinds}.Ratio", "{kinds}.Truth", "{kinds}.Blob", "{kinds}.Octets", "{kinds}.Bits",
		"{kinds}.Texts", "{kinds}.Table", "{kinds}.Nested", "{kinds}.Moment", "{kinds}.Pair[string, *{kinds}.Money]",
		"{kinds}.Pair[{kinds}.Pair[int, bool], []{time}.Time]", "{kinds}.Tree", "*{kinds}.Tree", "[]{kinds}.Tree", "{kinds}.Base", "*{kinds}.Base",
		"{kinds}.Colour", "*{kinds}.Colour", "[]{kinds}.Colour", "map[{kinds}.Colour]{kinds}.Colour", "{kinds}.Level", "map[{kinds}.Level]int",
		"{kinds}.Money", "*{kinds}.Money", "[]{kinds}.Money", "map[string]{kinds}.Money", "{kinds}.Shy", "*{kinds}.Shy", "[]{kinds}.Shy",
		"map[string]*{kinds}.Shy", "map[{kinds}.Ref]int", "{kinds}.Ref", "{kinds}.Opt[string]", "{kinds}.Opt[{kinds}.Money]", "map[{kinds}.Text]int",
		"map[{kinds}.Count]{kinds}.Pair[int, int]",
	}
	// faultyTypes are those that it may not, for JSON would not bring them back.
	faultyTypes = []string{
		"any", "error", "chan int", "func()", "complex128", "[]any", "map[string]any", "{fmt}.Stringer", "map[bool]int", "map[[2]int]int",
		"map[any]string", "*chan int", "struct{ F func() }", "{sync}.Mutex", "{kinds}.Half", "map[string]{kinds}.Shy", "map[{kinds}.Money]int",
		"unsafe.Pointer",
	}
	tagOptions = []string{"", "", "", ",omitempty", ",omitzero"}
	fieldNames = []string{
		"ID", "Type", "Error", "Any", "String_", "Nil", "E", "Tx", "Event", "Value_", "Été", "HTTPStatus", "URL", "Name", "NAME", "Name2", "X_y", "Len",
	}
	braced = regexp.MustCompile(`\{([a-z][a-z./]*)\}\.`)
)

// spell returns a type as the file writes it.
func (s *source) spell(template string) string {
	return braced.ReplaceAllStringFunc(template, func(found string) string {
		path := found[1 : len(found)-2]
		if path == "kinds" {
			path = kindsPath
		}
		return s.use(path)
	})
}

// fields returns the fields of a struct. A faulty one holds one field that must be refused, on a line that says so.
func (s *source) fields(t *rapid.T, faulty bool) string {
	var b strings.Builder
	names := rapid.SliceOfNDistinct(rapid.SampledFrom(fieldNames), 0, 5, rapid.ID).Draw(t, "fields")
	for i, name := range names {
		tag := ""
		switch rapid.IntRange(0, 5).Draw(t, "tag") {
		case 0:
			tag = fmt.Sprintf(" `json:\"n%d%s\"`", i, rapid.SampledFrom(tagOptions).Draw(t, "option"))
		case 1:
			tag = " `json:\"" + rapid.SampledFrom(tagOptions).Draw(t, "option") + "\"`"
		case 2:
			tag = fmt.Sprintf(" `db:\"x\" json:\"%s\"`", strings.ToLower(name)+"-$%"+fmt.Sprint(i))
		}
		fmt.Fprintf(&b, "\t%s %s%s\n", name, s.spell(rapid.SampledFrom(fieldTypes).Draw(t, "type")), tag)
	}
	for _, odd := range []string{
		"\tskipped int `json:\"-\"`\n", "\t_ struct{}\n", "\tDash int `json:\"-,\"`\n", "\tQuoted *int64 `json:\",string\"`\n", "\tNotThere any `json:\"-\"`\n",
		"\tA, B, C string\n",
	} {
		// A struct whose fields are all hidden is no event by convention.
		hidden := strings.HasPrefix(odd, "\tskipped") || strings.HasPrefix(odd, "\t_")
		if chance(t, 12) && (!hidden || len(names) > 0) {
			b.WriteString(odd)
		}
	}
	switch rapid.IntRange(0, 20).Draw(t, "embedded") {
	case 0:
		b.WriteString("\t" + s.spell("{kinds}.Base") + "\n")
	case 1:
		b.WriteString("\t*" + s.spell("{kinds}.Base") + "\n")
	case 2:
		b.WriteString("\t" + s.spell("{kinds}.Base") + " `json:\"base\"`\n")
	case 3:
		b.WriteString("\t" + s.spell("{kinds}.Text") + "\n")
	}
	if faulty {
		template := rapid.SampledFrom(faultyTypes).Draw(t, "fault")
		if template == "unsafe.Pointer" {
			template = s.use("unsafe") + "Pointer"
		}
		name := rapid.SampledFrom([]string{"Faulty", "faulty"}).Draw(t, "name")
		fmt.Fprintf(&b, "\t%s %s // fault\n", name, s.spell(template))
	}
	return b.String()
}

// markable matches the fields that may be personal, with their types.
var markable = regexp.MustCompile("(?m)^\t(?:[\\pL_][\\pL\\d_]*) (.+?)(?: `[^`\n]*`)?$")

// personal returns the fields with subjects before them, and marks of personal data on some.
func personal(t *rapid.T, fields string) string {
	marked := markable.ReplaceAllStringFunc(fields, func(field string) string {
		if strings.Contains(field, "json:\"-\"") || strings.HasPrefix(field, "\t_") || strings.Contains(field, "NotThere") || chance(t, 2) {
			return field
		}
		erased := ""
		if markable.FindStringSubmatch(field)[1] == "string" && chance(t, 2) {
			erased = ` erased="(gone) \\\"\\u00fc\\\""`
		}
		return field + " //eventmap:personal " + rapid.SampledFrom([]string{"who", "subject=other"}).Draw(t, "subject") + erased
	})
	return "\tWhom_ string //eventmap:subject who\n\tOther_ int64 `json:\"other_\"` //eventmap:subject other\n" + marked
}

// chance is true once in n times.
func chance(t *rapid.T, n int) bool { return rapid.IntRange(0, n-1).Draw(t, "chance") == n-1 }
