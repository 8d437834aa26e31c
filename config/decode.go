package config

import (
	"iter"
	"maps"
	"slices"

	"go.yaml.in/yaml/v4"

	"status_exporter/collector/fetch"
	"status_exporter/config/options"
)

// decode makes the Config of the nodes of all files, and returns the nodes of the
// modules merged with what they extend.
func (l *loader) decode(in Input) map[string]*yaml.Node {
	for name, e := range l.auths {
		auth := &Auth{Auth: &fetch.Auth{}}
		auth.Decode(l.d, e.value, name)
		auth.Fingerprint = l.fingerprint(e.value)
		l.config.Auths[name] = auth
	}
	merged := make(map[string]*yaml.Node, len(l.user))
	for name, e := range l.user {
		merged[name] = l.addModule(name, e.key, e.value)
	}
	l.decodeTargets()
	if in.Default != nil && (in.Override || l.config.Default == nil && len(in.Files) == 0) {
		l.flagDefault(*in.Default)
	}
	l.checkFiles()
	return merged
}

// checkFiles checks the files that a module's client names. A built-in module
// that nothing here names may name files of a place where it is used.
func (l *loader) checkFiles() {
	used := make(map[string]bool)
	for name := range l.user {
		used[name] = true
	}
	for _, t := range l.config.Targets {
		used[t.Module] = true
	}
	if d := l.config.Default; d != nil {
		used[d.Module] = true
	}
	for name := range used {
		if m := l.find(name); m != nil && m.HTTP != nil {
			m.HTTP.Check(l.d)
		}
	}
}

// addModule decodes a module and returns its node merged with what it extends.
func (l *loader) addModule(name string, key, node *yaml.Node) *yaml.Node {
	failed := l.d.Failed()
	merged := l.extended(name, node)
	m := l.module(name, key, merged, failed)
	m.Fingerprint = l.fingerprint(without(merged, "metrics", "timeout"))
	l.modules[name] = m
	return merged
}

// find returns the module of a name, nil where there is none.
func (l *loader) find(name string) *Module {
	if m := l.modules[name]; m != nil {
		return m
	}
	if node := l.builtin(name); node != nil {
		l.addModule(name, node, node)
	}
	return l.modules[name]
}

// names yields the names of all modules.
func (l *loader) names() iter.Seq[string] {
	return concat(slices.Values(l.builtinNames), maps.Keys(l.user))
}

// reference decodes the name of a module.
func (l *loader) reference(into *string) func(*yaml.Node) {
	return l.name(into, func(n *yaml.Node, name string) {
		if l.find(name) == nil {
			l.d.Errorf(n, "module: there is no module %q; %s", options.Printable(name), oneOf(name, l.names()))
		}
	})
}

// authReference decodes the name of an entry under auths. What is none is likely the
// secret itself, so that it is not quoted.
func (l *loader) authReference(into *string) func(*yaml.Node) {
	return l.name(into, func(n *yaml.Node, name string) {
		if _, ok := l.auths[name]; !ok {
			l.d.Errorf(n, "auth: there is no entry of this name under auths; %s", oneOf(name, maps.Keys(l.auths)))
		}
	})
}

// name decodes a name and checks it, if it is one.
func (l *loader) name(into *string, check func(n *yaml.Node, name string)) func(*yaml.Node) {
	return func(n *yaml.Node) {
		failed := l.d.Failed()
		if l.d.Text(into)(n); l.d.Failed() == failed {
			check(n, *into)
		}
	}
}
