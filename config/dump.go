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

	"go.yaml.in/yaml/v4"
)

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
			if info, err := os.Stat(name); err == nil && strings.HasSuffix(key, "_file") {
				fmt.Fprintln(w, info.ModTime().UnixNano(), info.Size())
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
