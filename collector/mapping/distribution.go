package mapping

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"status_exporter/collector/query"
)

// A distribution says how a histogram or a summary is found. What is not given is nil.
type distribution struct {
	buckets    *query.Query // object le → count, or pairs [le, count]
	quantiles  *query.Query // object quantile → value, or pairs
	cumulative bool         // each bucket counts those below it as well
	sum, count *query.Query
}

// String returns the expressions that are given.
func (s *distribution) String() string {
	var texts []string
	for _, q := range []*query.Query{s.buckets, s.quantiles, s.sum, s.count} {
		if q != nil {
			texts = append(texts, q.String())
		}
	}
	return strings.Join(texts, ", ")
}

// find makes the value of a histogram or a summary from one item. Without an
// expression for it, the sum is NaN, and the count that of the highest bucket.
func (s *distribution) find(e *evaluation, item any) (*Distribution, *problem) {
	out := &Distribution{Sum: math.NaN()}
	if s.sum != nil {
		f, p := e.number(s.sum, item)
		if p != nil {
			return nil, p
		}
		out.Sum = f
	}
	if s.count != nil {
		f, p := e.number(s.count, item)
		if p != nil {
			return nil, p
		}
		if !isCount(f) {
			return nil, wrong(s.count, f, "expected a whole number of at least 0")
		}
		out.Count = uint64(f)
	}
	if p := s.findBuckets(e, item, out); p != nil {
		return nil, p
	}
	return out, s.findQuantiles(e, item, out)
}

// findBuckets fills the buckets, and the count where no expression has.
func (s *distribution) findBuckets(e *evaluation, item any, out *Distribution) *problem {
	if s.buckets == nil {
		return nil
	}
	pairs, p := e.pairs(s.buckets, item)
	if p != nil {
		return p
	}
	out.Buckets = make(map[float64]uint64, len(pairs))
	total := 0.0
	for _, pair := range pairs {
		le, count := pair[0], pair[1]
		if !s.cumulative {
			count += total
		}
		switch {
		case !isCount(count):
			return wrong(s.buckets, pair[1], fmt.Sprintf("expected a whole number of at least 0 for le=%v", le))
		case count < total:
			return wrong(s.buckets, pair[1], fmt.Sprintf("expected at least %v for le=%v: each bucket counts those below it as well, unless cumulative is false", total, le))
		}
		total = count
		if !math.IsInf(le, 1) { // the bucket +Inf is the count
			out.Buckets[le] = uint64(count)
		}
	}
	switch {
	case s.count == nil:
		out.Count = uint64(total)
	case uint64(total) > out.Count:
		return wrong(s.count, float64(out.Count), fmt.Sprintf("expected at least %v as the buckets have", total))
	}
	return nil
}

// findQuantiles fills the quantiles.
func (s *distribution) findQuantiles(e *evaluation, item any, out *Distribution) *problem {
	if s.quantiles == nil {
		return nil
	}
	pairs, p := e.pairs(s.quantiles, item)
	if p != nil {
		return p
	}
	out.Quantiles = make(map[float64]float64, len(pairs))
	for _, pair := range pairs {
		if pair[0] < 0 || pair[0] > 1 {
			return wrong(s.quantiles, pair[0], "expected quantiles from 0 to 1")
		}
		out.Quantiles[pair[0]] = pair[1]
	}
	return nil
}

// isCount tells whether f can be a count of observations.
func isCount(f float64) bool { return f >= 0 && f == math.Trunc(f) && f < 1<<64 }

// number evaluates an expression that must give a number.
func (e *evaluation) number(q *query.Query, item any) (float64, *problem) {
	v, p := e.one(q, item)
	if p != nil {
		return 0, p
	}
	f, ok := number(v)
	if !ok {
		return 0, notANumber(q, v)
	}
	return f, nil
}

// pairs evaluates an expression that must give an object text → number or an
// array of pairs of numbers, and returns the pairs in ascending order. A pair
// without a value is left out.
func (e *evaluation) pairs(q *query.Query, item any) ([][2]float64, *problem) {
	const expected = "expected an object with a number under each number, or an array of pairs of numbers"
	found, p := e.one(q, item)
	if p != nil {
		return nil, p
	}
	var out [][2]float64
	add := func(left, right any) bool {
		l, ok := number(left)
		r, also := number(right)
		out = append(out, [2]float64{l, r})
		return ok && also && !math.IsNaN(l)
	}
	switch v := found.(type) {
	case map[string]any:
		for key, value := range v {
			if value != nil && !add(key, value) {
				return nil, wrong(q, found, expected)
			}
		}
	case []any:
		for _, item := range v {
			pair, ok := item.([]any)
			if !ok || len(pair) != 2 || pair[1] != nil && !add(pair[0], pair[1]) {
				return nil, wrong(q, found, expected)
			}
		}
	default:
		return nil, wrong(q, found, expected)
	}
	slices.SortFunc(out, func(a, b [2]float64) int { return cmp.Compare(a[0], b[0]) })
	return out, nil
}
