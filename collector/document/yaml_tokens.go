package document

import "strings"

// The library makes tokens of a text, nodes of the tokens, and we make values of the
// nodes. It makes tokens ahead where something may turn out to be a key, which is
// known at the end of a line, but in brackets only behind them; and nodes of a whole
// document before we see one. yamlTokens reads a text as the scanner of the library
// does, and counts both before anything is made of it. It follows the functions of
// scanner.go by their names: what they refuse, it may read in any way, as the library
// reads no further.
type yamlTokens struct {
	text  string
	pos   int
	line  int // where the line begins; columns begin at 1 as in the library
	depth int // that is not passed

	tokens int
	nodes  int // and tags and anchors; those that stand for nothing are among them
	values int // that there are at least
	ahead  int // the most tokens that wait for one that may be a key
	inside int // the most tokens in brackets that do not wait themselves

	indent  int
	indents []int
	levels  []flowLevel // a bracket that is open each
	held    int         // the token that all others wait for as it may be a key before an open bracket; or -1
	begun   int         // the token of the outermost bracket that is open
	key     simpleKey   // on this level
	allowed bool        // a simple key
	last    tokenKind
}

// A flowLevel is what was before a bracket that is open.
type flowLevel struct {
	key  simpleKey
	list bool // the bracket is one of a list
}

// A simpleKey is a place at which a key without a question mark may have begun.
type simpleKey struct {
	possible     bool
	number       int // of its token
	line, column int
	behind       tokenKind
}

type tokenKind byte

const (
	tokenOther   tokenKind = iota // the words, texts and all that is not below
	tokenItem                     // - of a list in block style
	tokenKey                      // ?
	tokenValue                    // :
	tokenEntry                    // ,
	tokenList                     // [
	tokenMapping                  // {
)

// What the library takes for a token that waits and for a node with its value, in
// halves of the 256 bytes that are reserved for a value. For nodes 230 to 350 bytes
// were measured, and for a token up to 370 more, garbage included.
const halvesPerToken, halvesPerNode = 4, 3

// Nothing stops the library while it makes nodes of tokens that wait, 1 to 2 µs each.
const mostAhead = 1 << 18

// mostInside bounds how much there is in brackets: larger documents are those of
// JSON, whose own decoder takes a tenth of the memory.
const mostInside = 1 << 20

// newYAMLTokens returns a yamlTokens for a text of which the first bytes are read by
// nobody, as they are white space; inDocument where a mark of its beginning is put
// behind them.
func newYAMLTokens(text string, begin int, inDocument bool, depth int) *yamlTokens {
	return &yamlTokens{text: text, pos: begin, line: begin, depth: depth, indent: -1, held: -1, allowed: !inDocument}
}

// cost returns how many values take at least as much memory as the text does while it
// is decoded.
func (s *yamlTokens) cost() int { return (halvesPerNode*s.nodes + halvesPerToken*s.ahead) / 2 }

// next reads one token. It returns false at the end, and where the library ends.
func (s *yamlTokens) next() bool {
	s.toNextToken()
	s.unroll(s.column())
	c, behind := s.at(s.pos), s.last
	s.last = tokenOther
	switch {
	case c == 0 || len(s.levels) > s.depth || len(s.indents) > s.depth:
		return false
	case c == '%' && s.pos == s.line:
		s.unroll(-1)
		s.key, s.allowed = simpleKey{}, false
		s.restOfLine()
		s.newline()
		s.nodes++
	case s.indicatorAt(s.pos):
		if len(s.levels) > 0 {
			return false
		}
		s.unroll(-1)
		s.key, s.allowed = simpleKey{}, false
		s.pos += 3
		s.nodes += 2 // a document of nothing
	case c == '[' || c == '{':
		s.open(c == '[', behind)
	case c == ']' || c == '}':
		s.nodes += empty(behind)
		s.close()
	case c == ',':
		s.nodes += empty(behind)
		s.key, s.allowed, s.last = simpleKey{}, true, tokenEntry
		s.pos++
	case (c == '-' || c == '?') && s.blankAt(s.pos+1):
		s.entry(c, behind)
	case c == ':' && s.isValue(behind):
		s.value(behind)
	case c == '*' || c == '&':
		s.save(behind)
		s.allowed = false
		s.anchor()
		s.nodes++
		if c == '*' {
			s.values++
		}
	case c == '!':
		s.save(behind)
		s.allowed = false
		s.tag()
		s.nodes++
	case (c == '|' || c == '>') && len(s.levels) == 0:
		s.key, s.allowed = simpleKey{}, true
		s.block()
		s.node()
	case c == '\'' || c == '"':
		s.save(behind)
		s.allowed = false
		s.node()
		if !s.quoted(c) {
			return false
		}
	case strings.IndexByte("\t#|>%@`", c) >= 0:
		return false
	default:
		s.save(behind)
		s.allowed = false
		s.plain()
		s.node()
	}
	s.tokens++
	s.waiting()
	return true
}

// node counts a node that is a value, unless a colon behind it makes it a key.
func (s *yamlTokens) node() {
	s.nodes++
	s.values++
}

// empty returns how many nodes at most stand for nothing where a sign follows another
// at once: a pair in a list, and its key or its value.
func empty(behind tokenKind) int {
	switch behind {
	case tokenItem, tokenKey, tokenValue:
		return 2
	}
	return 0
}

// waiting notes how many tokens wait.
func (s *yamlTokens) waiting() {
	switch {
	case s.held >= 0:
		s.ahead = max(s.ahead, s.tokens-s.held)
	case s.key.possible:
		s.ahead = max(s.ahead, s.tokens-s.key.number)
	}
	if len(s.levels) > 0 {
		s.inside = max(s.inside, s.tokens-s.begun)
	}
}

// toNextToken passes white space and comments.
func (s *yamlTokens) toNextToken() {
	for {
		for c := s.at(s.pos); c == ' ' || c == '\t'; c = s.at(s.pos) {
			s.pos++
		}
		if s.at(s.pos) == '#' {
			s.restOfLine()
		}
		if !s.newline() {
			return
		}
		if len(s.levels) == 0 {
			s.allowed = true
		}
	}
}

// save notes that a key may begin here.
func (s *yamlTokens) save(behind tokenKind) {
	if s.allowed {
		s.key = simpleKey{true, s.tokens, s.line, s.column(), behind}
	}
}

// roll begins a list or mapping in block style where none is open in a column.
func (s *yamlTokens) roll(column int) bool {
	if len(s.levels) > 0 || s.indent >= column {
		return false
	}
	s.indents = append(s.indents, s.indent)
	s.indent = column
	s.tokens++
	s.node()
	return true
}

// unroll ends the lists and mappings in block style that are open beyond a column.
func (s *yamlTokens) unroll(column int) {
	for len(s.levels) == 0 && s.indent > column {
		s.indent = s.indents[len(s.indents)-1]
		s.indents = s.indents[:len(s.indents)-1]
		s.tokens++
	}
}

func (s *yamlTokens) open(list bool, behind tokenKind) {
	s.save(behind)
	if len(s.levels) == 0 {
		s.begun = s.tokens
	}
	if s.key.possible && s.held < 0 {
		s.held = s.key.number
	}
	s.levels = append(s.levels, flowLevel{s.key, list})
	s.key, s.allowed, s.last = simpleKey{}, true, tokenMapping
	if list {
		s.last = tokenList
	}
	s.pos++
	s.node()
}

func (s *yamlTokens) close() {
	s.key, s.allowed = simpleKey{}, false
	s.pos++
	if len(s.levels) == 0 {
		return
	}
	s.key = s.levels[len(s.levels)-1].key
	s.levels = s.levels[:len(s.levels)-1]
	if s.key.possible && s.key.number == s.held {
		s.held = -1
	}
}

// entry reads - or ?.
func (s *yamlTokens) entry(c byte, behind tokenKind) {
	if !s.roll(s.column()) {
		s.nodes += empty(behind)
		if behind == tokenItem {
			s.values++
		}
	}
	s.key, s.allowed, s.last = simpleKey{}, true, tokenItem
	if c == '?' {
		s.allowed, s.last = len(s.levels) == 0, tokenKey
		s.nodes++ // a pair in a list
	}
	s.pos++
}

// isValue tells whether a colon does not belong to a word.
func (s *yamlTokens) isValue(behind tokenKind) bool {
	next := s.at(s.pos + 1)
	switch {
	case s.blankAt(s.pos + 1):
		return true
	case len(s.levels) == 0 || behind == tokenEntry || behind == tokenList:
		return false
	case behind == tokenValue || behind == tokenKey || behind == tokenMapping:
		return isFlowIndicator(next)
	}
	return true
}

func isFlowIndicator(c byte) bool { return strings.IndexByte(",[]{}", c) >= 0 }

// value reads a colon.
func (s *yamlTokens) value(behind tokenKind) {
	if s.key.possible && s.key.line == s.line {
		s.tokens++ // the key
		if !s.roll(s.key.column) && s.key.behind == tokenValue {
			s.node() // there was no value before
		}
		s.values--
		s.key.possible, s.allowed = false, false
	} else {
		if !s.roll(s.column()) || behind != tokenOther {
			s.nodes += 2
		}
		if behind == tokenOther {
			s.values--
		}
		s.allowed = len(s.levels) == 0
	}
	if n := len(s.levels); n > 0 && s.levels[n-1].list {
		s.nodes++ // a pair in a list
	}
	s.last = tokenValue
	s.pos++
}
