package astscan

import (
	"fmt"
	"go/types"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/model"
)

// warnOfTags warns of the tags of a type's fields that nobody reads, though they seem to be for encoding/json: the name that
// they were to give is not what is stored.
func (p payloadReader) warnOfTags(obj *types.TypeName) {
	if p.tags[obj] || p.decls.types[obj] == nil {
		return
	}
	p.tags[obj] = true
	p.warnOfTagsIn(obj.Type().Underlying())
}

func (p payloadReader) warnOfTagsIn(t types.Type) {
	switch t := types.Unalias(t).(type) {
	case *types.Pointer:
		p.warnOfTagsIn(t.Elem())
	case *types.Slice:
		p.warnOfTagsIn(t.Elem())
	case *types.Array:
		p.warnOfTagsIn(t.Elem())
	case *types.Map:
		p.warnOfTagsIn(t.Elem())
	case *types.Struct:
		for i := range t.NumFields() {
			if tag := t.Tag(i); isUnread(tag) && t.Field(i).Exported() {
				p.warnings = append(p.warnings, model.Note{Pos: p.Pos(t.Field(i).Pos()), Text: fmt.Sprintf(
					"encoding/json reads nothing from the tag `%s`, so the field is stored as %q; write `json:\"name\"`", tag, t.Field(i).Name())})
			}
			p.warnOfBlanks(t.Field(i), t.Tag(i))
			p.warnOfTagsIn(t.Field(i).Type())
		}
	}
}

// warnOfBlanks warns of options of a tag that would be known if no blank stood before or behind them.
func (p payloadReader) warnOfBlanks(field *types.Var, tag string) {
	_, options, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
	for option := range strings.SplitSeq(options, ",") {
		trimmed := strings.TrimSpace(option)
		if trimmed != option && slices.Contains([]string{"omitempty", "omitzero", "string"}, trimmed) {
			p.warnings = append(p.warnings, model.Note{Pos: p.Pos(field.Pos()), Text: fmt.Sprintf(
				"encoding/json does not know the option %q in the tag `%s`; write it without a blank", option, tag)})
		}
	}
}

// tagKey matches a pair at the beginning of a tag, as reflect.StructTag reads it: a key, a colon, and a quoted string.
var tagKey = regexp.MustCompile(`^ *([^ ":\x00-\x1f\x7f]+):"((?:[^"\\]|\\.)*)"`)

// isUnread reports whether a tag lacks the key json, but has its letters in another order or case, or in a form in which
// reflect.StructTag does not find it.
func isUnread(tag string) bool {
	if _, ok := reflect.StructTag(tag).Lookup("json"); ok {
		return false
	}
	misspelt := false
	for rest := tag; strings.TrimLeft(rest, " ") != ""; {
		pair := tagKey.FindStringSubmatch(rest)
		if pair == nil {
			return misspelt || strings.Contains(strings.ToLower(rest), "json")
		}
		if pair[1] == "json" {
			return false
		}
		misspelt = misspelt || isMisspelt(pair[1])
		rest = rest[len(pair[0]):]
	}
	return misspelt
}

// isMisspelt reports whether a key has the letters of json in another order or case.
func isMisspelt(key string) bool {
	key = strings.ToLower(key)
	return len(key) == len("json") && strings.Trim(key, "json") == "" &&
		strings.Contains(key, "j") && strings.Contains(key, "s") && strings.Contains(key, "o") && strings.Contains(key, "n")
}
