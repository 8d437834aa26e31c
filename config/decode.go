package config

import (
	"cmp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"status_exporter/collector/fetch"
	"status_exporter/collector/mapping"
	"status_exporter/config/options"
)

// decode makes the Config of the nodes of all files.
func (l *loader) decode(in Input) {
	for name, e := range l.auths {
		auth := &Auth{Auth: &fetch.Auth{}}
		auth.Decode(l.d, e.value, name)
		auth.Fingerprint = l.fingerprint(e.value)
		l.config.Auths[name] = auth
	}
	merged := make(map[string]*yaml.Node, len(l.user))
	for name, node := range l.builtin {
		if _, replaced := l.user[name]; !replaced {
			l.addModule(name, node, l.extended(name, node))
		}
	}
	for name, e := range l.user {
		merged[name] = l.extended(name, e.value)
		l.addModule(name, e.key, merged[name])
		if m := l.config.Modules[name]; m.HTTP != nil {
			m.HTTP.Check(l.d)
		}
	}
	for _, n := range l.targets {
		l.d.Sequence(n, "targets", l.target)
	}
	if l.deflt != nil {
		l.defaultTarget(l.deflt)
	}
	if in.Default != nil && (in.Override || l.config.Default == nil && len(in.Files) == 0) {
		l.flagDefault(*in.Default)
	}
	l.config.text = l.dump(merged)
}

func (l *loader) addModule(name string, key, node *yaml.Node) {
	m := l.module(name, key, node)
	m.Fingerprint = l.fingerprint(without(node, "metrics", "timeout"))
	l.config.Modules[name] = m
}

// target decodes one entry under `targets:`.
func (l *loader) target(n *yaml.Node) {
	t := &Target{}
	var name, url *yaml.Node
	l.d.Mapping(n, "a target", options.Fields{
		"name":   func(n *yaml.Node) { name = n; l.d.Text(&t.Name)(n) },
		"url":    func(n *yaml.Node) { url = n; l.d.Expanded(&t.URL)(n) },
		"module": l.reference(&t.Module, "module", l.config.Modules),
		"auth":   l.authReference(&t.Auth),
		"labels": func(n *yaml.Node) {
			l.d.Entries(n, "labels", func(key, value *yaml.Node) {
				label := mapping.Label{Name: key.Value}
				mapping.CheckLabelName(l.d, key, key.Value)
				l.d.Text(&label.Value)(value)
				t.Labels = append(t.Labels, label)
			})
		},
	})
	if n.Kind != yaml.MappingNode {
		return
	}
	switch {
	case t.Name == "":
		l.d.Errorf(n, "a target needs a name")
	case strings.ContainsAny(t.Name, ":/. \t"):
		l.d.Errorf(name, "the target name %q could be an address, expected letters, digits, - and _", t.Name)
	case l.config.Targets[t.Name] != nil:
		l.d.Errorf(name, "the target %s is defined twice", t.Name)
	}
	m := l.config.Modules[t.Module]
	switch {
	case m != nil && !m.NeedsTarget():
		l.d.Errorf(n, "target %s names the module %s, which takes no target", t.Name, t.Module)
	case url == nil:
		l.d.Errorf(n, "target %s needs a url", t.Name)
	case m != nil && m.HTTP.CheckTarget(t.URL) != nil:
		l.d.Errorf(url, "%v", m.HTTP.CheckTarget(t.URL))
	}
	slices.SortFunc(t.Labels, func(a, b mapping.Label) int { return cmp.Compare(a.Name, b.Name) })
	l.config.Targets[t.Name] = t
}

// defaultTarget decodes `default:`.
func (l *loader) defaultTarget(n *yaml.Node) {
	def := &Default{Module: "app"}
	var url *yaml.Node
	l.d.Mapping(n, "default", options.Fields{
		"target": func(n *yaml.Node) { url = n; l.d.Expanded(&def.Target)(n) },
		"module": l.reference(&def.Module, "module", l.config.Modules),
		"auth":   l.authReference(&def.Auth),
	})
	m := l.config.Modules[def.Module]
	switch {
	case m == nil || n.Kind != yaml.MappingNode:
	case !m.NeedsTarget() && url != nil:
		l.d.Errorf(url, "default names a target, but its module %s takes none", def.Module)
	case m.NeedsTarget() && url == nil:
		l.d.Errorf(n, "default needs a target for its module %s", def.Module)
	case url != nil && l.config.Targets[def.Target] == nil && m.HTTP.CheckTarget(def.Target) != nil:
		l.d.Errorf(url, "%v", m.HTTP.CheckTarget(def.Target))
	}
	if t := l.config.Targets[def.Target]; t != nil { // a named target
		def.Target = t.URL
	}
	l.config.Default = def
}

// flagDefault takes over the default target that the command line names.
func (l *loader) flagDefault(def Default) {
	m, err := l.config.Module(def.Module)
	switch {
	case err != nil:
		l.d.Note("--module", "%v", err)
	case !m.NeedsTarget():
		def.Target = ""
		l.config.Default = &def
	case def.Target != "":
		if err := m.HTTP.CheckTarget(def.Target); err != nil {
			l.d.Note("default target", "%v", err)
		}
		l.config.Default = &def
	default: // an empty --target.url switches the default target off
		l.config.Default = nil
	}
}

func (l *loader) authReference(into *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		l.d.Text(into)(n)
		if _, ok := l.auths[*into]; !ok {
			l.d.Errorf(n, "there is no entry %q under auths; %s", *into, oneOf(*into, l.auths))
		}
	}
}

// reference decodes the name of something that must exist.
func (l *loader) reference(into *string, what string, known map[string]*Module) func(*yaml.Node) {
	return func(n *yaml.Node) {
		l.d.Text(into)(n)
		if known[*into] == nil {
			l.d.Errorf(n, "there is no %s %q; %s", what, *into, oneOf(*into, known))
		}
	}
}
