package search

import (
	"errors"
	"io"
	"iter"
	"strings"
	"unicode/utf8"
)

// ErrAgain ends a search that looks at the same text again and again: a pattern such
// as `a(?:.*b)?` looks for the b in the rest of the text after each a.
var ErrAgain = errors.New("looks at the same text again and again")

// What the matches in one text may take together. Empty matches, words and lines look
// at less than five times the text, and a pattern that looks for something up to the
// end of the line after each word at as much as a line has words.
const (
	mostTimes = 64      // the text is looked at
	mostMore  = 1 << 20 // bytes, for short texts
)

const (
	quick = 1 << 22 // steps that are made without looking at the context: 40 ms at most
	often = 1 << 20 // steps from one look at the context to the next
)

// A Search is the search in one text for matches of a pattern.
type Search struct {
	pattern *Pattern
	text    string
	check   func() error
	quick   int // steps that may still be made without looking at the context
	read    int // bytes of the text that were looked at
	next    int // bytes at which to look at the context again
	most    int // bytes that may be looked at
	reader  reader
}

// In returns a search. It asks check whether to go on, every 10 ms or so, and ends
// with the error that it returns.
func (p *Pattern) In(text string, check func() error) *Search {
	return &Search{pattern: p, text: text, check: check, quick: quick, most: mostTimes*len(text) + mostMore}
}

// All gives the matches of regexp.FindAllStringSubmatchIndex: an empty one does not
// count where the one before it ended. An error is the last that it gives.
func (s *Search) All() iter.Seq2[[]int, error] {
	return func(yield func([]int, error) bool) {
		for at, end := 0, -1; at <= len(s.text); {
			match, err := s.From(at)
			if err != nil {
				yield(nil, err)
				return
			}
			if match == nil {
				return
			}
			if counts := match[1] > at || match[0] != end; counts && !yield(match, nil) {
				return
			}
			if end = match[1]; end > at {
				at = end
				continue
			}
			_, width := utf8.DecodeRuneInString(s.text[at:])
			at += max(width, 1)
		}
	}
}

// From returns where the leftmost match that begins at a position or after it, and
// its groups, begin and end, as regexp.FindStringSubmatchIndex does, or nil if there
// is none. What stands before the position is looked at where the pattern asks for
// it. The error is that of check, or ErrAgain.
func (s *Search) From(at int) ([]int, error) {
	p := s.pattern
	re, begin, groups := p.first, at, 0
	switch {
	case p.prefix != "":
		found := strings.Index(s.text[at:], p.prefix)
		if found < 0 {
			return nil, nil
		}
		begin += found
	case p.line && at > 0:
		// To a pattern that only looks for the beginning of a line, a newline
		// before the text is as good as none.
		newline := strings.IndexByte(s.text[at-1:], '\n')
		if newline < 0 {
			return nil, nil
		}
		begin += newline
	case p.later != nil && at > 0:
		_, width := utf8.DecodeLastRuneInString(s.text[:at])
		re, begin, groups = p.later, at-width, 2
	}
	rest := s.text[begin:]
	var match []int
	if steps := len(rest) * p.cost; steps <= s.quick {
		s.quick -= steps
		match = re.FindStringSubmatchIndex(rest)
	} else {
		s.reader = reader{search: s, text: rest, look: s.next - s.read}
		match = re.FindReaderSubmatchIndex(&s.reader)
		s.read += s.reader.at
		if err := s.reader.err; err != nil {
			return nil, err
		}
	}
	if match == nil {
		return nil, nil
	}
	match = match[groups:]
	for i := range match {
		if match[i] >= 0 {
			match[i] += begin
		}
	}
	return match, nil
}

// A reader gives a text to package regexp, letter by letter, and ends with the
// search.
type reader struct {
	search *Search
	text   string
	at     int
	look   int // where to look whether to go on
	err    error
}

// ReadRune returns the next letter, or io.EOF when the search is over.
func (r *reader) ReadRune() (letter rune, size int, err error) {
	if r.at >= r.look {
		if r.err == nil {
			r.err = r.search.goOn(r)
		}
		if r.err != nil {
			return 0, 0, io.EOF
		}
	}
	if r.at >= len(r.text) {
		return 0, 0, io.EOF
	}
	letter, size = rune(r.text[r.at]), 1
	if letter >= utf8.RuneSelf {
		letter, size = utf8.DecodeRuneInString(r.text[r.at:])
	}
	r.at += size
	return letter, size, nil
}

// goOn tells when to look next, or why the search is over.
func (s *Search) goOn(r *reader) error {
	read := s.read + r.at
	if read > s.most {
		return ErrAgain
	}
	if err := s.check(); err != nil {
		return err
	}
	s.next = min(read+max(often/s.pattern.cost, 1), s.most+1)
	r.look = s.next - s.read
	return nil
}
