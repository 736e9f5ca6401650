package postgres

import "strconv"

// maxNumber bounds a number in jsonb, which keeps it as numeric: 131,072 digits before the decimal point and 16,383 behind
// it ("Numeric Types" in PostgreSQL's manual). Numbers of at most this many characters and with exponents no farther from 0
// stay within.
const maxNumber = 8000

// fitsNumeric reports whether the numbers of valid JSON are sure to fit into jsonb.
func fitsNumeric(text []byte) bool {
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '"':
			i = afterString(text, i)
		case c == '-' || '0' <= c && c <= '9':
			end, exponent := i, -1
			for end < len(text) && isNumeric(text[end]) {
				if text[end] == 'e' || text[end] == 'E' {
					exponent = end + 1
				}
				end++
			}
			if end-i > maxNumber {
				return false
			}
			if exponent >= 0 {
				if n, err := strconv.Atoi(string(text[exponent:end])); err != nil || n > maxNumber || n < -maxNumber {
					return false
				}
			}
			i = end
		default:
			i++
		}
	}
	return true
}

// afterString returns where the string that begins at i ends.
func afterString(text []byte, i int) int {
	for i++; i < len(text) && text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// isNumeric reports whether c may be part of a number.
func isNumeric(c byte) bool {
	switch c {
	case '+', '-', '.', 'e', 'E':
		return true
	}
	return '0' <= c && c <= '9'
}
