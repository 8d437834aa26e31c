package accesslog

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// A pattern matches whole URL paths: `*` stands for any text without a slash,
// `**` for any text. Matching takes one step for a byte of the path whatever the
// pattern is.
type pattern struct {
	name   string
	prefix []byte // the text before the first star
	rest   *automaton
}

// An automaton follows the stars of a pattern: bit i of its state is set where
// the first i pieces (a byte or a star) match what was read so far.
type automaton struct {
	advance [256]uint64 // pieces that this byte is
	stay    [256]uint64 // stars that this byte is part of
	stars   uint64
	accept  uint64
}

const maxPieces = 63

func compilePattern(name, text string) (pattern, error) {
	if !strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "*") {
		return pattern{}, fmt.Errorf("the pattern %q begins with neither a slash nor a star, so that it matches no path", text)
	}
	if strings.ContainsAny(text, "?# ") {
		return pattern{}, fmt.Errorf("the pattern %q holds a question mark, a hash or a space, which no path holds: it ends before its query", text)
	}
	star := strings.IndexByte(text, '*')
	if star < 0 {
		return pattern{name: name, prefix: []byte(text)}, nil
	}
	rest, err := compileStars(text[star:])
	if err != nil {
		return pattern{}, fmt.Errorf("the pattern %q %w", text, err)
	}
	return pattern{name, []byte(text[:star]), rest}, nil
}

func compileStars(text string) (*automaton, error) {
	if strings.Contains(text, "***") {
		return nil, errors.New("has three stars in a row, expected one (any text without a slash) or two (any text)")
	}
	a := &automaton{accept: 1}
	for i := 0; i < len(text); i++ {
		bit := a.accept
		if text[i] == '*' {
			a.stars |= bit
			for b := range a.stay {
				a.stay[b] |= bit
			}
			if strings.HasPrefix(text[i:], "**") {
				i++
			} else {
				a.stay['/'] &^= bit
			}
		} else {
			a.advance[text[i]] |= bit
		}
		if a.accept <<= 1; a.accept == 1<<maxPieces {
			return nil, fmt.Errorf("is too long: at most %d characters may follow its first star", maxPieces-1)
		}
	}
	return a, nil
}

func (p *pattern) match(path []byte) bool {
	if p.rest == nil {
		return bytes.Equal(path, p.prefix)
	}
	return bytes.HasPrefix(path, p.prefix) && p.rest.match(path[len(p.prefix):])
}

func (a *automaton) match(text []byte) bool {
	state := a.pass(1)
	for _, b := range text {
		state = a.pass(state&a.stay[b] | state&a.advance[b]<<1)
		if state == 0 {
			return false
		}
	}
	return state&a.accept != 0
}

// pass lets stars stand for nothing.
func (a *automaton) pass(state uint64) uint64 {
	return state | state&a.stars<<1
}
