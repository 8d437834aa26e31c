package mapping

import (
	"go.yaml.in/yaml/v4"

	"status_exporter/collector/query"
)

// Rules are the compiled `metrics:` of a module.
type Rules struct {
	rules     []*rule
	all       []*rule // every rule, groups included, in reading order: the order of findings
	families  []*Family
	registers int // how many label values of enclosing groups are alive at once
}

// Families returns the families that the rules can make, in reading order.
func (r *Rules) Families() []*Family { return r.families }

// A rule makes the samples of one family, or groups other rules. It is decoded
// from one entry under `metrics:`.
type rule struct {
	node  *yaml.Node
	index int // in Rules.all
	depth int

	name       string // "" in a group
	help       string
	kind       Type
	from       string // the name of the document; inherited
	optional   bool   // absence is normal; inherited
	duplicates policy

	each   *query.Query  // nil: applied once, to what encloses it
	labels []labelQuery  // its own, written to the registers
	slots  []slot        // all labels of its samples, sorted by name
	family *Family       // nil in a group
	value  *query.Query  // nil with values, in an info metric and in distributions
	values []stateQuery  // one sample each
	texts  textMap       // `map:`
	states []string      // of a state set
	shape  *distribution // of a histogram or a summary

	created *query.Query

	children []*rule
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

// A textMap turns texts into numbers, as the key `map:` says.
type textMap struct {
	numbers map[string]float64
	other   *float64 // for "*"
}

// expression returns what the rule looks for, for reports and default help texts.
func (r *rule) expression() string {
	text := ""
	switch {
	case r.value != nil:
		text = r.value.String()
	case len(r.values) > 0:
		text = r.values[0].query.String()
		if len(r.values) > 1 {
			text += ", …"
		}
	case r.shape != nil:
		text = r.shape.parts.String()
	}
	switch {
	case r.each == nil && text == "":
		return "the document"
	case r.each == nil:
		return text
	case text == "":
		return r.each.String()
	default:
		return r.each.String() + " | " + text
	}
}
