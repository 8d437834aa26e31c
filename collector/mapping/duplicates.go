package mapping

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unsafe"

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

// Candidates are the samples of one family before duplicates were looked for.
type candidates struct {
	samples []Sample
	origins []origin // of each sample
	sorted  []Sample // room for the samples that are left, in order
}

// empty keeps the memory of the candidates and nothing else.
func (c *candidates) empty() {
	clear(c.samples)
	clear(c.sorted)
	c.samples, c.origins, c.sorted = c.samples[:0], c.origins[:0], c.sorted[:0]
}

// An origin is where a sample comes from: an item, by its place in
// evaluation.items, and a rule, by its index.
type origin struct{ item, rule int32 }

// An order is that of the samples of a family by their labels. Families that are
// made of the same items mostly have the same labels, even the same slices of
// them: then one order serves them all, which in a profile of 20,000 series was
// a third of the mapping.
type order struct {
	samples []Sample // as they were made
	places  []int32  // of them, sorted; nil where they were made in order, each once
	unique  bool
}

// of returns the order of samples, which is the last one where that serves. It is none
// where that has ended before.
func (o *order) of(samples []Sample, ended func() bool) *order {
	if o.serves(samples) {
		return o
	}
	o = &order{samples: samples, unique: true}
	ascending := true
	for i := 1; i < len(samples) && ascending; i++ {
		ascending = compareLabels(samples[i-1].Labels, samples[i].Labels) < 0
	}
	if ascending {
		return o
	}
	o.places = make([]int32, len(samples))
	for i := range o.places {
		o.places[i] = int32(i)
	}
	looks, over := 0, false
	slices.SortFunc(o.places, func(a, b int32) int {
		if looks++; looks%lookEvery == 0 {
			over = ended()
		}
		if over { // all are the same then, which is sorted soon
			return 0
		}
		if c := o.compare(a, b); c != 0 {
			return c
		}
		return int(a - b)
	})
	for i := 1; i < len(o.places) && o.unique; i++ {
		o.unique = o.compare(o.places[i-1], o.places[i]) != 0
	}
	return o
}

// apply puts samples that the order serves into it, in place: following the places from
// one to the next leads back to the first, and passes each of them once.
func (o *order) apply(samples []Sample) {
	for i := range o.places {
		if o.places[i] < 0 { // passed already
			continue
		}
		first, to := samples[i], int32(i)
		for {
			from := o.places[to]
			o.places[to] = ^from
			if from == int32(i) {
				break
			}
			samples[to] = samples[from]
			to = from
		}
		samples[to] = first
	}
	for i := range o.places {
		o.places[i] = ^o.places[i]
	}
}

func (o *order) compare(a, b int32) int {
	return compareLabels(o.samples[a].Labels, o.samples[b].Labels)
}

// serves tells whether samples have the very labels that were put in order.
func (o *order) serves(samples []Sample) bool {
	if o == nil || len(samples) != len(o.samples) {
		return false
	}
	for i := range samples {
		if !samples[i].SharesLabels(o.samples, i) {
			return false
		}
	}
	return true
}

func sameSlice(a, b []Label) bool {
	return len(a) == len(b) && unsafe.SliceData(a) == unsafe.SliceData(b)
}

// merge returns the samples of one family, one for each label set, and sorted by
// their labels where the order is not unique; where it is, apply sorts them. conflict
// is called with the places of the candidates, in the order of the document, of a
// label set of which none is left.
func (p policy) merge(found *candidates, o *order, conflict func([]int32)) []Sample {
	if o.places == nil || o.unique {
		return found.samples
	}
	samples := slices.Grow(found.sorted, len(found.samples))
	defer func() { found.sorted = samples }()
	for from := 0; from < len(o.places); {
		to := from + 1
		for to < len(o.places) && o.compare(o.places[from], o.places[to]) == 0 {
			to++
		}
		same := o.places[from:to]
		if s, ok := p.one(found.samples, same); ok {
			samples = append(samples, s)
		} else {
			conflict(same)
		}
		from = to
	}
	return samples
}

// one returns the sample that stands for those with the same labels.
func (p policy) one(found []Sample, same []int32) (Sample, bool) {
	one := found[same[0]]
	for _, place := range same[1:] {
		other := &found[place]
		switch p {
		case first:
		case last:
			one = *other
		case sum:
			one.Value += other.Value
		case least:
			one.Value = min(one.Value, other.Value)
		case most:
			one.Value = max(one.Value, other.Value)
		default:
			if !equal(&one, other) {
				return one, false
			}
		}
	}
	return one, true
}

// equal tells whether two samples have the same value.
func equal(a, b *Sample) bool {
	x, y := a.Distribution(), b.Distribution()
	if x == nil || y == nil {
		return x == y && sameNumber(a.Value, b.Value)
	}
	return x.Count == y.Count &&
		sameNumber(x.Sum, y.Sum) &&
		slices.Equal(x.Buckets, y.Buckets) &&
		slices.EqualFunc(x.Quantiles, y.Quantiles, func(a, b Quantile) bool {
			return a.Quantile == b.Quantile && sameNumber(a.Value, b.Value)
		})
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
