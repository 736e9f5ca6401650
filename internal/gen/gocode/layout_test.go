package gocode

import (
	"bytes"
	"go/format"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The generated code of the examples, written as jennifer would, comes out as gofmt had it.
func TestLayout_restoresGeneratedCode(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{"*/*/*.go", "*/*/*/*.go"} {
		found, err := filepath.Glob(filepath.Join("../../../examples", pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	count := 0
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !IsOurs(source) {
			continue
		}
		count++
		got, ok := layout(loosen(t, source))
		if !ok {
			t.Errorf("%s has code that layout does not know, and takes ten times as long to format; teach it", name)
		} else if diff := cmp.Diff(string(source), string(got)); diff != "" {
			t.Errorf("%s (-as it is +as it comes out):\n%s", name, diff)
		}
	}
	if count < 3 {
		t.Errorf("only %d generated files in the examples", count)
	}
}

// loosen returns source without indentation and with blanks between all tokens.
func loosen(t *testing.T, source []byte) []byte {
	t.Helper()
	lines, ok := readLines(source)
	if !ok {
		t.Fatalf("cannot read\n%s", source)
	}
	var b bytes.Buffer
	for _, l := range lines {
		if l.parted {
			b.WriteString("\n\n")
		}
		for _, lexeme := range l.tokens {
			b.WriteString(lexeme.text + " ")
		}
		b.Truncate(b.Len() - 1)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// Whatever layout takes on comes out as gofmt would have it.
func TestLayout_agreesWithGofmt(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"sum alone in a call":             "func f() {\ng (a + 1)\n}",
		"sum beside other arguments":      "func f() {\ng (x,h (a + 1))\n}",
		"sum by itself":                   "func f() {\nx := a + 1\n}",
		"comparisons":                     "func f() {\nif ! a (& b) || c >= d . e && len (f) == 0 {\nreturn\n}\n}",
		"loops":                           "func f() {\nfor i := 1;;i ++ {\nbreak\n}\nfor _,x := range xs {\n_ = x\n}\nfor {\n}\n}",
		"method":                          "func (s * S [T]) M (a,b string,c ... T) (_ * S [T],err error) {\nreturn & S [T] {a : a},nil\n}",
		"variadic call":                   "func f (a ... any) {\ng (a ...)\ng (1,a ...)\n}",
		"slices and maps":                 "var m = map [string] [] * T {\"a\" : {{1,-1},{}}}",
		"index":                           "func f() {\nxs [i],err = g [T] (& xs [i])\n}",
		"parameters on their own lines":   "func f (\na,b int,\nc func (int) error,\n) (int,error) {\nreturn 0,nil\n}",
		"function literal as an argument": "func f() {\nreturn g (a,func (x int) error {\nreturn nil\n})\n}",
		"function called at once":         "func f() {\ndefer func () {\nx ()\n}()\n}",
		"composite on several lines":      "var x = & T {\nA:1,\nLonger:\"x\",\nÜb:f (1),\n}",
		"elements on several lines":       "var x = [] T {\n{A : 1},\n{B : 2},\n}",
		"struct":                          "type T [A any] struct{\na int\nlonger func (int) error\nü map [string] int\n}",
		"empty types":                     "type T struct{}\n\n\ntype I interface{}\n\n\nfunc f() {}",
		"interface":                       "type I [A any] interface{\n// M does it.\nM (a A) error\nN ()\n}",
		"union":                           "func f [E a.A|* b.B] (e E) {\n}",
		"long union":                      "func f [E interface{\n\na.A|\n* b.B|\nc.C\n}] (e E) {\n}",
		"type switch":                     "func f() {\nswitch e := e . event .(type) {\ncase a.A,* a.A: \nreturn nil\ndefault: \nreturn e\n}\n}",
		"blank lines":                     "func f() {\na ()\n\n\n\nb ()\n}",
		"lines of a comment":              "// F is version\n// 1 of\n// \"Placed\" in\n// (or *T).\nfunc F() {\n}",
		"imports":                         "import (\n\"fmt\"\n\nx \"example.com/x\"\n)",
		"else":                            "func f() {\nif x := a ();x {\nb ()\n} else if y {\nc ()\n} else {\nd ()\n}\n}",
	} {
		source := []byte("// Package p is one.\npackage p\n\n" + body)
		want, err := format.Source(source)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got, ok := layout(source)
		if !ok {
			t.Errorf("%s: layout does not know it", name)
		} else if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-gofmt +layout):\n%s", name, diff)
		}
	}
}

// What gofmt has rules of its own for is left to it.
func TestLayout_leavesToGofmt(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"list in a comment":      "// F is\n// - this\nfunc F() {\n}",
		"numbers in a comment":   "// F is\n// 1. this\nfunc F() {\n}",
		"heading":                "// # F\nfunc F() {\n}",
		"code in a comment":      "//\tF()\nfunc F() {\n}",
		"link":                   "// [f]: http://example.com\nfunc F() {\n}",
		"quotes":                 "// F is ``it''.\nfunc F() {\n}",
		"directive":              "//go:noinline\nfunc F() {\n}",
		"block comment":          "/* F */\nfunc F() {\n}",
		"comment behind code":    "var x = 1 // one",
		"raw string of lines":    "var x = `\n  a`",
		"sum in a comparison":    "func f() {\nif a + 1 > b {\n}\n}",
		"parentheses":            "func f() {\nx := (a + b)\n}",
		"slice expression":       "func f() {\nx := a [1 : b + 1]\n}",
		"array":                  "var x [3] int",
		"group of variables":     "var (\na = 1\nlonger = 2\n)",
		"tags":                   "type T struct{\nA int `json:\"a\"`\nLonger string `json:\"b\"`\n}",
		"embedded field":         "type T struct{\nA\nb int\n}",
		"commented fields":       "type T struct{\n// A is one.\nA int\nlonger int\n}",
		"long key":               "var x = T {\n" + strings.Repeat("k", 41) + ":1,\nb:2,\n}",
		"value of several lines": "var x = T {\nA:f (\n1,\n),\nLonger:2,\n}",
		"arguments on two lines": "func f() {\ng (a,\nb)\n}",
		"nothing between":        "var x = 1\nfunc f() {\n}",
		"blank at the start":     "func f() {\n\na ()\n}",
		"blank at the end":       "func f() {\na ()\n\n}",
		"function on one line":   "func f() { g () }",
		"not Go at all":          "func f( {\n}",
		"unfinished":             "func f() {",
		"bad character":          "var x = §",
	} {
		if got, ok := layout([]byte("package p\n\n" + body)); ok {
			t.Errorf("%s comes out as\n%s", name, got)
		}
	}
}
