package console

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/eventmap/eventmap/runtime/inspect"
)

// functions are what the templates call.
var functions = template.FuncMap{
	"ago":     ago,
	"asset":   assetLink,
	"clip":    clip,
	"firstly": firstLine,
	"link":    link,
	"ms":      func(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) },
	"number":  number,
	"size":    size,
	"stamp":   stamp,
	"text":    visible,
	"span":    span,
	"since":   func(now, t time.Time) time.Duration { return max(now.Sub(t), 0) },
	"count":   count,

	// What a part of a page is given: several values as one.
	"at":   func(now, t time.Time) part { return part{Now: now, At: t} },
	"rows": func(now time.Time, rows any) part { return part{Now: now, Rows: rows, Data: rows} },
	"named": func(now time.Time, rows any, consumer string) part {
		return part{Now: now, Rows: rows, Named: consumer == ""}
	},
	"act": func(l layout, kind, consumer string) act { return act{l.Token, kind, consumer} },
	"pager": func(before, beforeText, after, afterText string) pager {
		return pager{before, beforeText, after, afterText}
	},
	"firstpage": firstPage,
}

// A part is what a part of a page is given.
type part struct {
	Now, At    time.Time
	Rows, Data any
	Named      bool // each row names its consumer
}

// An act is what every form of an action holds.
type act struct{ Token, Kind, Consumer string }

// A pager is the links to the pages before and after; empty: there is none.
type pager struct{ Before, BeforeText, After, AfterText string }

// firstPage returns the link to the first page from another one.
func firstPage(from bool, link string) string {
	if from {
		return link
	}
	return ""
}

// count returns how many of something were counted, which may be as far as counting goes.
func count(n int) string {
	if n >= inspect.MaxCount {
		return number(n) + "+"
	}
	return number(n)
}

// visible returns a text in which nothing hides: control characters, and those that turn the direction of writing or have
// no width, are written as escapes. Line breaks and tabs stay.
func visible(s string) string {
	hidden := func(r rune) bool {
		return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r))
	}
	if utf8.ValidString(s) && !strings.ContainsFunc(s, hidden) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case hidden(r):
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteRune(r)
		}
		i += n
	}
	return b.String()
}

// clip returns at most n characters of a text on one line, visible.
func clip(n int, s string) string {
	cut := ""
	for i, count := 0, 0; i < len(s); count++ {
		if count == n {
			s, cut = s[:i], "…"
			break
		}
		_, width := utf8.DecodeRuneInString(s[i:])
		i += width
	}
	return strings.NewReplacer("\n", " ", "\t", " ").Replace(visible(s)) + cut
}

// firstLine returns the first line of a text that is not blank: of a panic, what it says and not where.
func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// number returns a number with its thousands apart.
func number(n any) string {
	digits := fmt.Sprint(n)
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}

// size returns a length in bytes.
func size(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	default:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
}

// stamp returns a time to the millisecond, in UTC.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000 UTC") }

// ago returns how long before now a time was, or how long after.
func ago(now, t time.Time) string {
	switch d := now.Sub(t); {
	case t.IsZero():
		return ""
	case d <= -time.Second:
		return "in " + span(-d)
	case d < time.Second:
		return "just now"
	default:
		return span(d) + " ago"
	}
}

// span returns a duration in its two greatest units.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	case d < day:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	default:
		return fmt.Sprintf("%d d %d h", d/day, d%day/time.Hour)
	}
}
