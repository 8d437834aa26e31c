package config

import (
	"iter"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
)

// sources are the keys of a module that say where its documents come from, and
// the source that they belong to.
var sources = map[string]string{
	"http": "http", "documents": "http", "file": "file", "host": "host", "access_log": "access_log",
}

// sourceKeys returns the keys with which a module names its sources, one for each
// source, in the order of the file.
func sourceKeys(n *yaml.Node) []string {
	var keys []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		known := func(other string) bool { return sources[other] == sources[key] }
		if sources[key] != "" && !slices.ContainsFunc(keys, known) {
			keys = append(keys, key)
		}
	}
	return keys
}

// extended returns the node of a module merged with what it extends. chain
// holds the nodes whose extends led here.
func (l *loader) extended(name string, node *yaml.Node, chain ...*yaml.Node) *yaml.Node {
	_, extends := options.Get(node, "extends")
	_, drop := options.Get(node, "drop")
	own := without(node, "extends", "drop")
	if extends == nil {
		if drop != nil {
			l.d.Errorf(drop, "module %s drops metrics but extends no module that has them", name)
		}
		return own
	}
	if extends.Kind != yaml.ScalarNode {
		l.d.Errorf(extends, "extends is %s, expected the name of a module", options.Describe(extends))
		return own
	}
	base := l.parent(name, node, extends.Value)
	switch {
	case base == nil && extends.Value == name:
		l.d.Errorf(extends, "module %s extends itself, which only stands for a built-in module of the same name: there is none", name)
		return own
	case base == nil:
		l.d.Errorf(extends, "module %s extends the module %q, which does not exist; %s", name, extends.Value, oneOf(extends.Value, l.others(name)))
		return own
	case base == node || slices.Contains(chain, base):
		l.d.Errorf(extends, "module %s extends itself by way of %s", name, extends.Value)
		return own
	}
	base = l.extended(extends.Value, base, append(chain, node)...)
	if drop != nil {
		base = l.dropped(base, extends.Value, drop)
	}
	return mergeModule(base, own)
}

// others yields the names of every module but that of a name.
func (l *loader) others(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for other := range l.names() {
			if other != name && !yield(other) {
				return
			}
		}
	}
}

// parent returns the node of the module that a module extends: the built-in one
// where that has its own name, or where it is built in itself.
func (l *loader) parent(name string, node *yaml.Node, parent string) *yaml.Node {
	if e, ok := l.user[parent]; ok && parent != name && l.builtin(name) != node {
		return e.value
	}
	return l.builtin(parent)
}

// mergeModule puts the keys of a module over those of the one that it extends.
// A module that names its source does not keep another one of its base.
func mergeModule(base, over *yaml.Node) *yaml.Node {
	if over.Kind != yaml.MappingNode || base.Kind != yaml.MappingNode {
		return over
	}
	if named := sourceKeys(over); len(named) > 0 {
		for key, source := range sources {
			if !slices.ContainsFunc(named, func(own string) bool { return sources[own] == source }) {
				base = without(base, key)
			}
		}
	}
	return merge(base, over, "")
}

func has(n *yaml.Node) func(string) bool {
	return func(key string) bool { found, _ := options.Get(n, key); return found != nil }
}

// credentials are the keys of which one replaces all others: a module that
// brings its own credentials does not keep those of its base.
var credentials = []string{"basic_auth", "authorization", "oauth2", "bearer_token", "bearer_token_file"}

// overridden returns base without what the keys of over stand in for: other
// credentials, and a file where there is a text, or the other way round.
func overridden(base, over *yaml.Node) *yaml.Node {
	if slices.ContainsFunc(credentials, has(over)) {
		base = without(base, slices.DeleteFunc(slices.Clone(credentials), has(over))...)
	}
	for i := 0; i+1 < len(over.Content); i += 2 {
		key := over.Content[i].Value
		text, isFile := strings.CutSuffix(key, "_file")
		if !isFile {
			text = key + "_file"
		}
		base = without(base, text)
	}
	return base
}

// merge puts the keys of one mapping over those of another, key by key and deep
// down. Rules are merged by name; a format and a secret are replaced as a whole.
// A key that stands twice stays so, to be told of.
func merge(base, over *yaml.Node, at string) *yaml.Node {
	if base.Kind != yaml.MappingNode || over.Kind != yaml.MappingNode || at == "format" || isSecret(over) || isSecret(base) {
		return over
	}
	merged := *over
	merged.Content = slices.Clone(overridden(base, over).Content)
	for i := 0; i+1 < len(over.Content); i += 2 {
		key, value := over.Content[i], over.Content[i+1]
		j := keyIndex(&merged, key.Value)
		switch {
		case j < 0 || keyIndex(over, key.Value) != i:
			merged.Content = append(merged.Content, key, value)
		case at == "" && key.Value == "metrics":
			merged.Content[j+1] = mergeRules(merged.Content[j+1], value)
		default:
			merged.Content[j], merged.Content[j+1] = key, merge(merged.Content[j+1], value, key.Value)
		}
	}
	return &merged
}

func isSecret(n *yaml.Node) bool { return has(n)("secret") || has(n)("secret_file") }

// mergeRules replaces the rules of the same name, wherever in base they stand,
// and adds the others.
func mergeRules(base, over *yaml.Node) *yaml.Node {
	if base.Kind != yaml.SequenceNode || over.Kind != yaml.SequenceNode {
		return over
	}
	names := make(map[string]bool)
	eachRule(over, func(name, _ *yaml.Node) { names[name.Value] = true })
	merged := *over
	merged.Content = slices.Concat(withoutRules(base, names).Content, over.Content)
	return &merged
}

// dropped returns base without the metrics that the list drop names.
func (l *loader) dropped(base *yaml.Node, baseName string, drop *yaml.Node) *yaml.Node {
	known := make(map[string]bool)
	_, metrics := options.Get(base, "metrics")
	if metrics != nil {
		eachRule(metrics, func(name, _ *yaml.Node) { known[name.Value] = true })
	}
	names := make(map[string]bool)
	l.d.Sequence(drop, "drop", func(item *yaml.Node) {
		switch {
		case item.Kind != yaml.ScalarNode:
			l.d.Errorf(item, "drop: found %s, expected the name of a metric", options.Describe(item))
		case !known[item.Value]:
			l.d.Errorf(item, "drop names the metric %q, which module %s does not have; %s", item.Value, baseName, oneOf(item.Value, maps.Keys(known)))
		}
		names[item.Value] = true
	})
	if metrics == nil {
		return base
	}
	out := *base
	out.Content = slices.Clone(base.Content)
	out.Content[keyIndex(&out, "metrics")+1] = withoutRules(metrics, names)
	return &out
}

// eachRule calls f with the name of every rule, in groups too.
func eachRule(rules *yaml.Node, f func(name, rule *yaml.Node)) {
	for _, rule := range rules.Content {
		if _, name := options.Get(rule, "name"); name != nil {
			f(name, rule)
		}
		if _, group := options.Get(rule, "metrics"); group != nil {
			eachRule(group, f)
		}
	}
}

// withoutRules returns a copy of a list of rules without those of the given
// names, and without groups that became empty.
func withoutRules(rules *yaml.Node, names map[string]bool) *yaml.Node {
	out := *rules
	out.Content = nil
	for _, rule := range rules.Content {
		_, name := options.Get(rule, "name")
		_, group := options.Get(rule, "metrics")
		switch {
		case group == nil && name != nil && names[name.Value]:
			continue
		case group != nil && group.Kind == yaml.SequenceNode:
			rest := withoutRules(group, names)
			if len(rest.Content) == 0 && len(group.Content) > 0 {
				continue
			}
			copied := *rule
			copied.Content = slices.Clone(rule.Content)
			copied.Content[slices.Index(copied.Content, group)] = rest
			rule = &copied
		}
		out.Content = append(out.Content, rule)
	}
	return &out
}

// without returns a copy of a mapping without some keys.
func without(n *yaml.Node, keys ...string) *yaml.Node {
	out := *n
	out.Content = nil
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !slices.Contains(keys, n.Content[i].Value) {
			out.Content = append(out.Content, n.Content[i], n.Content[i+1])
		}
	}
	return &out
}

// keyIndex returns where a key stands in the content of a mapping, or -1.
func keyIndex(n *yaml.Node, key string) int {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return i
		}
	}
	return -1
}
