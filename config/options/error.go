package options

import (
	"cmp"
	"slices"
	"strings"
)

// An Error is one mistake in the configuration, at its place.
type Error struct {
	Position Position
	Message  string // a sentence without a full stop: what was found and what was expected
}

func (e *Error) Error() string { return e.Position.String() + ": " + e.Message }

// Errors are all mistakes that were found, in the order of files and lines.
type Errors []*Error

// Error returns one mistake a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// sorted returns the errors in reading order, each once: a node that two
// modules share through `extends` is wrong only once.
func (d *Decoder) sorted(errs Errors) Errors {
	rank := make(map[string]int, len(d.files))
	for i, f := range d.files {
		if _, seen := rank[f.name]; !seen {
			rank[f.name] = i
		}
	}
	out := slices.Clone(errs)
	slices.SortFunc(out, func(a, b *Error) int {
		return cmp.Or(
			cmp.Compare(rank[a.Position.File], rank[b.Position.File]),
			cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Column, b.Position.Column),
			cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.CompactFunc(out, func(a, b *Error) bool { return *a == *b })
}
