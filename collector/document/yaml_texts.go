package document

import "strings"

// How yamlTokens passes what takes more than a sign: lines, and the texts that the scanner
// of the library reads by functions of their own.

// at returns a byte of the text, and 0, which stands in none, behind its end.
func (s *yamlTokens) at(i int) byte {
	if i < len(s.text) {
		return s.text[i]
	}
	return 0
}

// breakAt returns the length of the end of a line that stands at i, or 0.
func (s *yamlTokens) breakAt(i int) int {
	switch c := s.at(i); {
	case c == '\n':
		return 1
	case c == '\r':
		if s.at(i+1) == '\n' {
			return 2
		}
		return 1
	case c == 0xc2 && s.at(i+1) == 0x85:
		return 2
	case c == 0xe2 && s.at(i+1) == 0x80 && s.at(i+2)|1 == 0xa9:
		return 3
	}
	return 0
}

// blankAt tells whether white space stands at i, or nothing more.
func (s *yamlTokens) blankAt(i int) bool {
	c := s.at(i)
	return c == ' ' || c == '\t' || c == 0 || s.breakAt(i) > 0
}

// indicatorAt tells whether a mark of the beginning or end of a document stands at i.
func (s *yamlTokens) indicatorAt(i int) bool {
	return i == s.line && (strings.HasPrefix(s.text[i:], "---") || strings.HasPrefix(s.text[i:], "...")) && s.blankAt(i+3)
}

func (s *yamlTokens) column() int { return s.pos - s.line + 1 }

// newline passes the end of a line if there is one.
func (s *yamlTokens) newline() bool {
	n := s.breakAt(s.pos)
	if n > 0 {
		s.pos += n
		s.line = s.pos
	}
	return n > 0
}

// restOfLine passes what is left of a line, without its end.
func (s *yamlTokens) restOfLine() {
	for s.at(s.pos) != 0 && s.breakAt(s.pos) == 0 {
		s.pos++
	}
}

func (s *yamlTokens) anchor() {
	begin := s.pos + 1
	s.pos = begin
	for c := s.at(s.pos); ' ' < c && c < 0x7f && !isFlowIndicator(c); c = s.at(s.pos) {
		s.pos++
	}
	for s.pos > begin && s.text[s.pos-1] == ':' {
		s.pos--
	}
}

func (s *yamlTokens) tag() {
	verbatim := s.at(s.pos+1) == '<'
	for !s.blankAt(s.pos) && (verbatim || len(s.levels) == 0 || !isFlowIndicator(s.at(s.pos))) {
		verbatim = verbatim && s.at(s.pos) != '>'
		s.pos++
	}
}

// quoted reads a text in quotes, up to its end. A mark of a document ends the library.
func (s *yamlTokens) quoted(quote byte) bool {
	s.pos++
	for {
		switch c := s.at(s.pos); {
		case c == 0:
			return false
		case c == quote && (quote == '"' || s.at(s.pos+1) != '\''):
			s.pos++
			return true
		case c == quote: // two stand for one
			s.pos += 2
		case c == '\\' && quote == '"':
			s.pos++
			if s.at(s.pos) != 0 && s.breakAt(s.pos) == 0 {
				s.pos++
			}
		case s.newline():
			if s.indicatorAt(s.pos) {
				return false
			}
		default:
			s.pos++
		}
	}
}

// plain reads a text without quotes, over all its lines, and the white space behind.
func (s *yamlTokens) plain() {
	flow := len(s.levels) > 0
	for !s.indicatorAt(s.pos) && s.at(s.pos) != '#' {
		lines := false
		for !s.blankAt(s.pos) {
			c, next := s.text[s.pos], s.at(s.pos+1)
			if c == ':' && (s.blankAt(s.pos+1) || flow && (next == ',' || next == ']' || next == '}')) || flow && isFlowIndicator(c) {
				return
			}
			s.allowed = false
			s.pos++
		}
		if s.at(s.pos) == 0 {
			return
		}
		for s.blankAt(s.pos) && s.at(s.pos) != 0 {
			if s.newline() {
				lines = true
			} else {
				s.pos++
			}
		}
		s.allowed = s.allowed || lines
		if !flow && s.column() < s.indent+1 {
			return
		}
	}
}

// block reads a text behind | or >, in the lines of which nothing counts.
func (s *yamlTokens) block() {
	indent := 0
	s.pos++
	for c := s.at(s.pos); c == '+' || c == '-' || '1' <= c && c <= '9'; c = s.at(s.pos) {
		if c >= '1' {
			indent = max(s.indent, 1) + int(c-'0')
		}
		s.pos++
	}
	s.restOfLine()
	s.newline()
	deepest := 0
	for {
		for {
			for s.at(s.pos) == ' ' && (indent == 0 || s.column() < indent) {
				s.pos++
			}
			deepest = max(deepest, s.column())
			if !s.newline() {
				break
			}
		}
		if indent == 0 {
			indent = max(deepest, s.indent+1, 1)
		}
		if s.column() != indent || s.at(s.pos) == 0 {
			return
		}
		s.restOfLine()
		s.newline()
	}
}
