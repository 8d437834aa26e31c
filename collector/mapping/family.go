package mapping

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// A Type is the type of a metric family, as the key `type:` names it.
type Type string

// The metric types. Info and StateSet are gauges in every exposition format.
const (
	Gauge     Type = "gauge"
	Counter   Type = "counter"
	Untyped   Type = "untyped"
	Info      Type = "info"
	StateSet  Type = "stateset"
	Histogram Type = "histogram"
	Summary   Type = "summary"
)

var types = []string{
	string(Gauge), string(Counter), string(Untyped), string(Info), string(StateSet), string(Histogram), string(Summary),
}

// defaultType follows the naming rules: a counter ends in _total, an info
// metric in _info.
func defaultType(name string) Type {
	switch {
	case strings.HasSuffix(name, "_total"):
		return Counter
	case strings.HasSuffix(name, "_info"):
		return Info
	default:
		return Gauge
	}
}

// A Family is what all samples of one metric name have in common.
type Family struct {
	Name  string
	Help  string
	Type  Type
	Index int // in Rules.Families

	duplicates policy
}

// A declaration is a family while rules are compiled, and where it was first named.
type declaration struct {
	*Family
	node  *yaml.Node
	helps bool // a rule gives the help text
}

// family returns the family of a rule: the one that another rule of the same
// name has already made, if their type, help and duplicates agree. n is where
// the rule names it.
func (c *compiler) family(n *yaml.Node, r *rule) *Family {
	f := c.families[r.name]
	if f == nil {
		f = &declaration{Family: &Family{
			Name: r.name, Type: r.kind, Index: len(c.rules.families), duplicates: r.duplicates,
			Help: "From " + r.describe() + " of module " + c.module + ".",
		}, node: n}
		c.families[r.name] = f
		c.rules.families = append(c.rules.families, f.Family)
	}
	at := c.d.Position(f.node)
	if f.Type != r.kind {
		c.d.Errorf(n, "metric %s has type %s here and type %s at %s, expected the same", r.name, r.kind, f.Type, at)
	}
	if f.duplicates != r.duplicates {
		c.d.Errorf(n, "metric %s treats duplicates otherwise than at %s, expected the same", r.name, at)
	}
	switch {
	case r.help == "" || r.help == f.Help:
	case f.helps:
		c.d.Errorf(n, "metric %s has another help than at %s, expected the same text or none", r.name, at)
	default:
		f.Help, f.helps = r.help, true
	}
	return f.Family
}

// suffixes are the names of the series that a histogram or summary exposes.
var suffixes = map[Type][]string{
	Histogram: {"_bucket", "_sum", "_count"},
	Summary:   {"_sum", "_count"},
}

// checkFamilies finds clashes between families, and what OpenMetrics would not
// understand.
func (c *compiler) checkFamilies() {
	for _, f := range c.rules.families {
		node := c.families[f.Name].node
		for _, suffix := range suffixes[f.Type] {
			if other := c.families[f.Name+suffix]; other != nil {
				c.d.Errorf(other.node, "metric %s clashes with the %s %s at %s, which exposes a series of that name",
					other.Name, f.Type, f.Name, c.d.Position(node))
			}
		}
		if f.Type != Counter {
			continue
		}
		base, total := strings.CutSuffix(f.Name, "_total")
		if !total {
			c.d.Warnf(node, "counter %s does not end in _total: OpenMetrics exposes it as unknown", f.Name)
		} else if other := c.families[base]; other != nil {
			c.d.Warnf(other.node, "metric %s and counter %s are one family to OpenMetrics, which scrapers may refuse", base, f.Name)
		}
	}
}
