// Package config finds, merges and checks what the user wrote, and compiles it
// into an immutable value: the modules, the credentials, the default target and
// the named targets.
//
// In come YAML files beside the built-in ones, out comes a Config or
// options.Errors, every mistake with its file, line and column.
package config

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"status_exporter/collector/accesslog"
	"status_exporter/collector/document"
	"status_exporter/collector/fetch"
	"status_exporter/collector/file"
	"status_exporter/collector/host"
	"status_exporter/collector/mapping"
	"status_exporter/config/options"
)

// A Config is one reading of the configuration. It is never changed: a reload
// makes another.
type Config struct {
	Auths   map[string]*Auth
	Targets map[string]*Target
	Default *Default // nil: /metrics shows the exporter alone

	Files    []string       // that were read
	Warnings options.Errors // of what works but is likely not what was meant

	modules map[string]*Module                 // that the configuration has or names
	others  map[string]func() (*Module, error) // built-in ones, compiled when they are asked for
	brought map[string]brought                 // by the URL of a target
	text    func() string
}

// A Module is a named recipe: how to ask, what format the answer has, which
// metrics it becomes.
type Module struct {
	Name    string
	Timeout time.Duration // an upper bound below the scrape's own deadline; 0 is none
	Vars    map[string]Var
	Rules   *mapping.Rules
	Limits  Limits

	Format document.Format // of its documents, where they do not say otherwise

	// Exactly one of the sources is set.
	HTTP      *fetch.Options
	File      *file.Options
	Host      *host.Options
	AccessLog *accesslog.Options

	// Fingerprint stands for everything that the source is made from: a reload
	// keeps the source of a module whose fingerprint is the same.
	Fingerprint string
}

// NeedsTarget tells whether a probe of the module must name a target. A module
// of another source than http takes none.
func (m *Module) NeedsTarget() bool { return m.HTTP != nil }

// An Auth is one entry under `auths:`.
type Auth struct {
	*fetch.Auth
	Fingerprint string
}

// A Default is what /metrics shows beside the exporter itself.
type Default struct {
	Target string // a URL or the name of a named target; "" for a module that needs none
	Module string
	Auth   string // "" for none
}

// A Target is a named target.
type Target struct {
	Name   string
	URL    string
	Module string // "" for the one that the request names, or the default
	Auth   string
	Labels []mapping.Label // added to its samples, sorted by name
}

// String returns the configuration as YAML: the modules that the user wrote,
// merged with what they extend, and everything else, without secrets.
func (c *Config) String() string { return c.text() }

// Names returns the names of all modules, sorted.
func (c *Config) Names() []string {
	return slices.Sorted(concat(maps.Keys(c.modules), maps.Keys(c.others)))
}

// Module returns the module of a name. The error lists the names that are near.
func (c *Config) Module(name string) (*Module, error) {
	if m := c.modules[name]; m != nil {
		return m, nil
	}
	if compile := c.others[name]; compile != nil {
		return compile()
	}
	return nil, fmt.Errorf("there is no module %q; %s", name, oneOf(name, slices.Values(c.Names())))
}

// Auth returns the credentials of a name, nil for "".
func (c *Config) Auth(name string) (*Auth, error) {
	if a := c.Auths[name]; a != nil || name == "" {
		return a, nil
	}
	return nil, fmt.Errorf("there is no entry %q under auths; %s", name, oneOf(name, maps.Keys(c.Auths)))
}

// brought is what variables brought into the URL of a target.
type brought struct{ secrets, names []string }

// Secrets returns what variables brought into the URL of a configured target: what may
// be shown to nobody, and names of paths, which are to be hidden in the URL.
func (c *Config) Secrets(url string) (secrets, names []string) {
	b := c.brought[url]
	return b.secrets, b.names
}

// oneOf says which names there are, the one that was probably meant first.
func oneOf(found string, known iter.Seq[string]) string {
	names := slices.Compact(slices.Sorted(known))
	if len(names) == 0 {
		return "the configuration has none"
	}
	if near := options.Nearest(found, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "expected one of " + strings.Join(names, ", ")
}

// concat yields what one yields and then what the other yields.
func concat[T any](one, other iter.Seq[T]) iter.Seq[T] {
	return func(yield func(T) bool) {
		for v := range one {
			if !yield(v) {
				return
			}
		}
		other(yield)
	}
}

// TargetsOf returns the URLs of the default target and of the named targets that
// are asked with a module and an auth. trusted are those that use the module, which
// may be sent its secrets where it has no allow list; one that names no module uses
// that of requests that name none. named are those that a request may ask with any
// module, which may be sent the secrets of the auth that they name.
func (c *Config) TargetsOf(module, auth, otherwise string) (trusted, named []string) {
	if d := c.Default; d != nil && d.Module == module && d.Auth == auth && d.Target != "" {
		url := d.Target
		if named := c.Targets[url]; named != nil {
			url = named.URL
		}
		trusted = append(trusted, url)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Targets)) {
		switch t := c.Targets[name]; {
		case t.Auth != auth:
		case cmp.Or(t.Module, otherwise) == module:
			trusted = append(trusted, t.URL)
		case t.Module == "":
			named = append(named, t.URL)
		}
	}
	return trusted, named
}
