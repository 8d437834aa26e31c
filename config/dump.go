package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
)

// dumpLater returns what writes the configuration when it is first asked for. It
// reads the texts again then: the nodes take many times the memory of the texts,
// and writing them takes as long as reading.
func dumpLater(getenv func(string) (string, bool), texts []source, in Input) func() string {
	return sync.OnceValue(func() string {
		l := newLoader(getenv)
		for _, file := range texts {
			l.readFile(file.name, file.text)
		}
		return l.dump(l.decode(in))
	})
}

// dump writes what the user configured as YAML, without secrets.
func (l *loader) dump(modules map[string]*yaml.Node) string {
	top := &yaml.Node{Kind: yaml.MappingNode}
	section := func(name string, value *yaml.Node) {
		if len(value.Content) > 0 {
			top.Content = append(top.Content, text(name), l.d.Redact(value))
		}
	}
	all := &yaml.Node{Kind: yaml.MappingNode}
	for _, name := range l.order {
		all.Content = append(all.Content, text(name), modules[name])
	}
	section("modules", all)
	auths := &yaml.Node{Kind: yaml.MappingNode}
	for _, name := range slices.Sorted(maps.Keys(l.auths)) {
		auths.Content = append(auths.Content, text(name), l.auths[name].value)
	}
	section("auths", auths)
	if l.def != nil {
		section("default", l.def)
	}
	targets := &yaml.Node{Kind: yaml.SequenceNode}
	for _, n := range l.targets {
		targets.Content = append(targets.Content, n.Content...)
	}
	section("targets", targets)
	if len(top.Content) == 0 {
		return "# There is no configuration file: only the built-in modules are there.\n"
	}
	out, err := yaml.Dump(top)
	if err != nil {
		return fmt.Sprintf("# The configuration cannot be shown: %v\n", err)
	}
	return string(out)
}

func text(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

// fingerprint returns a text that changes when what the node configures
// changes: the node itself, the environment variables and the folder that its
// texts refer to, and the certificate files that are read only once.
func (l *loader) fingerprint(n *yaml.Node) string {
	h := sha256.New()
	l.fingerprintTo(h, n, "")
	return hex.EncodeToString(h.Sum(nil))
}

func (l *loader) fingerprintTo(w io.Writer, n *yaml.Node, key string) {
	fmt.Fprintf(w, "%d %s %d:%s\n", n.Kind, n.ShortTag(), len(n.Value), n.Value)
	if n.Kind == yaml.ScalarNode && n.Value != "" {
		if strings.Contains(n.Value, "${") {
			fmt.Fprintln(w, os.Expand(n.Value, func(name string) string { v, _ := l.d.Getenv(name); return v }))
		}
		if strings.HasSuffix(key, "_file") || key == "path" && !filepath.IsAbs(n.Value) {
			name := l.d.Path(n, n.Value)
			fmt.Fprintln(w, name)
			if strings.HasSuffix(key, "_file") {
				fingerprintFile(w, name)
			}
		}
	}
	for i, child := range n.Content {
		key := ""
		if n.Kind == yaml.MappingNode && i%2 == 1 {
			key = n.Content[i-1].Value
		}
		l.fingerprintTo(w, child, key)
	}
}

// fingerprintFile writes what a file is and holds: whoever replaces one may keep its
// size and its times.
func fingerprintFile(w io.Writer, name string) {
	if text, info, err := options.ReadShort(name); err == nil {
		fmt.Fprintln(w, info.ModTime().UnixNano(), len(text))
		_, _ = w.Write(text)
	}
}
