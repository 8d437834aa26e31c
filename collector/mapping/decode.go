package mapping

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"status_exporter/collector/query"
	"status_exporter/config/options"
)

// A compiler turns the nodes under `metrics:` into Rules.
type compiler struct {
	d         *options.Decoder
	module    string
	documents []string
	rules     *Rules
	families  map[string]*Family
}

// Decode reads and compiles the `metrics:` of a module. documents are the names
// of the module's documents, of which `from:` chooses.
func (r *Rules) Decode(d *options.Decoder, n *yaml.Node, module string, documents []string) {
	c := &compiler{d: d, module: module, documents: documents, rules: r, families: make(map[string]*Family)}
	from := ""
	if len(documents) == 1 {
		from = documents[0]
	}
	r.rules = c.list(n, scope{from: from})
	c.checkFamilies()
}

// A scope is what a rule inherits from the groups around it.
type scope struct {
	depth     int
	from      string
	optional  bool
	slots     []slot
	registers int
}

func (c *compiler) list(n *yaml.Node, s scope) []*rule {
	var rules []*rule
	c.d.Sequence(n, "metrics", func(item *yaml.Node) {
		rules = append(rules, c.rule(item, s))
	})
	return rules
}

func (c *compiler) rule(n *yaml.Node, s scope) *rule {
	r := &rule{node: n, index: len(c.rules.all), depth: s.depth, from: s.from, optional: s.optional}
	c.rules.all = append(c.rules.all, r)
	if key, value := options.Get(n, "name"); key != nil && value.Kind == yaml.ScalarNode {
		r.name = value.Value
		r.kind = defaultType(r.name)
	}

	what := "a group of rules"
	if r.name != "" {
		what = "metric " + r.name
	}
	var kind, statesLabel, valuesLabel string
	var labels, constLabels, children *yaml.Node
	shape := &distribution{cumulative: true}
	keep := func(into **yaml.Node) func(*yaml.Node) { return func(n *yaml.Node) { *into = n } }
	failed := c.d.Failed()
	c.d.Mapping(n, what, options.Fields{
		"name":         c.d.Text(&r.name),
		"help":         c.d.Text(&r.help),
		"type":         c.d.Enum(&kind, types...),
		"from":         c.document(&r.from),
		"optional":     c.d.Bool(&r.optional),
		"duplicates":   r.duplicates.decode(c.d),
		"each":         query.Option(c.d, &r.each),
		"labels":       keep(&labels),
		"const_labels": keep(&constLabels),
		"value":        query.Option(c.d, &r.value),
		"values":       c.values(r, &valuesLabel),
		"map":          r.texts.decode(c.d),
		"states":       c.d.Texts(&r.states),
		"label":        c.d.Text(&statesLabel),
		"buckets":      query.Option(c.d, &shape.buckets),
		"quantiles":    query.Option(c.d, &shape.quantiles),
		"cumulative":   c.d.Bool(&shape.cumulative),
		"sum":          query.Option(c.d, &shape.sum),
		"count":        query.Option(c.d, &shape.count),
		"created":      query.Option(c.d, &r.created),
		"metrics":      keep(&children),
	})
	if n.Kind != yaml.MappingNode {
		return r
	}
	sound := c.d.Failed() == failed // else what seems missing may just be misspelt
	if kind != "" {
		r.kind = Type(kind)
	}
	r.optional = r.optional || s.optional
	c.labels(r, &s, labels, constLabels)
	if children != nil {
		c.group(r, n, what)
		s.depth++
		s.from, s.optional = r.from, r.optional
		r.children = c.list(children, s)
		return r
	}
	if r.name == "" {
		if sound {
			c.d.Errorf(n, "a rule needs a name, or metrics to group")
		}
		return r
	}

	_, nameNode := options.Get(n, "name")
	checkMetricName(c.d, nameNode, r.name)
	if r.from == "" {
		c.d.Errorf(n, "metric %s does not say which document it is made from, expected from: with one of %s", r.name, strings.Join(c.documents, ", "))
	}
	c.keysOfType(r, n, sound)
	switch {
	case r.kind == StateSet:
		valuesLabel = cmp.Or(statesLabel, r.name)
	case r.kind == Histogram || r.kind == Summary:
		shape.link()
		r.shape = shape
	}
	if valuesLabel != "" {
		c.add(&s, n, r.kind, slot{name: valuesLabel, register: stateSlot})
	}
	r.slots = slices.SortedFunc(slices.Values(s.slots), func(a, b slot) int { return cmp.Compare(a.name, b.name) })
	r.family = c.family(nameNode, r)
	return r
}

// labels adds a rule's own labels to those it inherits.
func (c *compiler) labels(r *rule, s *scope, labels, constLabels *yaml.Node) {
	s.slots = slices.Clone(s.slots)
	if labels != nil {
		c.d.Entries(labels, "labels", func(key, value *yaml.Node) {
			l := labelQuery{name: key.Value, register: s.registers}
			query.Option(c.d, &l.query)(value)
			r.labels = append(r.labels, l)
			c.add(s, key, r.kind, slot{name: l.name, register: l.register})
			s.registers++
		})
	}
	if constLabels != nil {
		c.d.Entries(constLabels, "const_labels", func(key, value *yaml.Node) {
			var text string
			c.d.Text(&text)(value)
			c.add(s, key, r.kind, slot{name: key.Value, constant: text, register: constantSlot})
		})
	}
	c.rules.registers = max(c.rules.registers, s.registers)
}

func (c *compiler) add(s *scope, n *yaml.Node, t Type, added slot) {
	checkLabelName(c.d, n, added.name, t)
	if slices.ContainsFunc(s.slots, func(o slot) bool { return o.name == added.name }) {
		c.d.Errorf(n, "the label %s is set twice, here and in labels, const_labels, values or a group around it", added.name)
		return
	}
	s.slots = append(s.slots, added)
}

// document decodes `from:`.
func (c *compiler) document(into *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		c.d.Text(into)(n)
		if !slices.Contains(c.documents, *into) {
			c.d.Errorf(n, "there is no document %q, expected one of %s", *into, strings.Join(c.documents, ", "))
		}
	}
}

// values decodes `values:`, one label and an expression for each of its values.
func (c *compiler) values(r *rule, label *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		labels := 0
		c.d.Entries(n, "values", func(key, value *yaml.Node) {
			labels++
			*label = key.Value
			c.d.Entries(value, "the label "+key.Value+" of values", func(key, value *yaml.Node) {
				q := stateQuery{text: key.Value}
				query.Option(c.d, &q.query)(value)
				r.values = append(r.values, q)
			})
		})
		if n.Kind == yaml.MappingNode && labels != 1 {
			c.d.Errorf(n, "values has %d labels, expected one with an expression for each of its values", labels)
		}
	}
}

// decode decodes `map:`.
func (m *textMap) decode(d *options.Decoder) func(*yaml.Node) {
	return func(n *yaml.Node) {
		m.numbers = make(map[string]float64, len(n.Content)/2)
		d.Entries(n, "map", func(key, value *yaml.Node) {
			f, err := strconv.ParseFloat(strings.Replace(strings.ToLower(value.Value), ".inf", "inf", 1), 64)
			if strings.EqualFold(value.Value, ".nan") {
				f, err = math.NaN(), nil
			}
			if value.ShortTag() == "!!bool" {
				f, err = 0, nil
				if strings.EqualFold(value.Value, "true") {
					f = 1
				}
			}
			if value.Kind != yaml.ScalarNode || err != nil {
				d.Errorf(value, "found %s for %q in map, expected a number", options.Describe(value), key.Value)
				return
			}
			if key.Value == "*" {
				m.other = &f
				return
			}
			m.numbers[key.Value] = f
		})
	}
}

// group checks that a rule with `metrics:` has only what a group may have.
func (c *compiler) group(r *rule, n *yaml.Node, what string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch key := n.Content[i]; key.Value {
		case "metrics", "each", "labels", "const_labels", "from", "optional":
		default:
			if _, known := keysOf[key.Value]; known || key.Value == "name" || key.Value == "help" || key.Value == "type" {
				c.d.Errorf(key, "%s groups other rules (it has metrics) and cannot have %s as well", what, key.Value)
			}
		}
	}
	if r.from == "" && (r.each != nil || r.labels != nil) {
		c.d.Errorf(n, "%s does not say which document it looks at, expected from: with one of %s", what, strings.Join(c.documents, ", "))
	}
	r.name = ""
}

// keysOf says which types a key belongs to.
var keysOf = map[string][]Type{
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
	"duplicates": {Gauge, Counter, Untyped, Info, StateSet, Histogram, Summary},
}

// keysOfType checks that a rule has the keys that its type needs, and no others.
func (c *compiler) keysOfType(r *rule, n *yaml.Node, sound bool) {
	has := func(key string) bool { found, _ := options.Get(n, key); return found != nil }
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if r.kind == Info && key.Value == "value" {
			c.d.Errorf(key, "metric %s is an info metric, whose value is always 1: expected labels and no value", r.name)
			continue
		}
		if allowed, known := keysOf[key.Value]; known && !slices.Contains(allowed, r.kind) {
			c.d.Errorf(key, "metric %s has type %s, which takes no %s; that is for %s", r.name, r.kind, key.Value, joinTypes(allowed))
		}
	}
	needs := func(condition bool, what string) {
		if !condition && sound {
			c.d.Errorf(n, "metric %s has type %s and needs %s", r.name, r.kind, what)
		}
	}
	switch r.kind {
	case Gauge, Counter, Untyped:
		needs(has("value") || has("values"), "value (or values)")
		if has("value") && has("values") {
			c.d.Errorf(n, "metric %s has both value and values, expected one of them", r.name)
		}
	case StateSet:
		needs(has("value"), "value")
		needs(len(r.states) > 0, "states")
	case Histogram:
		needs(has("buckets"), "buckets")
	case Summary:
		needs(has("quantiles") || has("count"), "quantiles, or count and sum")
	}
	if r.kind == Histogram || r.kind == Summary {
		switch r.duplicates {
		case "", first, last:
		default:
			c.d.Errorf(n, "metric %s has type %s, whose duplicates can be first or last, not %s", r.name, r.kind, r.duplicates)
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
