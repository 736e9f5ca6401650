package gocode

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// exported returns the exported Go identifier for the name of an aggregate or event: the name's runs of letters and
// digits, each with its first letter raised. "purchase-order" becomes PurchaseOrder. The result is no identifier where
// the name begins with a digit or with a letter that has no upper case; see [isExported].
func exported(name string) string {
	var b strings.Builder
	raise := true
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			raise = true
		case raise:
			b.WriteRune(unicode.ToUpper(r))
			raise = false
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isExported reports whether s is an identifier that other packages can use.
func isExported(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsUpper(r)
}

// snake returns the identifier as file names have it: HTTPServer becomes http_server.
func snake(ident string) string {
	var b strings.Builder
	runes := []rune(ident)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// qualified returns the event's identifier with the aggregate's before it, which is not said twice: Order and Placed
// make OrderPlaced, User and UserRegistered make UserRegistered, but Use and UserRegistered make UseUserRegistered.
func qualified(aggregate, event string) string {
	rest, ok := strings.CutPrefix(event, aggregate)
	if next, _ := utf8.DecodeRuneInString(rest); ok && !unicode.IsLower(next) {
		return event
	}
	return aggregate + event
}
