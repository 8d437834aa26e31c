package mapping

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"status_exporter/collector/document"
	"status_exporter/collector/query"
	"status_exporter/collector/spare"
)

// An evaluation is the state of one Map.
type evaluation struct {
	ctx   context.Context
	rules *Rules
	in    Input
	docs  map[string]*document.Document
	envs  map[string]*query.Env // by document
	env   *query.Env            // of the rule that is being applied

	registers []string     // label values of the enclosing groups
	written   int          // how often registers were
	found     []candidates // by family
	count     int          // of candidates, their buckets and quantiles
	labels    []Label      // a slab that samples take their labels from
	labelled  int          // how many labels were taken
	shared    []Label      // the last labels that samples may share
	sharedSet int          // the rule.set that these are of
	sharedAt  int          // what was written then
	extra     []Label      // in.Labels, sorted, without empty ones
	full      *problem     // what is told of samples beyond the limit

	items []any // that samples were made of
	noted int32 // where the present one is in items; less than 0 for not yet

	findings []Finding // by rule
	families []FamilySamples
	drops    drops
	steps    int
	err      error // of ctx: nothing is evaluated after it
}

// newEvaluation returns an evaluation in the memory of one that was released, if
// there is one: growing the lists of samples anew each time, and collecting the
// old ones, was a third of a scrape in a profile of 20,000 series.
func newEvaluation(ctx context.Context, r *Rules, in Input) *evaluation {
	e := r.spare.Get()
	if e == nil {
		e = &evaluation{
			rules:     r,
			docs:      make(map[string]*document.Document, len(in.Documents)),
			envs:      make(map[string]*query.Env, len(in.Documents)),
			registers: make([]string, r.registers),
			found:     make([]candidates, len(r.families)),
			findings:  make([]Finding, len(r.all)),
		}
	}
	e.ctx, e.in, e.noted = ctx, in, -1
	if e.in.Limits == (Limits{}) {
		e.in.Limits = DefaultLimits
	}
	e.extra = slices.SortedFunc(slices.Values(in.Labels), func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
	e.extra = slices.DeleteFunc(e.extra, func(l Label) bool { return l.Value == "" })
	values := make(map[string]any, len(in.Documents))
	for _, doc := range in.Documents {
		values[doc.Name] = doc.Value
		e.docs[doc.Name] = doc
		e.envs[doc.Name] = &query.Env{
			Root: doc.Value, Docs: values, Target: in.Target, Status: doc.StatusCode, Header: doc.Header, Vars: in.Vars,
		}
	}
	for i, rule := range r.all {
		e.findings[i] = Finding{Metric: rule.name, Depth: rule.depth, Expression: rule.expression, Document: rule.from, Optional: rule.optional}
	}
	return e
}

// Size returns how many bytes of memory an evaluation holds, about.
func (e *evaluation) Size() int {
	bytes := spare.Bytes(e.items) + spare.Bytes(e.labels) + spare.Bytes(e.findings)
	for i := range e.found {
		f := &e.found[i]
		bytes += spare.Bytes(f.samples) + spare.Bytes(f.sorted) + spare.Bytes(f.origins)
	}
	return bytes
}

// release keeps the memory of an evaluation for the next one, and nothing of what
// is in it: labels are pieces of a document's body.
func (e *evaluation) release() {
	clear(e.docs)
	clear(e.envs)
	clear(e.registers)
	for i := range e.found {
		e.found[i].empty()
	}
	clear(e.items)
	if e.labelled > cap(e.labels) { // one slab for all of them the next time
		e.labels = make([]Label, 0, e.labelled)
	}
	clear(e.labels)
	*e = evaluation{
		rules: e.rules, docs: e.docs, envs: e.envs, registers: e.registers,
		found: e.found, findings: e.findings, families: e.families[:0], items: e.items[:0], labels: e.labels[:0],
	}
	e.rules.spare.Put(e)
}

// apply applies a rule to the item that encloses it. A rule that is made from
// another document than what encloses it (from) begins with that document.
func (e *evaluation) apply(r *rule, item any, from string) {
	if r.isPlainGroup() {
		e.findings[r.index].Items++
		e.applyAll(r.children, item, from)
		return
	}
	doc := e.docs[r.from]
	if doc == nil || doc.Failure != nil {
		e.skip(r)
		return
	}
	env, noted := e.env, e.noted
	if r.from != from {
		item, e.noted = doc.Value, -1
	}
	e.env = e.envs[r.from]
	e.each(r, item)
	e.env, e.noted = env, noted
}

func (e *evaluation) applyAll(rules []*rule, item any, from string) {
	for _, r := range rules {
		if e.stopped() {
			return
		}
		e.apply(r, item, from)
	}
}

// each applies a rule to every item that it is about.
func (e *evaluation) each(r *rule, item any) {
	if r.each == nil {
		e.item(r, item)
		return
	}
	results := 0
	for v, err := range r.each.All(e.ctx, e.env, item) {
		if e.stopped() {
			return
		}
		results++
		switch {
		case err != nil:
			e.dropAll(r, e.failed(r.each, err), item)
		case v == nil:
			e.dropAll(r, &problem{reason: Missing, query: r.each}, item)
		default:
			e.noted = -1
			e.item(r, v)
		}
	}
	if results == 0 && !e.stopped() {
		e.findings[r.index].Empty = true // all is well, there is just nothing to count
	}
}

// item applies a rule to one item: finds its labels, then its samples or the
// rules of the group.
func (e *evaluation) item(r *rule, item any) {
	e.findings[r.index].Items++
	if len(r.labels) > 0 {
		e.written++
	}
	for i := range r.labels {
		l := &r.labels[i]
		text, p := e.label(l, item)
		if p != nil {
			p.label = l.name
			e.dropAll(r, p, item)
			return
		}
		e.registers[l.register] = text
	}
	if r.family == nil {
		e.applyAll(r.children, item, r.from)
		return
	}
	e.samples(r, item)
}

// label finds a label's text; one that is null or absent is empty.
func (e *evaluation) label(l *labelQuery, item any) (string, *problem) {
	v, p := e.one(l.query, item)
	switch {
	case p != nil && p.reason == Missing:
		return "", nil
	case p != nil:
		return "", p
	}
	text, scalar := scalarText(v)
	if !scalar {
		return "", &problem{reason: BadLabel, query: l.query, found: v, detail: "expected a text or a number"}
	}
	if len(text) > e.in.Limits.LabelValue {
		detail := fmt.Sprintf("which has %d bytes, the limit is %d", len(text), e.in.Limits.LabelValue)
		return "", &problem{reason: OverLimit, query: l.query, found: v, detail: detail}
	}
	return strings.ToValidUTF8(text, "\uFFFD"), nil
}

// one evaluates an expression that must give one result.
func (e *evaluation) one(q *query.Query, item any) (any, *problem) {
	v, count, err := q.One(e.ctx, e.env, item)
	switch {
	case err != nil:
		return nil, e.failed(q, err)
	case count > 1:
		return nil, &problem{reason: Several, query: q}
	case v == nil:
		return nil, &problem{reason: Missing, query: q}
	default:
		return v, nil
	}
}

// failed returns the problem that an expression failed, and notes where it did
// because the context has ended.
func (e *evaluation) failed(q *query.Query, err error) *problem {
	e.err = e.ctx.Err()
	return evaluationProblem(q, err)
}

// skip notes that the document of a rule could not be had: that is told by the
// document's failure, not by every rule.
func (e *evaluation) skip(r *rule) {
	e.findings[r.index].Skipped = true
	for _, child := range r.children {
		e.skip(child)
	}
}

// cut returns the problem of what is left aside as the context ended, which Result.Err
// tells of.
func (e *evaluation) cut(q *query.Query) *problem {
	return &problem{reason: Evaluate, query: q, err: e.err}
}

// lookEvery is how many steps there are between two looks at the context.
const lookEvery = 256

// stopped tells whether the context has ended; it looks at it only now and then.
func (e *evaluation) stopped() bool {
	if e.steps++; e.steps%lookEvery == 0 {
		return e.ended()
	}
	return e.err != nil
}

// ended tells whether the context has ended.
func (e *evaluation) ended() bool {
	if e.err == nil {
		e.err = e.ctx.Err()
	}
	return e.err != nil
}
