// Package readme_test runs the examples of README.md. What follows the language
// of a fenced block says what it is: `yaml config` is a configuration that must
// load, `json document` (or any other language) a status page, `text metrics`
// the lines that the configuration above makes of the document above,
// `yaml prometheus` a configuration of Prometheus.
package readme_test

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"status_exporter/collector"
	"status_exporter/config"
)

const readme = "../../README.md"

// A block is one fenced block.
type block struct {
	kind string // the second word after the fence
	text string
	line int
}

func blocks(t *testing.T) []block {
	t.Helper()
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	var found []block
	var open *block
	indent := ""
	for i, line := range strings.Split(string(text), "\n") {
		trimmed := strings.TrimLeft(line, " ")
		switch {
		case open == nil && strings.HasPrefix(trimmed, "```"):
			words := strings.Fields(strings.TrimPrefix(trimmed, "```"))
			open = &block{line: i + 1}
			indent = line[:len(line)-len(trimmed)]
			if len(words) > 1 {
				open.kind = words[1]
			}
		case open != nil && trimmed == "```":
			found = append(found, *open)
			open = nil
		case open != nil:
			open.text += strings.TrimPrefix(line, indent) + "\n"
		}
	}
	return found
}

func TestExamples(t *testing.T) {
	var document, configuration block
	tried := 0
	for _, b := range blocks(t) {
		switch b.kind {
		case "document":
			document = b
		case "config":
			configuration = b
			load(t, b)
		case "metrics":
			tried++
			got := probe(t, configuration, document)
			for line := range strings.Lines(b.text) {
				if line = strings.TrimSpace(line); line != "" && !strings.Contains("\n"+got, "\n"+line+"\n") {
					t.Errorf("README.md:%d: %q is not what is exposed:\n%s", b.line, line, got)
				}
			}
		}
	}
	if tried == 0 {
		t.Error("README.md has no example with a document, a configuration and metrics")
	}
}

// load reads a configuration, with files and variables for what it refers to.
func load(t *testing.T, b block) *config.Config {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "README.yml")
	for _, match := range regexp.MustCompile(`_file: ([a-z.]+)`).FindAllStringSubmatch(b.text, -1) {
		if err := os.WriteFile(filepath.Join(dir, match[1]), []byte("secret\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(name, []byte(b.text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(config.Input{Files: []string{name}, Getenv: func(string) (string, bool) { return "value", true }})
	if err != nil {
		t.Fatalf("README.md:%d: %v", b.line, err)
	}
	return cfg
}

// probe serves a document and exposes what the first module of a configuration
// makes of it.
func probe(t *testing.T, configuration, document block) string {
	t.Helper()
	cfg := load(t, configuration)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, document.text) }))
	defer server.Close()
	module := regexp.MustCompile(`(?m)^  ([a-z0-9_-]+):`).FindStringSubmatch(configuration.text)
	if module == nil {
		t.Fatalf("README.md:%d: there is no module", configuration.line)
	}
	pool := collector.NewPool(cfg, collector.Settings{})
	defer pool.Close()
	lease := pool.Lease()
	defer lease.Release()
	p, err := lease.Probe(collector.Request{Target: server.URL, Module: module[1]})
	if err != nil {
		t.Fatal(err)
	}
	result := p.Run(context.Background())
	for _, f := range result.Failures {
		t.Errorf("README.md:%d: %v", configuration.line, f.Err)
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(result)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	encoder := expfmt.NewEncoder(&out, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, f := range families {
		if err := encoder.Encode(f); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

func TestPrometheusExamples(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("promtool is missing; it comes with the Debian package prometheus")
		}
		t.Skip("promtool is missing; it comes with the Debian package prometheus")
	}
	for _, b := range blocks(t) {
		if b.kind != "prometheus" {
			continue
		}
		name := filepath.Join(t.TempDir(), "prometheus.yml")
		if err := os.WriteFile(name, []byte(b.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(promtool, "check", "config", "--syntax-only", name).CombinedOutput(); err != nil {
			t.Errorf("README.md:%d: %v\n%s", b.line, err, out)
		}
	}
}

// TestModules finds built-in modules that the README does not list.
func TestModules(t *testing.T) {
	cfg, err := config.Load(config.Input{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range cfg.Names() {
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("README.md does not list the module %s", name)
		}
	}
}

// TestFlags compares the flags of serve with those that the README names.
func TestFlags(t *testing.T) {
	out, err := exec.Command("go", "run", "status_exporter", "--help").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	named := flags(string(text))
	help := string(out)
	from := strings.Index(help, "serve [<flags>]")
	to := strings.Index(help[from:], "\nprobe [")
	if from < 0 || to < 0 {
		t.Fatalf("--help does not list serve and probe:\n%s", help)
	}
	serve := flags(help[from : from+to])
	everywhere := flags(help)
	for _, flag := range slices.Sorted(maps.Keys(serve)) {
		if !named[flag] {
			t.Errorf("README.md does not name --%s", flag)
		}
	}
	for _, flag := range slices.Sorted(maps.Keys(named)) {
		if !everywhere[flag] {
			t.Errorf("README.md names --%s, which does not exist", flag)
		}
	}
}

// flags returns the names of the long flags in a text.
func flags(text string) map[string]bool {
	found := make(map[string]bool)
	for _, match := range regexp.MustCompile(`--(?:\[no-\])?([a-z]+[a-z.-]*[a-z])`).FindAllStringSubmatch(text, -1) {
		found[match[1]] = true
	}
	return found
}
