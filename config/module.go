package config

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"status_exporter/collector/accesslog"
	"status_exporter/collector/document"
	"status_exporter/collector/fetch"
	"status_exporter/collector/file"
	"status_exporter/collector/host"
	"status_exporter/collector/mapping"
	"status_exporter/config/options"
)

// Limits bound what one probe of a module may become.
type Limits struct {
	Document document.Limits
	Mapping  mapping.Limits
}

func (l *Limits) decode(d *options.Decoder) func(*yaml.Node) {
	return func(n *yaml.Node) {
		d.Mapping(n, "limits", options.Fields{
			"depth":             d.Int(&l.Document.Depth, 1, 10_000),
			"values":            d.Int(&l.Document.Values, 1, math.MaxInt),
			"samples":           d.Int(&l.Mapping.Samples, 1, math.MaxInt),
			"label_value_bytes": d.Int(&l.Mapping.LabelValue, 1, math.MaxInt),
		})
	}
}

// module decodes the merged node of a module. key is where its name stands, and
// failed how many mistakes there were before it was looked at.
func (l *loader) module(name string, key, n *yaml.Node, failed int) *Module {
	m := &Module{Name: name, Rules: &mapping.Rules{}, Format: document.JSON, Limits: Limits{document.DefaultLimits, mapping.DefaultLimits}}
	nodes := make(map[string]*yaml.Node)
	keep := func(what string) func(*yaml.Node) { return func(n *yaml.Node) { nodes[what] = n } }
	l.d.Mapping(n, "module "+name, options.Fields{
		"extends":    func(*yaml.Node) {}, // merged already
		"drop":       func(*yaml.Node) {},
		"timeout":    l.d.Duration(&m.Timeout),
		"vars":       l.vars(&m.Vars),
		"limits":     m.Limits.decode(l.d),
		"format":     func(n *yaml.Node) { m.Format.DecodeYAML(l.d, n) },
		"http":       keep("http"),
		"documents":  keep("documents"),
		"file":       keep("file"),
		"host":       keep("host"),
		"access_log": keep("access_log"),
		"metrics":    keep("metrics"),
	})
	if n.Kind != yaml.MappingNode {
		return m
	}
	documents := []string{document.Status}
	switch keys := sourceKeys(n); {
	case len(keys) > 1:
		l.d.Errorf(nodes[keys[1]], "module %s has both %s and %s, expected one source", name, keys[0], keys[1])
	case nodes["file"] != nil:
		m.File = &file.Options{}
		m.File.Decode(l.d, nodes["file"])
	case nodes["host"] != nil:
		m.Host = &host.Options{}
		m.Host.Decode(l.d, nodes["host"])
	case nodes["access_log"] != nil:
		m.AccessLog = &accesslog.Options{}
		m.AccessLog.Decode(l.d, nodes["access_log"])
	default:
		m.HTTP = &fetch.Options{}
		m.HTTP.Decode(l.d, nodes["http"], nodes["documents"], m.Format)
		documents = m.HTTP.Documents()
	}
	switch {
	case nodes["metrics"] != nil:
		m.Rules.Decode(l.d, nodes["metrics"], name, documents)
	case l.d.Failed() == failed:
		l.d.Errorf(key, "module %s has no metrics, expected metrics: with a list of rules, an empty one for none", name)
	}
	return m
}

// A Var is a parameter of a module: $vars.NAME in its expressions.
type Var struct {
	Default any  // string, json.Number or bool
	Request bool // a request may set it with a parameter of its name
}

// requestParameters are the parameters of /probe that no var can be.
var requestParameters = []string{"target", "module", "auth", "debug"}

func (l *loader) vars(into *map[string]Var) func(*yaml.Node) {
	return func(n *yaml.Node) {
		*into = make(map[string]Var, len(n.Content)/2)
		l.d.Entries(n, "vars", func(key, value *yaml.Node) {
			v := Var{Default: ""}
			if value.Kind == yaml.MappingNode {
				l.d.Mapping(value, "the var "+key.Value, options.Fields{
					"default": l.varDefault(&v.Default),
					"request": l.d.Bool(&v.Request),
				})
			} else {
				l.varDefault(&v.Default)(value)
			}
			if v.Request && slices.Contains(requestParameters, key.Value) {
				l.d.Errorf(key, "a request cannot set the var %s, which is a parameter of every probe", key.Value)
			}
			(*into)[key.Value] = v
		})
	}
}

// varDefault decodes the default of a var: a text, a number in its own spelling
// where JSON has it too, or a truth value.
func (l *loader) varDefault(into *any) func(*yaml.Node) {
	return func(n *yaml.Node) {
		var text string
		l.d.Text(&text)(n)
		*into = text
		number, isNumber := options.Number(n)
		switch {
		case n.ShortTag() == "!!bool":
			*into = strings.EqualFold(text, "true")
		case isNumber && json.Valid([]byte(text)):
			*into = json.Number(text)
		case isNumber && !math.IsInf(number, 0) && !math.IsNaN(number):
			*into = json.Number(strconv.FormatFloat(number, 'g', -1, 64))
		}
	}
}

// Values returns $vars for a request: its parameters where the module allows
// them, the defaults elsewhere. Parameters of /probe itself are passed over.
func (m *Module) Values(request url.Values) (map[string]any, error) {
	values := make(map[string]any, len(m.Vars))
	for name, v := range m.Vars {
		values[name] = v.Default
	}
	for name, given := range request {
		if slices.Contains(requestParameters, name) {
			continue
		}
		v, ok := m.Vars[name]
		if !ok || !v.Request {
			return nil, fmt.Errorf("module %s takes no parameter %q from a request", m.Name, name)
		}
		values[name] = given[0]
		if _, number := v.Default.(json.Number); number {
			n := json.Number(given[0])
			if _, err := n.Float64(); err != nil || !json.Valid([]byte(n)) {
				return nil, fmt.Errorf("the parameter %s is %q, expected a number", name, given[0])
			}
			values[name] = n
		}
	}
	return values, nil
}
