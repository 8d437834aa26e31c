package mapping

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
)

// keysOfMetrics are the keys of a rule that a group cannot have.
var keysOfMetrics = []string{
	"name", "help", "type", "duplicates", "value", "values", "map", "states", "label",
	"buckets", "cumulative", "quantiles", "sum", "count", "created",
}

// keysOfTypes are the keys that not every type has, and the types that have them.
var keysOfTypes = map[string][]Type{
	"value":      {Gauge, Counter, Untyped, StateSet},
	"values":     {Gauge, Counter, Untyped},
	"map":        {Gauge, Counter, Untyped},
	"states":     {StateSet},
	"label":      {StateSet},
	"buckets":    {Histogram},
	"cumulative": {Histogram},
	"quantiles":  {Summary},
	"sum":        {Histogram, Summary},
	"count":      {Histogram, Summary},
	"created":    {Counter, Histogram, Summary},
	"duplicates": {Gauge, Counter, Untyped, StateSet, Histogram, Summary},
}

// checkKeys checks that a rule has the keys that its type needs, and no others.
// What a rule needs is only told where nothing in it is misspelt.
func (c *compiler) checkKeys(r *rule, n *yaml.Node, sound bool) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		types, known := keysOfTypes[key.Value]
		switch {
		case !known || slices.Contains(types, r.kind):
		case r.kind == Info:
			c.d.Errorf(key, "metric %s has type info, whose value is always 1: it takes labels and no %s", r.name, key.Value)
		default:
			c.d.Errorf(key, "metric %s has type %s, which takes no %s; that is for %s", r.name, r.kind, key.Value, joinTypes(types))
		}
	}
	if _, node := options.Get(n, "duplicates"); r.duplicates != "" {
		c.checkPolicy(r, node)
	}
	if sound {
		c.checkNeeds(r, n)
	}
}

// checkPolicy checks that values of the rule's type can be treated so.
func (c *compiler) checkPolicy(r *rule, n *yaml.Node) {
	switch {
	case (r.kind == Histogram || r.kind == Summary) && r.duplicates != first && r.duplicates != last:
		c.d.Errorf(n, "metric %s has type %s, whose duplicates can be first or last, not %s", r.name, r.kind, r.duplicates)
	case r.kind == StateSet && r.duplicates == sum:
		c.d.Errorf(n, "metric %s has type stateset, whose values are 0 and 1: duplicates can be first, last, min or max, not sum", r.name)
	}
}

func (c *compiler) checkNeeds(r *rule, n *yaml.Node) {
	has := func(key string) bool { found, _ := options.Get(n, key); return found != nil }
	needs := func(key, expected string) {
		if !has(key) {
			c.d.Errorf(n, "metric %s has type %s and needs %s", r.name, r.kind, expected)
		}
	}
	switch r.kind {
	case Gauge, Counter, Untyped:
		if has("value") && has("values") {
			c.d.Errorf(n, "metric %s has both value and values, expected one of them", r.name)
		} else if !has("values") {
			needs("value", "value, or values")
		}
	case StateSet:
		needs("value", "value")
		needs("states", "states, a list of all states there are")
		if has("states") && len(r.states) == 0 {
			c.d.Errorf(n, "metric %s has no states, expected a list of all states there are", r.name)
		}
	case Histogram:
		needs("buckets", "buckets")
	case Summary:
		if !has("quantiles") {
			needs("count", "quantiles, or count and sum")
		}
	}
}

func joinTypes(list []Type) string {
	texts := make([]string, len(list))
	for i, t := range list {
		texts[i] = string(t)
	}
	if len(texts) == 1 {
		return texts[0]
	}
	return fmt.Sprintf("%s and %s", strings.Join(texts[:len(texts)-1], ", "), texts[len(texts)-1])
}
