package mapping

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/itchyny/gojq"

	"status_exporter/collector/document"
	"status_exporter/collector/query"
)

// An evaluation is the state of one Map.
type evaluation struct {
	ctx   context.Context
	rules *Rules
	in    Input
	docs  map[string]*document.Document
	envs  map[string]*query.Env // by document
	env   *query.Env            // of the rule that is being applied

	registers []string      // label values of the enclosing groups
	found     [][]candidate // by family
	count     int
	labels    []Label // a slab that samples take their labels from
	extra     []Label // in.Labels, sorted

	findings []Finding // by rule
	dropped  []Dropped
	drops    map[dropKey]int // in dropped
	steps    int
	err      error
}

// A candidate is a sample before duplicates were looked for, and the item and
// rule that it comes from.
type candidate struct {
	Sample
	item any
	rule *rule
}

func newEvaluation(ctx context.Context, r *Rules, in Input) *evaluation {
	e := &evaluation{
		ctx: ctx, rules: r, in: in,
		docs:      make(map[string]*document.Document, len(in.Documents)),
		envs:      make(map[string]*query.Env, len(in.Documents)),
		registers: make([]string, r.registers),
		found:     make([][]candidate, len(r.families)),
		findings:  make([]Finding, len(r.all)),
	}
	if e.in.Limits == (Limits{}) {
		e.in.Limits = DefaultLimits
	}
	e.extra = slices.SortedFunc(slices.Values(in.Labels), func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
	values := make(map[string]any, len(in.Documents))
	for _, doc := range in.Documents {
		e.docs[doc.Name] = doc
		values[doc.Name] = doc.Value
	}
	for _, doc := range in.Documents {
		headers := make(map[string]any, len(doc.Header))
		for name, lines := range doc.Header {
			headers[strings.ToLower(name)] = strings.Join(lines, ", ")
		}
		e.envs[doc.Name] = &query.Env{
			Root: doc.Value, Docs: values, Target: in.Target, Status: doc.StatusCode, Headers: headers, Vars: in.Vars,
		}
	}
	for i, rule := range r.all {
		e.findings[i] = Finding{Metric: rule.name, Depth: rule.depth, Expression: rule.expression(), Document: rule.from, Optional: rule.optional}
	}
	return e
}

// apply applies a rule to the item that encloses it. A rule that is made from
// another document than what encloses it (from) begins with that document.
func (e *evaluation) apply(r *rule, item any, from string) {
	if r.from == "" { // a group whose rules choose their documents
		for _, child := range r.children {
			e.apply(child, nil, "")
		}
		return
	}
	doc := e.docs[r.from]
	if doc == nil || doc.Failure != nil {
		e.skip(r)
		return
	}
	if r.from != from {
		item = doc.Value
	}
	outer := e.env
	e.env = e.envs[r.from]
	defer func() { e.env = outer }()

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
			e.dropAll(r, evaluationProblem(r.each, err), item)
		case v == nil:
			e.dropAll(r, &problem{reason: Missing, query: r.each}, item)
		default:
			e.item(r, v)
		}
	}
	if results == 0 {
		e.findings[r.index].Empty = true // all is well, there is just nothing to count
	}
}

// item applies a rule to one item: finds its labels, then its samples or the
// rules of the group.
func (e *evaluation) item(r *rule, item any) {
	e.findings[r.index].Items++
	for i := range r.labels {
		l := &r.labels[i]
		text, p := e.label(l, r, item)
		if p != nil {
			e.dropAll(r, p, item)
			return
		}
		e.registers[l.register] = text
	}
	if r.family == nil {
		for _, child := range r.children {
			if e.stopped() {
				return
			}
			e.apply(child, item, r.from)
		}
		return
	}
	e.samples(r, item)
}

// samples makes the samples of one item.
func (e *evaluation) samples(r *rule, item any) {
	switch {
	case r.kind == Info:
		e.emit(r, item, Sample{Value: 1}, "")
	case r.kind == StateSet:
		e.states(r, item)
	case r.shape != nil:
		d, p := r.shape.find(e, item)
		if p != nil {
			e.drop(r, p, item)
			return
		}
		e.emit(r, item, Sample{Distribution: d}, "")
	case r.values != nil:
		for _, v := range r.values {
			e.sample(r, v.query, item, v.text)
		}
	default:
		e.sample(r, r.value, item, "")
	}
}

func (e *evaluation) sample(r *rule, q *query.Query, item any, state string) {
	v, p := e.one(q, item)
	if p == nil {
		var f float64
		if f, p = r.texts.number(q, v); p == nil {
			e.emit(r, item, Sample{Value: f}, state)
			return
		}
	}
	e.drop(r, p, item)
}

// states makes one sample for each state. A text that is none of them makes all
// states 0: that none of the known states holds is true.
func (e *evaluation) states(r *rule, item any) {
	v, p := e.one(r.value, item)
	if p != nil {
		e.drop(r, p, item)
		return
	}
	text, scalar := scalarText(v)
	text = strings.TrimSpace(text)
	if !scalar || !slices.Contains(r.states, text) {
		e.drop(r, problemf(UnknownState, "%s found %s, expected one of %s", r.value, gojq.Preview(v), strings.Join(r.states, ", ")), item)
	}
	for _, state := range r.states {
		value := 0.0
		if scalar && state == text {
			value = 1
		}
		e.emit(r, item, Sample{Value: value}, state)
	}
}

// number turns what an expression found into a sample's value.
func (m *textMap) number(q *query.Query, v any) (float64, *problem) {
	if m.numbers != nil {
		if text, scalar := scalarText(v); scalar {
			if f, ok := m.numbers[strings.TrimSpace(text)]; ok {
				return f, nil
			}
			if m.other != nil {
				return *m.other, nil
			}
			if f, ok := number(v); ok {
				return f, nil
			}
			return 0, &problem{reason: Unmapped, query: q, found: v}
		}
	}
	if f, ok := number(v); ok {
		return f, nil
	}
	return 0, notANumber(q, v)
}

func notANumber(q *query.Query, v any) *problem {
	return &problem{reason: NotANumber, query: q, found: v}
}

// one evaluates an expression that must give one result.
func (e *evaluation) one(q *query.Query, item any) (any, *problem) {
	v, count, err := q.One(e.ctx, e.env, item)
	switch {
	case err != nil:
		return nil, evaluationProblem(q, err)
	case count > 1:
		return nil, &problem{reason: Several, query: q}
	case v == nil:
		return nil, &problem{reason: Missing, query: q}
	default:
		return v, nil
	}
}

// label finds a label's text; one that is null or absent is empty.
func (e *evaluation) label(l *labelQuery, r *rule, item any) (string, *problem) {
	v, p := e.one(l.query, item)
	switch {
	case p != nil && p.reason == Missing:
		return "", nil
	case p != nil:
		p.detail = fmt.Sprintf("label %s: %s", l.name, p)
		return "", p
	}
	text, scalar := scalarText(v)
	if !scalar {
		return "", problemf(BadLabel, "label %s: %s found %s, expected a text or a number", l.name, l.query, gojq.Preview(v))
	}
	if limit := e.in.Limits.LabelValue; len(text) > limit {
		return "", problemf(OverLimit, "label %s: %s found a text of %d bytes, the limit is %d", l.name, l.query, len(text), limit)
	}
	return text, nil
}

// evaluationProblem tells what is not there from what is wrong: jq cannot
// iterate over null, or divide it, because it is absent.
func evaluationProblem(q *query.Query, err error) *problem {
	message := err.Error()
	if strings.HasSuffix(message, ": null") || strings.HasSuffix(message, " and null") || strings.Contains(message, ": null and ") {
		return &problem{reason: Missing, query: q, err: err}
	}
	return &problem{reason: Evaluate, query: q, err: err}
}
