package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
)

// Input is where the configuration comes from.
type Input struct {
	// Files are names or globs, in order. A glob without a match is an error.
	Files []string
	// Getenv looks up what ${NAME} stands for; os.LookupEnv where it is nil.
	Getenv func(string) (string, bool)
	// Default is used where the files name no default target, or wins over them
	// where Override is set.
	Default  *Default
	Override bool
}

// Load reads the built-in modules and the given files. Its error is
// options.Errors, or names the file that could not be read.
func Load(in Input) (*Config, error) {
	names, err := expand(in.Files)
	if err != nil {
		return nil, err
	}
	l := newLoader(in.Getenv)
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, unreadable(name, err)
		}
		l.readFile(name, text)
	}
	l.config.Files = names
	return l.finish(in)
}

// expand turns globs into the names of the files that match, each once.
func expand(patterns []string) ([]string, error) {
	var names []string
	for _, pattern := range patterns {
		pattern = filepath.Clean(pattern)
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, fmt.Errorf("the pattern %q of --config.file is not a glob: %w", pattern, err)
		}
		if len(found) == 0 {
			if _, err := os.Stat(pattern); err != nil {
				return nil, unreadable(pattern, err)
			}
			found = []string{pattern}
		}
		for _, name := range found {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

func unreadable(name string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	if strings.ContainsAny(name, "*?[") && errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no configuration file matches %s", name)
	}
	return fmt.Errorf("the configuration file %s cannot be read: %w", name, err)
}

// A loader holds the nodes of all files until they are decoded.
type loader struct {
	d       *options.Decoder
	user    map[string]entry // modules
	auths   map[string]entry
	order   []string   // of user modules
	def     *yaml.Node // what stands under default
	targets []*yaml.Node
	config  *Config

	builtinNames []string
	builtinNodes map[string]*yaml.Node // modules that were read so far
	modules      map[string]*Module    // that were decoded so far
	texts        []source              // of the files
	broken       bool                  // one of them is no YAML
	targetNodes  map[string]*yaml.Node // where the named targets are named
}

// A source is a file that was read.
type source struct {
	name string
	text []byte
}

// An entry is a key of a mapping with its value.
type entry struct{ key, value *yaml.Node }

func newLoader(getenv func(string) (string, bool)) *loader {
	if getenv == nil {
		getenv = os.LookupEnv
	}
	return &loader{
		d:            options.NewDecoder(getenv),
		builtinNames: builtinNames(),
		builtinNodes: make(map[string]*yaml.Node),
		modules:      make(map[string]*Module),
		user:         make(map[string]entry),
		auths:        make(map[string]entry),
		targetNodes:  make(map[string]*yaml.Node),
		config:       &Config{Auths: make(map[string]*Auth), Targets: make(map[string]*Target), brought: make(map[string]brought)},
	}
}

// finish decodes what was read.
func (l *loader) finish(in Input) (*Config, error) {
	if !l.broken { // else what a file defines seems missing wherever it is named
		l.decode(in)
	}
	if err := l.d.Err(); err != nil {
		return nil, err
	}
	l.config.Warnings = l.d.Warnings()
	l.config.modules = l.modules
	l.config.others = make(map[string]func() (*Module, error))
	for _, name := range l.builtinNames {
		if l.modules[name] == nil {
			l.config.others[name] = compileLater(name, l.d.Getenv)
		}
	}
	l.config.text = dumpLater(l.d.Getenv, l.texts, in)
	return l.config, nil
}

// readFile sorts the parts of one file.
func (l *loader) readFile(name string, text []byte) {
	l.texts = append(l.texts, source{name, text})
	failed := l.d.Failed()
	top := l.d.Parse(name, text)
	if top == nil {
		l.broken = l.broken || l.d.Failed() > failed
		return
	}
	l.d.Mapping(top, "the configuration", options.Fields{
		"modules": func(n *yaml.Node) {
			l.d.Entries(n, "modules", func(key, value *yaml.Node) {
				if l.add(l.user, "module", key, value) {
					l.order = append(l.order, key.Value)
				}
			})
		},
		"auths": func(n *yaml.Node) {
			l.d.Entries(n, "auths", func(key, value *yaml.Node) { l.add(l.auths, "auths entry", key, value) })
		},
		"default": func(n *yaml.Node) {
			if l.def != nil {
				l.d.Errorf(n, "there is a default target at %s already, expected one", l.d.Position(l.def))
				return
			}
			l.def = n
		},
		"targets": func(n *yaml.Node) { l.targets = append(l.targets, n) },
	})
}

func (l *loader) add(into map[string]entry, kind string, key, value *yaml.Node) bool {
	if other, twice := into[key.Value]; twice {
		l.d.Errorf(key, "%s %s is defined twice, first at %s", kind, key.Value, l.d.Position(other.key))
		return false
	}
	into[key.Value] = entry{key, value}
	return true
}
