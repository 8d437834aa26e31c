package mapping

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
)

// A policy says what becomes of samples with the same labels and different
// values. Without one, none of them is exposed: which of them is right cannot
// be known.
type policy string

const (
	first policy = "first"
	last  policy = "last"
	sum   policy = "sum"
	least policy = "min"
	most  policy = "max"
)

func (p *policy) decode(d *options.Decoder) func(*yaml.Node) {
	return func(n *yaml.Node) {
		var word string
		d.Enum(&word, string(first), string(last), string(sum), string(least), string(most))(n)
		*p = policy(word)
	}
}

// A candidate is a sample before duplicates were looked for, and the item and
// rule that it comes from.
type candidate struct {
	Sample
	item any
	rule *rule
}

// merge returns the samples of one family, sorted by their labels and one for
// each label set. conflict is called with the candidates, in the order of the
// document, of a label set of which none is left.
func (p policy) merge(found []candidate, conflict func([]*candidate)) []Sample {
	order := make([]int, len(found))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if c := compareLabels(found[a].Labels, found[b].Labels); c != 0 {
			return c
		}
		return a - b
	})
	samples := make([]Sample, 0, len(found))
	var same []*candidate
	for len(order) > 0 {
		one := &found[order[0]]
		same = append(same[:0], one)
		for _, i := range order[1:] {
			if compareLabels(one.Labels, found[i].Labels) != 0 {
				break
			}
			same = append(same, &found[i])
		}
		if s, ok := p.one(same); ok {
			samples = append(samples, s)
		} else {
			conflict(same)
		}
		order = order[len(same):]
	}
	return samples
}

// one returns the sample that stands for samples with the same labels.
func (p policy) one(same []*candidate) (Sample, bool) {
	one := same[0].Sample
	for _, other := range same[1:] {
		switch p {
		case first:
		case last:
			one = other.Sample
		case sum:
			one.Value += other.Value
		case least:
			one.Value = min(one.Value, other.Value)
		case most:
			one.Value = max(one.Value, other.Value)
		default:
			if !equal(one, other.Sample) {
				return one, false
			}
		}
	}
	return one, true
}

// equal tells whether two samples have the same value.
func equal(a, b Sample) bool {
	if a.Distribution == nil || b.Distribution == nil {
		return a.Distribution == b.Distribution && sameNumber(a.Value, b.Value)
	}
	return a.Distribution.Count == b.Distribution.Count &&
		sameNumber(a.Distribution.Sum, b.Distribution.Sum) &&
		maps.Equal(a.Distribution.Buckets, b.Distribution.Buckets) &&
		maps.EqualFunc(a.Distribution.Quantiles, b.Distribution.Quantiles, sameNumber)
}

func sameNumber(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// compareLabels orders label sets as a Prometheus registry does: by their number,
// then by their values; by their names where all of that is equal.
func compareLabels(a, b []Label) int {
	if len(a) != len(b) {
		return cmp.Compare(len(a), len(b))
	}
	for i := range a {
		if a[i].Value != b[i].Value {
			return strings.Compare(a[i].Value, b[i].Value)
		}
	}
	for i := range a {
		if a[i].Name != b[i].Name {
			return strings.Compare(a[i].Name, b[i].Name)
		}
	}
	return 0
}
