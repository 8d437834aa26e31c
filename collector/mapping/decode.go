package mapping

import (
	"cmp"
	"slices"
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
	families  map[string]*declaration
	sets      int    // of labels, as rule.set counts them
	slots     []slot // of the last set
}

// Decode reads and compiles the `metrics:` of a module. documents are the names
// of the module's documents, of which `from:` chooses.
func (r *Rules) Decode(d *options.Decoder, n *yaml.Node, module string, documents []string) {
	c := &compiler{d: d, module: module, documents: documents, rules: r, families: make(map[string]*declaration)}
	s := scope{}
	if len(documents) == 1 {
		s.from = documents[0]
	}
	r.rules = c.list(n, s)
	c.checkFamilies()
}

// A scope is what a rule inherits from the groups around it.
type scope struct {
	depth     int
	from      string
	optional  bool
	labels    []scopeLabel
	registers int
}

// A scopeLabel is a label, and where it is set.
type scopeLabel struct {
	slot
	node *yaml.Node
}

func (c *compiler) list(n *yaml.Node, s scope) []*rule {
	var rules []*rule
	c.d.Sequence(n, "metrics", func(item *yaml.Node) {
		rules = append(rules, c.rule(item, s))
	})
	return rules
}

// fields are what a rule's keys say that depends on other keys.
type fields struct {
	typed     bool // the type is known
	sound     bool // nothing is misspelt, so that what is missing is missing
	label     string
	labelNode *yaml.Node // where label is named
	labels    *yaml.Node
	constants *yaml.Node
	metrics   *yaml.Node
	shape     distribution
}

func (c *compiler) rule(n *yaml.Node, s scope) *rule {
	r := &rule{index: len(c.rules.all), depth: s.depth, from: s.from, optional: s.optional}
	c.rules.all = append(c.rules.all, r)
	f := c.fields(r, n)
	if n.Kind != yaml.MappingNode {
		return r
	}
	r.optional = r.optional || s.optional
	s.labels = slices.Clip(s.labels)
	c.labels(r, &s, f)
	switch {
	case f.metrics != nil:
		c.group(r, n, s, f)
	case r.name != "":
		c.metric(r, n, s, f)
	case f.sound:
		c.d.Errorf(n, "a rule needs a name, or metrics to group")
	}
	r.expression = r.describe()
	return r
}

// fields decodes the keys of a rule, each by itself.
func (c *compiler) fields(r *rule, n *yaml.Node) *fields {
	f := &fields{shape: distribution{cumulative: true}}
	failed := c.d.Failed()
	var kind string
	keep := func(into **yaml.Node) func(*yaml.Node) { return func(n *yaml.Node) { *into = n } }
	c.d.Mapping(n, ruleTitle(n), options.Fields{
		"name":         c.d.Text(&r.name),
		"help":         c.d.Text(&r.help),
		"type":         c.d.Enum(&kind, types...),
		"from":         c.document(&r.from),
		"optional":     c.d.Bool(&r.optional),
		"duplicates":   r.duplicates.decode(c.d),
		"each":         query.Option(c.d, &r.each),
		"labels":       keep(&f.labels),
		"const_labels": keep(&f.constants),
		"value":        query.Option(c.d, &r.value),
		"values":       c.values(r, f),
		"map":          r.texts.decode(c.d),
		"states":       c.states(r),
		"label":        func(n *yaml.Node) { f.labelNode = n; c.d.Text(&f.label)(n) },
		"buckets":      query.Option(c.d, &f.shape.buckets),
		"quantiles":    query.Option(c.d, &f.shape.quantiles),
		"cumulative":   c.d.Bool(&f.shape.cumulative),
		"sum":          query.Option(c.d, &f.shape.sum),
		"count":        query.Option(c.d, &f.shape.count),
		"created":      query.Option(c.d, &r.created),
		"metrics":      keep(&f.metrics),
	})
	f.sound = c.d.Failed() == failed
	_, typeNode := options.Get(n, "type")
	f.typed = typeNode == nil || kind != ""
	r.kind = cmp.Or(Type(kind), defaultType(r.name))
	return f
}

// ruleTitle names a rule in errors.
func ruleTitle(n *yaml.Node) string {
	if _, name := options.Get(n, "name"); name != nil && name.Kind == yaml.ScalarNode && name.Value != "" {
		return "metric " + name.Value
	}
	return "a rule"
}

// group compiles a rule that has `metrics:`, and checks that it has only what a
// group may have.
func (c *compiler) group(r *rule, n *yaml.Node, s scope, f *fields) {
	title := ruleTitle(n)
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i]; slices.Contains(keysOfMetrics, key.Value) {
			c.d.Errorf(key, "%s has metrics, which makes it a group of rules, and cannot have %s as well", title, key.Value)
		}
	}
	if f.metrics.Kind == yaml.SequenceNode && len(f.metrics.Content) == 0 {
		c.d.Errorf(f.metrics, "metrics is an empty list, expected at least one rule in the group")
	}
	r.name = ""
	if !r.isPlainGroup() {
		c.checkFrom(r, n, f)
	}
	s.depth++
	s.from, s.optional = r.from, r.optional
	r.children = c.list(f.metrics, s)
}

// metric compiles a rule that makes samples.
func (c *compiler) metric(r *rule, n *yaml.Node, s scope, f *fields) {
	_, name := options.Get(n, "name")
	checkMetricName(c.d, name, r.name)
	c.checkFrom(r, n, f)
	if f.typed {
		c.checkKeys(r, n, f.sound)
	}
	switch r.kind {
	case StateSet:
		if f.labelNode == nil {
			f.label, f.labelNode = r.name, name
		}
	case Histogram, Summary:
		r.shape = &f.shape
	}
	if f.label != "" {
		c.addLabel(&s, f.labelNode, slot{name: f.label, register: stateSlot})
	}
	for _, l := range s.labels {
		if r.kind == Histogram && l.name == "le" || r.kind == Summary && l.name == "quantile" {
			c.d.Errorf(l.node, "the label %s is reserved in the %s %s", l.name, r.kind, r.name)
		}
		r.slots = append(r.slots, l.slot)
	}
	slices.SortFunc(r.slots, func(a, b slot) int { return cmp.Compare(a.name, b.name) })
	if f.label == "" {
		if c.sets == 0 || !slices.Equal(r.slots, c.slots) {
			c.sets, c.slots = c.sets+1, r.slots
		}
		r.set = c.sets
	}
	r.family = c.family(name, r)
}

// checkFrom checks that it is known which document a rule is made from. The rules
// in a group need not be told what the group was told.
func (c *compiler) checkFrom(r *rule, n *yaml.Node, f *fields) {
	if r.from == "" && f.sound && len(c.documents) > 0 {
		c.d.Errorf(n, "%s does not say which document it is made from, expected from: with one of %s", ruleTitle(n), strings.Join(c.documents, ", "))
		r.from = c.documents[0]
	}
}

// labels adds a rule's own labels to those it inherits.
func (c *compiler) labels(r *rule, s *scope, f *fields) {
	if f.labels != nil {
		c.d.Entries(f.labels, "labels", func(key, value *yaml.Node) {
			l := labelQuery{name: key.Value, register: s.registers}
			query.Option(c.d, &l.query)(value)
			r.labels = append(r.labels, l)
			c.addLabel(s, key, slot{name: l.name, register: l.register})
			s.registers++
		})
	}
	if f.constants != nil {
		c.d.Entries(f.constants, "const_labels", func(key, value *yaml.Node) {
			l := slot{name: key.Value, register: constantSlot}
			c.d.Text(&l.constant)(value)
			c.addLabel(s, key, l)
		})
	}
	c.rules.registers = max(c.rules.registers, s.registers)
}

func (c *compiler) addLabel(s *scope, n *yaml.Node, added slot) {
	CheckLabelName(c.d, n, added.name)
	if i := slices.IndexFunc(s.labels, func(l scopeLabel) bool { return l.name == added.name }); i >= 0 {
		c.d.Errorf(n, "the label %s is set twice, first at %s", added.name, c.d.Position(s.labels[i].node))
		return
	}
	s.labels = append(s.labels, scopeLabel{added, n})
}

// document decodes `from:`.
func (c *compiler) document(into *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		c.d.Text(into)(n)
		if *into != "" && !slices.Contains(c.documents, *into) {
			c.d.Errorf(n, "there is no document %q, expected one of %s", *into, strings.Join(c.documents, ", "))
		}
	}
}

// values decodes `values:`, one label and an expression for each of its values.
func (c *compiler) values(r *rule, f *fields) func(*yaml.Node) {
	const expected = "expected one label, and under it an expression for each of its values"
	return func(n *yaml.Node) {
		c.d.Entries(n, "values", func(key, value *yaml.Node) {
			f.label, f.labelNode = key.Value, key
			c.d.Entries(value, "the label "+key.Value+" of values", func(key, value *yaml.Node) {
				q := stateQuery{text: key.Value}
				if query.Option(c.d, &q.query)(value); q.query != nil {
					r.values = append(r.values, q)
				}
			})
			if value.Kind == yaml.MappingNode && len(value.Content) == 0 {
				c.d.Errorf(value, "the label %s of values has no values, %s", key.Value, expected)
			}
		})
		if labels := len(n.Content) / 2; n.Kind == yaml.MappingNode && labels != 1 {
			c.d.Errorf(n, "values has %d labels, %s", labels, expected)
		}
	}
}

// states decodes `states:`.
func (c *compiler) states(r *rule) func(*yaml.Node) {
	return func(n *yaml.Node) {
		c.d.Texts(&r.states)(n)
		for i, state := range r.states {
			if n.Kind != yaml.SequenceNode {
				break
			}
			item := n.Content[i]
			switch {
			case item.Kind != yaml.ScalarNode || options.IsNull(item): // told already
			case state == "":
				c.d.Errorf(item, "a state is empty, expected a text")
			case slices.Contains(r.states[:i], state):
				c.d.Errorf(item, "the state %s stands twice in states", state)
			}
		}
	}
}
