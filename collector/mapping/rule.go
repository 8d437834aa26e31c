package mapping

import (
	"strings"

	"status_exporter/collector/query"
	"status_exporter/collector/spare"
)

// Rules are the compiled `metrics:` of a module.
type Rules struct {
	rules     []*rule
	all       []*rule // every rule, groups included, in reading order: the order of findings
	families  []*Family
	registers int // how many label values of enclosing groups are alive at once

	spare spare.Pool[*evaluation]
}

// Families returns the families that the rules can make, in reading order.
func (r *Rules) Families() []*Family { return r.families }

// A rule makes the samples of one family, or groups other rules. It is compiled
// from one entry under `metrics:`.
type rule struct {
	index int // in Rules.all
	depth int // of nesting in groups

	name       string // "" in a group
	help       string
	kind       Type
	from       string // the name of the document; inherited
	optional   bool   // absence is normal; inherited
	duplicates policy

	each    *query.Query  // nil: applied once, to what encloses it
	labels  []labelQuery  // its own, written to the registers
	slots   []slot        // all labels of its samples, sorted by name
	set     int           // the same for rules one after the other with the same slots; 0 with a stateSlot
	family  *Family       // nil in a group
	value   *query.Query  // nil with values, in an info metric and in distributions
	values  []stateQuery  // one sample each
	texts   textMap       // `map:`
	states  []string      // of a state set
	shape   *distribution // of a histogram or a summary
	created *query.Query  // nil for none

	expression string // what it looks for, for people
	children   []*rule
}

// A labelQuery finds a label's value and keeps it in a register, where the
// rules below find it.
type labelQuery struct {
	name     string
	query    *query.Query
	register int
}

// A slot is one label of a rule's samples: a constant, or what is in a register.
type slot struct {
	name     string
	constant string
	register int // constantSlot, stateSlot, or a number of a register
}

const (
	constantSlot = -1
	stateSlot    = -2 // the label that differs between the samples of one item
)

// A stateQuery is one entry of `values:`: the label's value and where to find
// the sample's.
type stateQuery struct {
	text  string
	query *query.Query
}

// isPlainGroup tells whether the rule only holds others together: what it is
// applied to is what they are applied to.
func (r *rule) isPlainGroup() bool { return r.family == nil && r.each == nil && len(r.labels) == 0 }

// describe returns on one line what the rule looks for.
func (r *rule) describe() string {
	var parts []string
	if r.each != nil {
		parts = append(parts, r.each.String())
	}
	switch {
	case r.value != nil:
		parts = append(parts, r.value.String())
	case len(r.values) == 1:
		parts = append(parts, r.values[0].query.String())
	case len(r.values) > 1:
		parts = append(parts, r.values[0].query.String()+", …")
	case r.shape != nil:
		parts = append(parts, r.shape.String())
	}
	if len(parts) == 0 {
		return "the document"
	}
	return strings.Join(strings.Fields(strings.Join(parts, " | ")), " ")
}
