package mapping

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
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
	index int // in Rules.Families

	duplicates policy
	node       *yaml.Node // where it was first named
	helpGiven  bool
}

// reservedPrefixes are the names that belong to the exporter, the Go runtime
// and Prometheus itself: a rule that made them would break the whole scrape.
var reservedPrefixes = []string{"go_", "process_", "promhttp_", "scrape_", "probe_", "status_probe_", "status_exporter_"}

func checkMetricName(d *options.Decoder, n *yaml.Node, name string) {
	if !model.LegacyValidation.IsValidMetricName(name) {
		d.Errorf(n, "%q is not a metric name, expected letters, digits, _ and :, not beginning with a digit", name)
		return
	}
	if name == "up" {
		d.Errorf(n, "the metric name up is reserved: Prometheus makes it for every scrape")
	}
	for _, prefix := range reservedPrefixes {
		if strings.HasPrefix(name, prefix) {
			d.Errorf(n, "the metric name %s is reserved: names that begin with %s belong to the exporter or to Prometheus", name, prefix)
		}
	}
}

func checkLabelName(d *options.Decoder, n *yaml.Node, name string, t Type) {
	switch {
	case strings.HasPrefix(name, "__"):
		d.Errorf(n, "the label %s is reserved: labels that begin with __ belong to Prometheus", name)
	case !model.LegacyValidation.IsValidLabelName(name):
		d.Errorf(n, "%q is not a label name, expected letters, digits and _, not beginning with a digit", name)
	case t == Histogram && name == "le", t == Summary && name == "quantile":
		d.Errorf(n, "the label %s is reserved in a %s", name, t)
	}
}

// CheckLabelName notes an error where name cannot be a label.
func CheckLabelName(d *options.Decoder, n *yaml.Node, name string) { checkLabelName(d, n, name, "") }

// family returns the family of a rule: the one that another rule of the same
// name has already made, if their help, type and duplicates agree.
func (c *compiler) family(n *yaml.Node, r *rule) *Family {
	help := r.help
	if f := c.families[r.name]; f != nil {
		at := c.d.Position(f.node)
		if f.Type != r.kind {
			c.d.Errorf(n, "metric %s has type %s here and type %s at %s, expected the same", r.name, r.kind, f.Type, at)
		}
		if help != "" && f.helpGiven && f.Help != help {
			c.d.Errorf(n, "metric %s has another help than at %s, expected the same text or none", r.name, at)
		}
		if f.duplicates != r.duplicates {
			c.d.Errorf(n, "metric %s treats duplicates otherwise than at %s, expected the same", r.name, at)
		}
		if help != "" && !f.helpGiven {
			f.Help, f.helpGiven = help, true
		}
		return f
	}
	f := &Family{
		Name: r.name, Help: help, Type: r.kind,
		index: len(c.families), duplicates: r.duplicates, node: n, helpGiven: help != "",
	}
	if help == "" {
		f.Help = "From " + r.expression() + " of module " + c.module + "."
	}
	c.families[r.name] = f
	return f
}

// suffixes are the names of the series that a histogram or summary exposes.
var suffixes = map[Type][]string{
	Histogram: {"_bucket", "_sum", "_count"},
	Summary:   {"_sum", "_count"},
}

// checkFamilies finds clashes between families, and what OpenMetrics would not
// understand.
func (c *compiler) checkFamilies() {
	families := slices.SortedFunc(maps.Values(c.families), func(a, b *Family) int { return cmp.Compare(a.index, b.index) })
	for _, f := range families {
		for _, suffix := range suffixes[f.Type] {
			if other := c.families[f.Name+suffix]; other != nil {
				c.d.Errorf(other.node, "metric %s clashes with the %s %s at %s, which exposes a series of that name",
					other.Name, f.Type, f.Name, c.d.Position(f.node))
			}
		}
		if f.Type != Counter {
			continue
		}
		base, total := strings.CutSuffix(f.Name, "_total")
		if !total {
			c.d.Warnf(f.node, "counter %s does not end in _total: OpenMetrics exposes it as unknown", f.Name)
		} else if other := c.families[base]; other != nil {
			c.d.Warnf(other.node, "metric %s and counter %s are one family to OpenMetrics, which scrapers may refuse", base, f.Name)
		}
	}
	c.rules.families = families
}
