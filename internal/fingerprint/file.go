package fingerprint

import (
	"go/scanner"
	"go/token"
)

// File returns a hash of the tokens of a Go file, in hexadecimal: comments and layout do not count. A file that is no Go has
// one too.
func File(content []byte) string {
	fset := token.NewFileSet()
	var s scanner.Scanner
	s.Init(fset.AddFile("", fset.Base(), len(content)), content, func(token.Position, string) {}, 0)
	text, sum := newHash()
	for {
		_, tok, literal := s.Scan()
		if tok == token.EOF {
			break
		}
		if tok == token.SEMICOLON {
			literal = ";" // also where a line end stands for it
		}
		writeText(text, tok.String())
		writeText(text, literal)
	}
	return sum()
}
