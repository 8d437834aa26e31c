package mapping

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"status_exporter/collector/query"
	"status_exporter/collector/tree"
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
	out.Buckets = make([]Bucket, 0, len(pairs))
	total := 0.0
	for _, pair := range pairs {
		if e.stopped() {
			return e.cut(s.buckets)
		}
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
			if n := len(out.Buckets); n > 0 && out.Buckets[n-1].UpperBound == le { // the same, spelled otherwise
				out.Buckets = out.Buckets[:n-1]
			}
			out.Buckets = append(out.Buckets, Bucket{le, uint64(count)})
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
	out.Quantiles = make([]Quantile, 0, len(pairs))
	for _, pair := range pairs {
		if e.stopped() {
			return e.cut(s.quantiles)
		}
		if pair[0] < 0 || pair[0] > 1 {
			return wrong(s.quantiles, pair[0], "expected quantiles from 0 to 1")
		}
		if n := len(out.Quantiles); n > 0 && out.Quantiles[n-1].Quantile == pair[0] {
			out.Quantiles = out.Quantiles[:n-1]
		}
		out.Quantiles = append(out.Quantiles, Quantile{pair[0], pair[1]})
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
// without a value is left out. There may be a million of them.
func (e *evaluation) pairs(q *query.Query, item any) ([][2]float64, *problem) {
	const expected = "expected an object with a number under each number, or an array of pairs of numbers"
	found, p := e.one(q, item)
	if p != nil {
		return nil, p
	}
	n, all := pairsOf(found)
	if n < 0 {
		return nil, wrong(q, found, expected)
	}
	if !e.room(1 + n) {
		return nil, e.tooMany()
	}
	out := make([][2]float64, 0, n)
	for left, right := range all {
		if e.stopped() {
			return nil, e.cut(q)
		}
		if right == nil {
			continue
		}
		l, ok := number(left)
		r, also := number(right)
		if !ok || !also || math.IsNaN(l) {
			return nil, wrong(q, found, expected)
		}
		out = append(out, [2]float64{l, r})
	}
	slices.SortFunc(out, func(a, b [2]float64) int {
		if e.stopped() { // all are the same then, which is sorted soon
			return 0
		}
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	})
	if e.stopped() {
		return nil, e.cut(q)
	}
	return out, nil
}

// pairsOf returns how many members or items an object or an array has, and their pairs;
// less than 0 where v is neither. An item that is no pair has no left side.
func pairsOf(v any) (int, iter.Seq2[any, any]) {
	switch v := v.(type) {
	case *tree.Node:
		switch v.Kind() {
		case tree.Object:
			return v.Len(), func(yield func(any, any) bool) {
				for key, value := range v.Members() {
					if !yield(key, value) {
						return
					}
				}
			}
		case tree.Array:
			return v.Len(), pairsIn(v.Values())
		}
	case map[string]any:
		return len(v), func(yield func(any, any) bool) {
			for key, value := range v {
				if !yield(key, value) {
					return
				}
			}
		}
	case []any:
		return len(v), pairsIn(slices.Values(v))
	}
	return -1, nil
}

func pairsIn(items iter.Seq[any]) iter.Seq2[any, any] {
	return func(yield func(any, any) bool) {
		for item := range items {
			left, right := any(nil), any(false)
			switch v := item.(type) {
			case *tree.Node:
				if v.Kind() == tree.Array && v.Len() == 2 {
					left, right = v.Item(0), v.Item(1)
				}
			case []any:
				if len(v) == 2 {
					left, right = v[0], v[1]
				}
			}
			if !yield(left, right) {
				return
			}
		}
	}
}
