package config

import (
	"embed"
	"io/fs"
	"path"

	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
)

// One file for each program, or family of programs, that a module is built in
// for. Adding a file here is all that a new module needs.
//
//go:embed builtin/*.yml
var builtinFiles embed.FS

// readBuiltin reads the built-in modules whose files match pattern. Their
// positions read "built-in app.yml".
func (l *loader) readBuiltin(pattern string) {
	names, _ := fs.Glob(builtinFiles, "builtin/"+pattern) // the patterns are constant and right
	for _, name := range names {
		text, _ := builtinFiles.ReadFile(name) // it is in the binary
		top := l.d.Parse("built-in "+path.Base(name), text)
		_, modules := options.Get(top, "modules")
		if modules == nil {
			continue
		}
		l.d.Entries(modules, "modules", func(key, value *yaml.Node) { l.builtin[key.Value] = value })
	}
}
