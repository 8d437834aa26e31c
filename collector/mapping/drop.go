package mapping

import (
	"fmt"

	"github.com/itchyny/gojq"

	"status_exporter/collector/query"
)

// A problem is why one sample could not be made. Its text is only made for the
// first of its kind: thousands of items may lack the same field.
type problem struct {
	reason DropReason
	query  *query.Query // that did not find what it must
	found  any          // by query
	err    error        // of query
	detail string       // where the rest does not say it
}

func problemf(reason DropReason, format string, args ...any) *problem {
	return &problem{reason: reason, detail: fmt.Sprintf(format, args...)}
}

// String returns a sentence without a full stop.
func (p *problem) String() string {
	switch {
	case p.detail != "":
		return p.detail
	case p.err != nil && p.reason == Missing:
		return fmt.Sprintf("%s found nothing (%v)", p.query, p.err)
	case p.err != nil:
		return fmt.Sprintf("%s failed: %v", p.query, p.err)
	case p.reason == Missing:
		return fmt.Sprintf("%s found nothing", p.query)
	case p.reason == Several:
		return fmt.Sprintf("%s found several results, expected one", p.query)
	case p.reason == Unmapped:
		return fmt.Sprintf("%s found %s, which map does not name", p.query, gojq.Preview(p.found))
	default:
		return fmt.Sprintf("%s found %s, expected a number", p.query, gojq.Preview(p.found))
	}
}

// drop notes that one sample of a rule could not be made.
func (e *evaluation) drop(r *rule, p *problem, item any) {
	finding := &e.findings[r.index]
	e.explain(r, p, item)
	if p.reason == Missing && r.optional {
		return
	}
	finding.Dropped++
	key := dropKey{r, p.reason}
	if i, seen := e.drops[key]; seen {
		e.dropped[i].Count++
		return
	}
	if e.drops == nil {
		e.drops = make(map[dropKey]int)
	}
	e.drops[key] = len(e.dropped)
	e.dropped = append(e.dropped, Dropped{Metric: r.name, Reason: p.reason, Count: 1, Detail: p.String()})
}

type dropKey struct {
	rule   *rule
	reason DropReason
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
	if !e.in.Explain || p.reason != Missing || finding.Hint != "" {
		return
	}
	finding.Hint = p.query.Nearest(e.env, item)
	if finding.Hint == "" {
		finding.Hint = p.String()
	}
}
