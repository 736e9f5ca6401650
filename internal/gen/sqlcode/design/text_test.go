package design

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestLiteral(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Order":      "'Order'",
		"It's":       "'It''s'",
		"a -- b":     "('a -' || '- b')",
		"---":        "('-' || '-' || '-')",
		"{{.x}} ${y": "('{' || '{.x}' || '} $' || '{y')",
		"$$ + - {":   "'$$ + - {'",
	} {
		if got := literal(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestSentence(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"When it\n\thappened.":         "When it happened.",
		"a -- b ---- tern: disable-tx": "a - - b - - - - tern: disable-tx",
		"{{{x}}} ${y}\x00":             "{ { {x} } } $ {y}",
	} {
		if got := sentence(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// Whatever is written into SQL, no tool finds its syntax there, and a literal keeps its value.
func TestText_noSyntaxOfTools(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{"-", "{", "}", "$", "'", " ", ";", "x", "+goose Up", "migrate:", "\n"})).Draw(t, "text"), "")
		sql := literal(text)
		for _, syntax := range toolSyntax {
			if strings.Contains(sql, syntax) || strings.Contains(sentence(text), syntax) {
				t.Fatalf("%q: %s and %q hold %q", text, sql, sentence(text), syntax)
			}
		}
		value := strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(strings.Trim(sql, "()"), "'"), "'"), "' || '", "")
		if strings.ReplaceAll(value, "''", "'") != text {
			t.Fatalf("%q: %s is %q", text, sql, value)
		}
		comment := lineComment(sentence(text))
		if strings.ContainsAny(comment, ";\n") || strings.Contains(comment, "+goose") || strings.Contains(comment, "migrate:") {
			t.Fatalf("%q: %q", text, comment)
		}
	})
}
