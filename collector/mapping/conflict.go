package mapping

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"status_exporter/collector/query"
	"status_exporter/collector/tree"
)

// A conflict is what several samples of different values with the same labels
// were made of.
type conflict struct {
	labels []Label
	items  []any
	rules  []*rule // by which each was made
}

func (e *evaluation) conflict(found *candidates, places []int32) *conflict {
	c := &conflict{labels: found.samples[places[0]].Labels}
	for _, place := range places {
		from := found.origins[place]
		c.items = append(c.items, tree.Go(e.items[from.item]))
		c.rules = append(c.rules, e.rules.all[from.rule])
	}
	return c
}

// describe says which samples were lost to each other, and which field of the
// items that they come from would make a label that tells them apart, unless it has
// ended before that was found.
func (c *conflict) describe(ended func() bool) string {
	labels := make([]string, len(c.labels))
	for i, l := range c.labels {
		labels[i] = fmt.Sprintf("%s=%q", l.Name, l.Value)
	}
	text := fmt.Sprintf("%d samples have the labels {%s} and different values", len(c.items), strings.Join(labels, ", "))
	if field := c.distinguishingField(ended); field != "" {
		text += "; a label made from " + field + " would tell them apart"
	}
	return text
}

// naming matches the keys under which items usually have what they are told
// apart by. Other fields count only as texts: a number is likelier a measurement.
var naming = regexp.MustCompile(`(?i)(address|host|id|index|key|name|node|number|port)$`)

// distinguishingField returns, as a jq path, the field whose value differs
// between all items, or "". It prefers what names things, then texts at the top.
func (c *conflict) distinguishingField(ended func() bool) string {
	best, bestRank := "", 8
	consider := func(depth int, path ...string) {
		if ended() {
			return
		}
		rank := depth
		if !naming.MatchString(path[depth]) {
			rank += 4
		}
		if isNumber(field(c.items[0], path)) {
			rank += 2
		}
		text := fieldPath(path)
		if rank < min(bestRank, 6) && !c.rules[0].measures(text) && differs(c.items, path) {
			best, bestRank = text, rank
		}
	}
	item, _ := c.items[0].(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(item)) {
		consider(0, key)
		inner, _ := item[key].(map[string]any)
		for _, within := range slices.Sorted(maps.Keys(inner)) {
			consider(1, key, within)
		}
	}
	return best
}

// measures tells whether the rule makes its values of what stands at path.
func (r *rule) measures(path string) bool {
	reads := func(q *query.Query) bool { return q != nil && strings.HasPrefix(q.String(), path) }
	return reads(r.value) || slices.ContainsFunc(r.values, func(v stateQuery) bool { return reads(v.query) })
}

// differs tells whether every item has another scalar at path.
func differs(items []any, path []string) bool {
	seen := make(map[string]bool, len(items))
	for _, item := range items {
		text, scalar := scalarText(field(item, path))
		if !scalar || text == "" || seen[text] {
			return false
		}
		seen[text] = true
	}
	return true
}

// field returns what stands at path in an item, nil where nothing does.
func field(item any, path []string) any {
	for _, key := range path {
		object, _ := item.(map[string]any)
		item = object[key]
	}
	return item
}

func isNumber(v any) bool {
	_, ok := number(v)
	return ok
}

var word = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// fieldPath writes keys as jq does.
func fieldPath(keys []string) string {
	var path strings.Builder
	for i, key := range keys {
		switch {
		case word.MatchString(key):
			path.WriteString("." + key)
		case i == 0:
			fmt.Fprintf(&path, ".[%q]", key)
		default:
			fmt.Fprintf(&path, "[%q]", key)
		}
	}
	return path.String()
}
