// Package search finds the matches of regular expressions in texts that somebody
// else wrote. It gives the results of package regexp, which cannot be stopped on its
// way, and which may look at the rest of a text again after each match: a search
// here ends with its context, even within one match, and looks at no more text than
// a multiple of what there is.
package search

import (
	"regexp"
	"regexp/syntax"
)

// A Pattern is a compiled regular expression, with what a search needs to know of it.
type Pattern struct {
	first  *regexp.Regexp // searches from the beginning of a text
	later  *regexp.Regexp // searches from one letter after the beginning: group 1 is the match; nil where first does
	prefix string         // how each match begins; empty where first does not search later
	line   bool           // a match begins where a line does, and looks no further back
	cost   int            // of a letter, in steps of about 10 ns
}

// Compile compiles an expression of Go's syntax. Its errors are those of package
// regexp.
func Compile(expression string) (*Pattern, error) {
	first, err := regexp.Compile(expression)
	if err != nil {
		return nil, err
	}
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil, err
	}
	canonical := parsed.String() // closes what is open, \Q for example
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	p := &Pattern{first: first, cost: len(program.Inst) * (1 + program.NumCap/capturesPerStep)}
	const line, text, word = syntax.EmptyBeginLine, syntax.EmptyBeginText, syntax.EmptyWordBoundary | syntax.EmptyNoWordBoundary
	before, _ := begins(program, 0)
	if before&(line|text|word) == 0 {
		p.prefix, _ = first.LiteralPrefix()
		return p, nil
	}
	if before&text == 0 {
		_, elsewhere := begins(program, line)
		p.line = !elsewhere
	}
	p.later, err = regexp.Compile(`\A(?s:.)(?s:.*?)(` + canonical + `)`)
	return p, err
}

// capturesPerStep is how many positions of groups are copied in the time of a step.
const capturesPerStep = 16

// begins returns which conditions a match may ask for before its first letter, and
// whether it can begin without any of those given.
func begins(program *syntax.Prog, without syntax.EmptyOp) (asked syntax.EmptyOp, can bool) {
	seen := make([]bool, len(program.Inst))
	next := []uint32{uint32(program.Start)}
	for len(next) > 0 {
		at := next[len(next)-1]
		next = next[:len(next)-1]
		if seen[at] {
			continue
		}
		seen[at] = true
		switch in := &program.Inst[at]; in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			next = append(next, in.Out, in.Arg)
		case syntax.InstCapture, syntax.InstNop:
			next = append(next, in.Out)
		case syntax.InstEmptyWidth:
			asked |= syntax.EmptyOp(in.Arg)
			if syntax.EmptyOp(in.Arg)&without == 0 {
				next = append(next, in.Out)
			}
		case syntax.InstFail:
		default:
			can = true
		}
	}
	return asked, can
}

// Names returns the names of the groups, as regexp.SubexpNames does.
func (p *Pattern) Names() []string { return p.first.SubexpNames() }

// String returns the expression.
func (p *Pattern) String() string { return p.first.String() }
