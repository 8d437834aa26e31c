package mapping

import (
	"math"
	"slices"
	"strings"

	"status_exporter/collector/query"
)

// A distribution says how a histogram or a summary is found.
type distribution struct {
	buckets    *query.Query // object le → count, or pairs [le, count]
	quantiles  *query.Query // object quantile → value, or pairs
	cumulative bool         // each bucket counts those below it as well
	sum, count *query.Query

	parts expressions // those that were given, for reports
}

type expressions []*query.Query

func (e expressions) String() string {
	texts := make([]string, len(e))
	for i, q := range e {
		texts[i] = q.String()
	}
	return strings.Join(texts, ", ")
}

// link notes which expressions were given.
func (s *distribution) link() {
	for _, q := range []*query.Query{s.buckets, s.quantiles, s.sum, s.count} {
		if q != nil {
			s.parts = append(s.parts, q)
		}
	}
}

// find makes the value of a histogram or a summary from one item.
func (s *distribution) find(e *evaluation, item any) (*Distribution, *problem) {
	out := &Distribution{Sum: math.NaN()}
	var count float64
	counted := false
	for _, part := range []struct {
		q    *query.Query
		into *float64
	}{{s.sum, &out.Sum}, {s.count, &count}} {
		if part.q == nil {
			continue
		}
		v, p := e.one(part.q, item)
		if p != nil {
			return nil, p
		}
		f, ok := number(v)
		if !ok {
			return nil, notANumber(part.q, v)
		}
		*part.into = f
		counted = counted || part.q == s.count
	}
	if s.quantiles != nil {
		pairs, p := s.pairs(e, s.quantiles, item)
		if p != nil {
			return nil, p
		}
		out.Quantiles = make(map[float64]float64, len(pairs))
		for _, pair := range pairs {
			if pair[0] < 0 || pair[0] > 1 {
				return nil, problemf(NotANumber, "%s found the quantile %v, expected 0 to 1", s.quantiles, pair[0])
			}
			out.Quantiles[pair[0]] = pair[1]
		}
	}
	if s.buckets != nil {
		pairs, p := s.pairs(e, s.buckets, item)
		if p != nil {
			return nil, p
		}
		total, p := s.fill(out, pairs)
		if p != nil {
			return nil, p
		}
		if !counted {
			count = total
		} else if total > count {
			return nil, problemf(NotANumber, "%s found %v in the buckets and %s a count of %v, expected at least as many", s.buckets, total, s.count, count)
		}
	}
	if count < 0 || count != math.Trunc(count) || count >= 1<<64 {
		return nil, problemf(NotANumber, "the count is %v, expected a whole number of at least 0", count)
	}
	out.Count = uint64(count)
	return out, nil
}

// fill makes cumulative buckets of pairs (le, count) and returns the highest count.
func (s *distribution) fill(out *Distribution, pairs [][2]float64) (float64, *problem) {
	slices.SortFunc(pairs, func(a, b [2]float64) int {
		if a[0] < b[0] {
			return -1
		}
		return 1
	})
	out.Buckets = make(map[float64]uint64, len(pairs))
	total := 0.0
	for _, pair := range pairs {
		le, count := pair[0], pair[1]
		if !s.cumulative {
			count += total
		}
		if math.IsNaN(le) || !(count >= total) || count != math.Trunc(count) || count >= 1<<64 {
			return 0, problemf(NotANumber, "%s found the count %v for le=%v after %v, expected whole numbers that do not fall", s.buckets, pair[1], le, total)
		}
		total = count
		if !math.IsInf(le, 1) { // the bucket +Inf is the count
			out.Buckets[le] = uint64(count)
		}
	}
	return total, nil
}

// pairs reads an object text → number, or an array of pairs of numbers.
func (s *distribution) pairs(e *evaluation, q *query.Query, item any) ([][2]float64, *problem) {
	v, p := e.one(q, item)
	if p != nil {
		return nil, p
	}
	var out [][2]float64
	add := func(left, right any) *problem {
		l, ok := number(left)
		if !ok {
			return notANumber(q, left)
		}
		r, ok := number(right)
		if !ok {
			return notANumber(q, right)
		}
		out = append(out, [2]float64{l, r})
		return nil
	}
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if p := add(key, value); p != nil {
				return nil, p
			}
		}
	case []any:
		for _, item := range v {
			pair, ok := item.([]any)
			if !ok || len(pair) != 2 {
				return nil, notANumber(q, item)
			}
			if p := add(pair[0], pair[1]); p != nil {
				return nil, p
			}
		}
	default:
		return nil, notANumber(q, v)
	}
	return out, nil
}
