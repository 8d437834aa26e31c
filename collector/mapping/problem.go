package mapping

import (
	"fmt"
	"strings"

	"github.com/itchyny/gojq"

	"status_exporter/collector/query"
	"status_exporter/collector/tree"
)

// A problem is why one sample could not be made. Its text is only made for the
// first of its kind: thousands of items may lack the same field.
type problem struct {
	reason DropReason
	label  string       // whose expression it is; "" for that of the value
	query  *query.Query // that did not find what it must
	found  any          // by query
	err    error        // of query
	detail string       // what else there is to say
}

// wrong is the problem of something that cannot be a value, or part of it.
func wrong(q *query.Query, found any, expected string) *problem {
	return &problem{reason: NotANumber, query: q, found: found, detail: expected}
}

func notANumber(q *query.Query, v any) *problem {
	return wrong(q, v, "expected a number")
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

// String returns a sentence without a full stop.
func (p *problem) String() string {
	text := p.sentence()
	if p.label != "" {
		text = "label " + p.label + ": " + text
	}
	return text
}

func (p *problem) sentence() string {
	switch {
	case p.query == nil:
		return p.detail
	case p.err != nil && p.reason == Missing:
		return fmt.Sprintf("`%s` found nothing (%v)", p.query, p.err)
	case p.err != nil:
		return fmt.Sprintf("`%s` failed: %v", p.query, p.err)
	}
	switch p.reason {
	case Missing:
		return fmt.Sprintf("`%s` found nothing", p.query)
	case Several:
		return fmt.Sprintf("`%s` found several results, expected one", p.query)
	case Unmapped:
		return fmt.Sprintf("`%s` found %s, which map does not name", p.query, preview(p.found))
	default:
		return fmt.Sprintf("`%s` found %s, %s", p.query, preview(p.found), p.detail)
	}
}

// preview returns the beginning of what an expression found, as JSON where it can.
func preview(v any) string {
	if f, ok := v.(float64); ok {
		return floatText(f)
	}
	return gojq.Preview(tree.Go(v))
}
