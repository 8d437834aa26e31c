package mapping

import (
	"cmp"
	"fmt"
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

// merge sorts the samples of one family by their labels, in the order of the
// document where these are equal, and leaves one of each label set. conflict is
// called with the samples of a label set of which none is left.
func (p policy) merge(found []candidate, conflict func([]candidate)) []candidate {
	slices.SortStableFunc(found, func(a, b candidate) int { return compareLabels(a.Labels, b.Labels) })
	kept := found[:0]
	for i := 0; i < len(found); {
		j := i + 1
		for j < len(found) && compareLabels(found[i].Labels, found[j].Labels) == 0 {
			j++
		}
		if one, ok := p.one(found[i:j]); ok {
			kept = append(kept, one)
		} else {
			conflict(found[i:j])
		}
		i = j
	}
	return kept
}

// one returns the sample that stands for samples with the same labels.
func (p policy) one(same []candidate) (candidate, bool) {
	one := same[0]
	switch p {
	case first:
	case last:
		one = same[len(same)-1]
	case sum:
		for _, other := range same[1:] {
			one.Value += other.Value
		}
	case least:
		for _, other := range same[1:] {
			one.Value = min(one.Value, other.Value)
		}
	case most:
		for _, other := range same[1:] {
			one.Value = max(one.Value, other.Value)
		}
	default:
		for _, other := range same[1:] {
			if !equal(one.Sample, other.Sample) {
				return one, false
			}
		}
	}
	return one, true
}

func equal(a, b Sample) bool {
	if a.Distribution == nil || b.Distribution == nil {
		return a.Distribution == b.Distribution && (a.Value == b.Value || math.IsNaN(a.Value) && math.IsNaN(b.Value))
	}
	return a.Distribution.Count == b.Distribution.Count &&
		a.Distribution.Sum == b.Distribution.Sum &&
		maps.Equal(a.Distribution.Buckets, b.Distribution.Buckets) &&
		maps.Equal(a.Distribution.Quantiles, b.Distribution.Quantiles)
}

// compareLabels orders label sets as a Prometheus registry does: by their number,
// then by their values.
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

// describeConflict says which samples were lost to each other, and which field
// of the items that they come from would make a label that tells them apart.
func describeConflict(same []candidate) string {
	var labels strings.Builder
	for i, l := range same[0].Labels {
		if i > 0 {
			labels.WriteString(", ")
		}
		fmt.Fprintf(&labels, "%s=%q", l.Name, l.Value)
	}
	text := fmt.Sprintf("%d samples have the labels {%s} and different values", len(same), labels.String())
	if field := distinguishingField(same); field != "" {
		text += "; a label made from " + field + " would tell them apart"
	}
	return text
}

// distinguishingField returns the path of a field whose scalar value differs
// between all items, preferring texts, and of those what names things usually.
func distinguishingField(same []candidate) string {
	one, ok := same[0].item.(map[string]any)
	if !ok {
		return ""
	}
	best, bestRank := "", 3
	for _, key := range slices.Sorted(maps.Keys(one)) {
		rank := 2
		if _, text := one[key].(string); text {
			rank = 1
		}
		switch strings.ToLower(key) {
		case "id", "name", "key", "uuid":
			rank--
		}
		if rank < bestRank && differs(same, key) {
			best, bestRank = key, rank
		}
	}
	if best == "" {
		return ""
	}
	return fieldPath(best)
}

func differs(same []candidate, key string) bool {
	seen := make(map[string]bool, len(same))
	for _, c := range same {
		object, ok := c.item.(map[string]any)
		if !ok {
			return false
		}
		text, scalar := scalarText(object[key])
		if !scalar || text == "" || seen[text] {
			return false
		}
		seen[text] = true
	}
	return true
}

// fieldPath writes a key as jq does.
func fieldPath(key string) string {
	for i := range len(key) {
		c := key[i]
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return fmt.Sprintf(".[%q]", key)
		}
	}
	return "." + key
}
