package gocode

import "go/token"

// A spacer decides where blanks stand within a line.
type spacer struct {
	gaps   []bool
	kinds  []bracketKind
	roles  []role
	inside []int // indexes of the brackets that are open
}

// A role says what a token is for, where its neighbours have to know.
type role byte

const (
	plain    role = iota
	prefix        // an operator before its only operand
	element       // a bracket of a type of many elements: [] or map[K]
	index         // a bracket after what is indexed or instantiated
	unspaced      // a binary operator that stands close to its operands
)

// read returns, for each token of a line, whether a blank precedes it and, if it is a bracket that opens, of what kind.
// The slices are good until the next call. ok is false for what generated code does not hold.
func (s *spacer) read(tokens []lexeme, topLevel, continued bool) (gaps []bool, kinds []bracketKind, ok bool) {
	s.gaps, s.kinds, s.roles = grow(s.gaps, len(tokens)), grow(s.kinds, len(tokens)), grow(s.roles, len(tokens))
	s.inside = s.inside[:0]
	for i := range tokens {
		if !s.classify(tokens, i, continued) {
			return nil, nil, false
		}
		s.gaps[i] = i > 0 && s.gap(tokens, i, topLevel)
	}
	return s.gaps, s.kinds, true
}

// grow returns n zero values, in the memory of s if that is enough.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// at returns the token at an index, or ILLEGAL beyond either end of the line.
func at(tokens []lexeme, i int) token.Token {
	if i < 0 || i >= len(tokens) {
		return token.ILLEGAL
	}
	return tokens[i].tok
}

// isOperand reports whether a token can end an operand.
func isOperand(t token.Token) bool {
	return t == token.IDENT || t.IsLiteral() || t == token.RPAREN || t == token.RBRACK || t == token.RBRACE
}

// classify finds out what the token is for.
func (s *spacer) classify(tokens []lexeme, i int, continued bool) (ok bool) {
	before := at(tokens, i-1)
	switch t := tokens[i].tok; t {
	case token.LPAREN:
		s.kinds[i] = round
		s.inside = append(s.inside, i)
		// A parenthesis that only groups would change how the operators in it are spaced.
		return isOperand(before) || before == token.FUNC || before == token.PERIOD || before == token.IMPORT
	case token.LBRACK:
		s.kinds[i] = square
		s.inside = append(s.inside, i)
		switch {
		case before == token.MAP || at(tokens, i+1) == token.RBRACK:
			s.roles[i] = element
		case (before == token.IDENT || before == token.RBRACK || before == token.RPAREN) && at(tokens, i+1) != token.INT:
			s.roles[i] = index
		default:
			return false
		}
	case token.LBRACE:
		s.kinds[i] = braceKind(tokens, i)
		s.inside = append(s.inside, i)
		last, empty := i == len(tokens)-1, at(tokens, i+1) == token.RBRACE
		return last || s.kinds[i] == composite || empty
	case token.RPAREN, token.RBRACK, token.RBRACE:
		if n := len(s.inside); n > 0 {
			s.roles[i] = s.roles[s.inside[n-1]]
			s.inside = s.inside[:n-1]
		}
	case token.MUL, token.AND, token.NOT:
		s.roles[i] = prefix
	case token.SUB:
		s.roles[i] = prefix
		return !isOperand(before) && at(tokens, i+1) == token.INT
	case token.ADD:
		return s.classifyAdd(tokens, i)
	case token.COLON:
		return len(s.inside) == 0 || tokens[s.inside[len(s.inside)-1]].tok != token.LBRACK
	case token.QUO, token.REM, token.SHL, token.SHR, token.XOR, token.AND_NOT, token.TILDE, token.ARROW, token.CHAN, token.GOTO, token.IMAG:
		return false
	case token.OR:
		return continued || i == len(tokens)-1 || len(s.inside) > 0 && tokens[s.inside[0]].tok == token.LBRACK
	}
	return true
}

// classifyAdd finds out how a sum is spaced: close together among the arguments of a call, unless it is the only one. A
// sum within a larger expression is left to gofmt.
func (s *spacer) classifyAdd(tokens []lexeme, i int) (ok bool) {
	for _, t := range tokens {
		if p := t.tok.Precedence(); p > token.LowestPrec && p < token.ADD.Precedence() {
			return false
		}
	}
	for _, open := range s.inside {
		if tokens[open].tok != token.LPAREN {
			return false
		}
		depth := 0
		for _, t := range tokens[open+1:] {
			switch {
			case opens(t.tok):
				depth++
			case closes(t.tok):
				depth--
			}
			if depth < 0 {
				break
			}
			if depth == 0 && t.tok == token.COMMA {
				s.roles[i] = unspaced
			}
		}
	}
	next := at(tokens, i+1)
	return next == token.IDENT || next.IsLiteral()
}

// braceKind tells a block from a composite literal and from the body of a type.
func braceKind(tokens []lexeme, i int) bracketKind {
	switch before := at(tokens, i-1); before {
	case token.STRUCT:
		return structure
	case token.INTERFACE:
		return contract
	case token.ELSE, token.SELECT:
		return block
	}
	depth := 0
	for j := i - 1; j >= 0; j-- {
		switch t := tokens[j].tok; {
		case closes(t):
			depth++
		case opens(t):
			if depth--; depth < 0 {
				return composite
			}
		case depth > 0:
		case t == token.FUNC, j == 0 && (t == token.IF || t == token.FOR || t == token.SWITCH):
			return block
		case t == token.COMMA && at(tokens, 0) != token.FOR && at(tokens, 0) != token.IF:
			return composite
		}
	}
	if at(tokens, 0) == token.RBRACE || at(tokens, 0) == token.RPAREN {
		return block // the head of a function goes on after its parameters
	}
	return composite
}

// gap reports whether a blank precedes the token, which is not the first.
func (s *spacer) gap(tokens []lexeme, i int, topLevel bool) bool {
	before, t := tokens[i-1].tok, tokens[i].tok
	switch {
	case before == token.SEMICOLON:
		return true
	case before == token.PERIOD || before == token.LPAREN || before == token.LBRACK || before == token.LBRACE || before == token.ELLIPSIS:
		return false
	case s.roles[i-1] == prefix || s.roles[i-1] == unspaced || s.roles[i] == unspaced:
		return false
	case before == token.RBRACK && s.roles[i-1] == element:
		return false
	}
	switch t {
	case token.PERIOD, token.COMMA, token.SEMICOLON, token.RPAREN, token.RBRACK, token.RBRACE, token.COLON, token.INC, token.DEC:
		// What is called or indexed ends an operand, and what follows stands right after it.
		return false
	case token.ELLIPSIS:
		after := at(tokens, i+1)
		return after != token.RPAREN && after != token.COMMA
	case token.LPAREN:
		switch before {
		case token.FUNC:
			return topLevel && i == 1
		case token.IDENT, token.RBRACK, token.RBRACE:
			return false
		}
		return true
	case token.LBRACK:
		return s.roles[i] == element && before != token.MAP
	case token.LBRACE:
		switch s.kinds[i] {
		case composite:
			return before == token.COMMA || before == token.COLON || before == token.ASSIGN
		case structure, contract:
			return i == len(tokens)-1
		}
		return true
	}
	return true
}
