package mapping

import (
	"cmp"
	"slices"
)

// drops are the samples that could not be made, counted by rule and reason.
type drops struct {
	list  []ruleDropped
	index map[dropKey]int // in list
}

type ruleDropped struct {
	rule int // in Rules.all
	Dropped
}

type dropKey struct {
	rule   int
	reason DropReason
}

func (d *drops) add(r *rule, p *problem) {
	key := dropKey{r.index, p.reason}
	if i, seen := d.index[key]; seen {
		d.list[i].Count++
		return
	}
	if d.index == nil {
		d.index = make(map[dropKey]int)
	}
	d.index[key] = len(d.list)
	d.list = append(d.list, ruleDropped{r.index, Dropped{Metric: r.name, Reason: p.reason, Count: 1, Detail: p.String()}})
}

// sorted returns them in the order of the rules.
func (d *drops) sorted() []Dropped {
	if len(d.list) == 0 {
		return nil
	}
	slices.SortStableFunc(d.list, func(a, b ruleDropped) int { return cmp.Compare(a.rule, b.rule) })
	out := make([]Dropped, len(d.list))
	for i := range d.list {
		out[i] = d.list[i].Dropped
	}
	return out
}

// drop notes that one sample of a rule could not be made.
func (e *evaluation) drop(r *rule, p *problem, item any) {
	if e.err != nil { // the context ended: that is no fault of the item
		return
	}
	e.explain(r, p, item)
	if p.reason == Missing && r.optional {
		return
	}
	e.findings[r.index].Dropped++
	e.drops.add(r, p)
}

// dropAll notes that every rule in a group lost its samples of one item.
func (e *evaluation) dropAll(r *rule, p *problem, item any) {
	if r.family != nil {
		e.drop(r, p, item)
		return
	}
	e.explain(r, p, item)
	for _, child := range r.children {
		e.dropAll(child, p, item)
	}
}

// explain notes why a rule found nothing, once: the nearest path that exists.
func (e *evaluation) explain(r *rule, p *problem, item any) {
	finding := &e.findings[r.index]
	if !e.in.Explain || p.reason != Missing || finding.Hint != "" || e.err != nil {
		return
	}
	finding.Hint = cmp.Or(p.query.Nearest(e.env, item), p.String())
}
