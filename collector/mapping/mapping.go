// Package mapping turns documents into samples by the rules of a module.
//
// In come decoded documents (package document), out come samples with sorted
// labels, and a report of what each rule found and what was left out, and why.
// A sample that cannot be made costs only itself. The rules are read and
// compiled once, when the configuration is loaded; they are immutable and safe
// for concurrent use.
package mapping

import (
	"context"
	"time"

	"status_exporter/collector/document"
)

// Input is what one probe gives to the rules.
type Input struct {
	Documents []*document.Document
	Target    string         // $target
	Vars      map[string]any // $vars
	Labels    []Label        // of the named target, added where a sample does not have them
	Limits    Limits
	Explain   bool // also find out why a rule found nothing, which costs time
}

// Limits bound what a document may become.
type Limits struct {
	Samples    int // in one probe, each bucket and quantile counted as one more; those beyond are dropped
	LabelValue int // bytes; a sample with a longer one is dropped
}

// DefaultLimits are the limits where none are set.
var DefaultLimits = Limits{Samples: 1_000_000, LabelValue: 4096}

// Result is what the rules made of the documents.
type Result struct {
	Families []FamilySamples // those that have samples, in the order of the rules
	Dropped  []Dropped       // what was left out, in the order of the rules
	Findings []Finding       // one for every rule, in the order of the rules

	// Satisfied tells whether a rule that is not optional gave a sample or
	// iterated an empty collection, or whether there is no such rule.
	Satisfied bool
	// Err is the context's error where mapping was cut short. There are no
	// families then.
	Err error

	evaluation *evaluation // whose memory it uses
}

// Release lets the next Map of the same rules use the memory of this result,
// which must not be read any more. It need not be called.
func (r *Result) Release() {
	if e := r.evaluation; e != nil {
		*r = Result{}
		e.release()
	}
}

// SampleCount returns the number of samples in all families.
func (r *Result) SampleCount() int {
	n := 0
	for _, f := range r.Families {
		n += len(f.Samples)
	}
	return n
}

// FamilySamples are the samples of one family, sorted by their labels, each
// label set once. Samples may share their labels: they are only read.
type FamilySamples struct {
	Family  *Family
	Samples []Sample
}

// A Sample becomes one const metric.
type Sample struct {
	Labels []Label // sorted by name; none is empty
	Value  float64 // of a gauge, counter, untyped, info or stateset
	rare   *rare   // nil for most
}

// rare is what few samples have. There may be a million samples at once.
type rare struct {
	created      time.Time
	distribution *Distribution
}

// Created returns when counting began; zero where that is not known.
func (s *Sample) Created() time.Time {
	if s.rare == nil {
		return time.Time{}
	}
	return s.rare.created
}

// Distribution returns what stands for Value in histograms and summaries; nil for others.
func (s *Sample) Distribution() *Distribution {
	if s.rare == nil {
		return nil
	}
	return s.rare.distribution
}

// SharesLabels tells whether the labels are the very ones that sample i of others
// has, which those made of the same items mostly have.
func (s *Sample) SharesLabels(others []Sample, i int) bool {
	return i < len(others) && sameSlice(s.Labels, others[i].Labels)
}

func (s *Sample) setCreated(t time.Time) {
	if s.rare == nil {
		s.rare = &rare{}
	}
	s.rare.created = t
}

// A Label is one label of a sample.
type Label struct{ Name, Value string }

// A Distribution is the value of a histogram or a summary.
type Distribution struct {
	Count     uint64
	Sum       float64
	Buckets   []Bucket   // in the order of their bounds, each of which is there once; without +Inf
	Quantiles []Quantile // in their order, each once
}

// A Bucket counts the observations up to a bound.
type Bucket struct {
	UpperBound float64 // le
	Count      uint64  // cumulative
}

// A Quantile is the value that a share of the observations does not pass.
type Quantile struct{ Quantile, Value float64 }

// Map applies the rules. When ctx ends it stops at once: there are no samples
// then, rather than a part of them that would pass for all, and Err says why.
func (r *Rules) Map(ctx context.Context, in Input) *Result {
	e := newEvaluation(ctx, r, in)
	if e.err = ctx.Err(); e.err == nil {
		e.applyAll(r.rules, nil, "")
	}
	return e.result()
}
