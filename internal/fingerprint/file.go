package fingerprint

import (
	"crypto/sha256"
	"encoding/hex"
	"go/scanner"
	"go/token"
)

// File returns a hash of the tokens of a Go file, in hexadecimal: comments and layout do not count. A file that is no Go has
// one too.
func File(content []byte) string {
	fset := token.NewFileSet()
	var s scanner.Scanner
	s.Init(fset.AddFile("", fset.Base(), len(content)), content, func(token.Position, string) {}, 0)
	hash := sha256.New()
	for {
		_, tok, text := s.Scan()
		if tok == token.EOF {
			break
		}
		if tok == token.SEMICOLON {
			text = ";" // also where a line end stands for it
		}
		writeText(hash, tok.String())
		writeText(hash, text)
	}
	return hex.EncodeToString(hash.Sum(nil))
}
