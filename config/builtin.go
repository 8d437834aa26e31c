package config

import (
	"embed"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
)

// One file for each program, or family of programs, that a module is built in
// for. It holds one module of its own name. Adding a file here is all that a new
// module needs.
//
//go:embed builtin/*.yml
var builtinFiles embed.FS

// builtinNames returns the names of the built-in modules.
func builtinNames() []string {
	entries, _ := builtinFiles.ReadDir("builtin") // it is in the binary
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = strings.TrimSuffix(entry.Name(), ".yml")
	}
	return names
}

// builtin returns the node of a built-in module, nil where there is none. Its
// positions read "built-in app.yml".
func (l *loader) builtin(name string) *yaml.Node {
	node, read := l.builtinNodes[name]
	if read || !slices.Contains(l.builtinNames, name) {
		return node
	}
	text, _ := builtinFiles.ReadFile("builtin/" + name + ".yml") // it is in the binary
	l.d.Mapping(l.d.Parse("built-in "+name+".yml", text), "the file", options.Fields{
		"modules": func(n *yaml.Node) {
			l.d.Mapping(n, "the file", options.Fields{name: func(n *yaml.Node) { node = n }})
		},
	})
	l.builtinNodes[name] = node
	return node
}

// compileLater returns what compiles a built-in module once, when it is first
// asked for: of all that are there a configuration uses few.
func compileLater(name string, getenv func(string) (string, bool)) func() (*Module, error) {
	return sync.OnceValues(func() (*Module, error) {
		l := newLoader(getenv)
		node := l.builtin(name)
		l.addModule(name, node, node)
		return l.modules[name], l.d.Err()
	})
}
