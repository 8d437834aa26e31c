package config

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
)

// sourceKeys are the keys of a module that say where its documents come from.
var sourceKeys = []string{"http", "documents", "file", "host", "access_log"}

// extended returns the node of a module merged with what it extends. chain
// holds the nodes whose extends led here.
func (l *loader) extended(name string, node *yaml.Node, chain ...*yaml.Node) *yaml.Node {
	_, parent := options.Get(node, "extends")
	_, drop := options.Get(node, "drop")
	own := without(node, "extends", "drop")
	if parent == nil {
		if drop != nil {
			l.d.Errorf(drop, "module %s drops metrics but extends no module that has them", name)
		}
		return own
	}
	if parent.Kind != yaml.ScalarNode {
		l.d.Errorf(parent, "extends is %s, expected the name of a module", options.Describe(parent))
		return own
	}
	base := l.parent(name, node, parent.Value)
	if base == nil {
		known := maps.Clone(l.builtin)
		for user, e := range l.user {
			known[user] = e.value
		}
		delete(known, name)
		l.d.Errorf(parent, "module %s extends the module %q, which does not exist; %s", name, parent.Value, oneOf(parent.Value, known))
		return own
	}
	if slices.Contains(chain, base) || base == node {
		l.d.Errorf(parent, "module %s extends itself by way of %s", name, parent.Value)
		return own
	}
	base = l.extended(parent.Value, base, append(chain, node)...)
	if drop != nil {
		base = l.dropped(base, parent.Value, drop)
	}
	return mergeModule(base, own)
}

// parent returns the node of the module that a module extends: the built-in one
// where that has its own name, or where it is built in itself.
func (l *loader) parent(name string, node *yaml.Node, parent string) *yaml.Node {
	if e, ok := l.user[parent]; ok && parent != name && l.builtin[name] != node {
		return e.value
	}
	return l.builtin[parent]
}

// mergeModule puts the keys of a module over those of the one that it extends.
func mergeModule(base, over *yaml.Node) *yaml.Node {
	if over.Kind != yaml.MappingNode || base.Kind != yaml.MappingNode {
		return over
	}
	if slices.ContainsFunc([]string{"file", "host", "access_log"}, has(over)) {
		base = without(base, slices.DeleteFunc(slices.Clone(sourceKeys), has(over))...)
	} else if slices.ContainsFunc([]string{"http", "documents"}, has(over)) {
		base = without(base, "file", "host", "access_log")
	}
	return merge(base, over, "")
}

func has(n *yaml.Node) func(string) bool {
	return func(key string) bool { found, _ := options.Get(n, key); return found != nil }
}

// alternatives are keys of which the later one replaces all others: a module
// that brings its own credentials does not keep those of its base.
var alternatives = map[string][]string{
	"client": {"basic_auth", "authorization", "oauth2", "bearer_token", "bearer_token_file"},
}

// merge puts the keys of one mapping over those of another, key by key and deep
// down. Rules are merged by name; what has alternatives is replaced as a whole.
func merge(base, over *yaml.Node, at string) *yaml.Node {
	if base.Kind != yaml.MappingNode || over.Kind != yaml.MappingNode || at == "format" || isSecret(over) || isSecret(base) {
		return over
	}
	if either := alternatives[at]; slices.ContainsFunc(either, has(over)) {
		base = without(base, either...)
	}
	merged := *over
	merged.Content = slices.Clone(base.Content)
	for i := 0; i+1 < len(over.Content); i += 2 {
		key, value := over.Content[i], over.Content[i+1]
		j := keyIndex(&merged, key.Value)
		switch {
		case j < 0:
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
	merged.Content = append(withoutRules(base, names).Content, over.Content...)
	return &merged
}

// dropped returns base without the metrics that the list drop names.
func (l *loader) dropped(base *yaml.Node, baseName string, drop *yaml.Node) *yaml.Node {
	known := make(map[string]bool)
	_, metrics := options.Get(base, "metrics")
	if metrics == nil {
		return base
	}
	eachRule(metrics, func(name, _ *yaml.Node) { known[name.Value] = true })
	names := make(map[string]bool)
	l.d.Sequence(drop, "drop", func(item *yaml.Node) {
		if !known[item.Value] {
			l.d.Errorf(item, "drop names the metric %q, which module %s does not have; %s", item.Value, baseName, oneOf(item.Value, known))
		}
		names[item.Value] = true
	})
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
