package config

import (
	"cmp"
	"errors"
	"os"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v4"

	"status_exporter/collector/document"
	"status_exporter/collector/fetch"
	"status_exporter/collector/mapping"
	"status_exporter/config/options"
)

// decodeTargets decodes `targets:` of all files, and `default:`.
func (l *loader) decodeTargets() {
	for _, n := range l.targets {
		l.d.Sequence(n, "targets", l.target)
	}
	if l.def != nil {
		l.defaultTarget(l.def)
	}
}

var targetName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// target decodes one entry under `targets:`.
func (l *loader) target(n *yaml.Node) {
	t := &Target{}
	var name, url *yaml.Node
	failed := l.d.Failed()
	l.d.Mapping(n, "a target", options.Fields{
		"name":   func(n *yaml.Node) { name = n; l.d.Text(&t.Name)(n) },
		"url":    func(n *yaml.Node) { url = n; l.url(&t.URL, n) },
		"module": l.reference(&t.Module),
		"auth":   l.authReference(&t.Auth),
		"labels": l.targetLabels(t),
	})
	if l.d.Failed() > failed && (t.Name == "" || t.URL == "") {
		return // what seems missing may just be misspelt
	}
	m := l.find(t.Module)
	switch other := l.targetNodes[t.Name]; {
	case name == nil:
		l.d.Errorf(n, "a target needs a name")
		return
	case !targetName.MatchString(t.Name):
		l.d.Errorf(name, "name: the target name %q could be an address, expected letters, digits, - and _", options.Printable(t.Name))
	case other != nil:
		l.d.Errorf(name, "target %s is defined twice, first at %s", t.Name, l.d.Position(other))
	case m != nil && !m.NeedsTarget():
		l.d.Errorf(n, "target %s names the module %s, which takes no target", t.Name, t.Module)
	case url == nil:
		l.d.Errorf(n, "target %s needs a url", t.Name)
	default:
		l.checkURL(url, t.URL, m)
	}
	l.targetNodes[t.Name] = name
	l.config.Targets[t.Name] = t
}

// url decodes the URL of a target, "" where it is wrong. What stands in its query
// is shown to nobody, nor is what a variable brings into its path.
func (l *loader) url(into *string, n *yaml.Node) {
	failed := l.d.Failed()
	if l.d.ExpandedURL(into)(n); l.d.Failed() > failed {
		*into = ""
	}
	l.d.HideQuery(n)
	if secrets, names := l.d.Variables(n); len(secrets)+len(names) > 0 {
		l.config.brought[*into] = brought{secrets, names}
	}
}

// targetLabels decodes the labels of a named target. They are added to all of
// its samples, so that they cannot be those of histograms and summaries.
func (l *loader) targetLabels(t *Target) func(*yaml.Node) {
	return func(n *yaml.Node) {
		l.d.Entries(n, "labels", func(key, value *yaml.Node) {
			label := mapping.Label{Name: key.Value}
			mapping.CheckLabelName(l.d, key, key.Value)
			if label.Name == "le" || label.Name == "quantile" {
				l.d.Errorf(key, "the label %s is reserved in histograms and summaries", label.Name)
			}
			l.d.Text(&label.Value)(value)
			t.Labels = append(t.Labels, label)
		})
		slices.SortFunc(t.Labels, func(a, b mapping.Label) int { return cmp.Compare(a.Name, b.Name) })
	}
}

// defaultTarget decodes `default:`. What it does not say it takes from the named
// target that it names.
func (l *loader) defaultTarget(n *yaml.Node) {
	def := &Default{}
	var url *yaml.Node
	failed := l.d.Failed()
	l.d.Mapping(n, "default", options.Fields{
		"target": func(n *yaml.Node) { url = n; l.url(&def.Target, n) },
		"module": l.reference(&def.Module),
		"auth":   l.authReference(&def.Auth),
	})
	if l.d.Failed() > failed {
		return
	}
	named := l.complete(def)
	switch m := l.find(def.Module); {
	case !m.NeedsTarget() && url != nil:
		l.d.Errorf(url, "default names a target, but its module %s takes none", def.Module)
	case m.NeedsTarget() && url == nil:
		l.d.Errorf(n, "default needs a target for its module %s", def.Module)
	case !m.NeedsTarget() && def.Auth != "":
		l.d.Errorf(n, "default names an auth, but its module %s takes none", def.Module)
	case named == nil && url != nil:
		l.checkURL(url, def.Target, m)
	}
	l.config.Default = def
}

// complete fills in the module and the auth that a default target leaves to the named
// target that it is. It returns that one, nil where it is none.
func (l *loader) complete(def *Default) *Target {
	named := l.config.Targets[def.Target]
	if named != nil {
		def.Module = cmp.Or(def.Module, named.Module)
		def.Auth = cmp.Or(def.Auth, named.Auth)
	}
	def.Module = cmp.Or(def.Module, "app")
	return named
}

// checkURL checks the URL of a target of a module; where m is nil, of any.
func (l *loader) checkURL(n *yaml.Node, url string, m *Module) {
	o := &fetch.Options{}
	if m != nil {
		o = m.HTTP
	} else {
		o.Decode(l.d, nil, nil, document.JSON)
	}
	err := o.CheckTarget(url)
	if err != nil && options.Refers(n.Value) {
		err = withVariables(o, n.Value)
	}
	if err != nil {
		l.d.Errorf(n, "%v", err)
	}
}

// withVariables says what is wrong with a URL, and nothing of what its variables hold.
func withVariables(o *fetch.Options, url string) error {
	told := &fetch.BadTargetError{}
	if err := o.CheckTarget(os.Expand(url, func(string) string { return "1" })); !errors.As(err, &told) {
		told.Message = "with what its variables hold it cannot be asked, expected a URL such as http://host:port/path"
	}
	return &fetch.BadTargetError{Target: options.Printable(url), Message: told.Message}
}

// flagDefault takes over the default target that the command line names.
func (l *loader) flagDefault(def Default) {
	l.complete(&def)
	m := l.find(def.Module)
	switch {
	case m == nil:
		l.d.Note("--module", "there is no module %q; %s", options.Printable(def.Module), oneOf(def.Module, l.names()))
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
