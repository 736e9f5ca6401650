package privacy

import (
	"fmt"
	"io"
)

// Package fmt follows pointers for verbs that it does not know, down to the keys that a cipher has expanded. What holds keys
// prints its name instead, by whatever verb.

// Format implements [fmt.Formatter]: no key is ever printed.
func (w LocalWrapper) Format(s fmt.State, _ rune) { printName(s, "privacy.LocalWrapper") }

// Format implements [fmt.Formatter]: no key is ever printed.
func (k Keys[Tx]) Format(s fmt.State, _ rune) { printName(s, "privacy.Keys") }

// Format implements [fmt.Formatter]: no key is ever printed.
func (r Ring) Format(s fmt.State, _ rune) { printName(s, "privacy.Ring") }

// Format implements [fmt.Formatter]: no key is ever printed.
func (c Cipher) Format(s fmt.State, _ rune) { printName(s, "privacy.Cipher") }

func printName(s fmt.State, name string) { _, _ = io.WriteString(s, name) } // fmt has no way to be told of an error
