// Package modules_test runs every built-in module over the recorded documents in
// testdata/<module>/ and compares the complete exposition with a golden file.
//
// A case is one file, testdata/apache/busy.txt, or a folder with one file for
// each of the module's documents, testdata/rabbitmq/busy/queues.json. A number
// before the extension is the status code of the answer: down.503.json.
// The golden file is testdata/<module>/<case>.metrics; -update writes it.
package modules_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"status_exporter/collector"
	"status_exporter/collector/document"
	"status_exporter/config"
)

var update = flag.Bool("update", false, "write the golden files")

const testdata = "../../testdata"

func TestGolden(t *testing.T) {
	cfg, err := config.Load(config.Input{Getenv: noEnvironment})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range cfg.Names() {
		module, err := cfg.Module(name)
		if err != nil {
			t.Fatal(err)
		}
		if module.HTTP == nil {
			continue // what a local source reads is not recorded
		}
		cases := recorded(t, name)
		if len(cases) == 0 {
			t.Errorf("module %s has no recorded document in testdata/%s", name, name)
		}
		for _, path := range cases {
			t.Run(name+"/"+caseName(path), func(t *testing.T) {
				t.Parallel()
				result := probe(t, name, path)
				golden := filepath.Join(testdata, name, caseName(path)+".metrics")
				compare(t, golden, exposition(t, result))
				problems, err := testutil.GatherAndLint(registry(result))
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range problems {
					if !given(p.Metric) {
						t.Errorf("the metric linter says of %s: %s", p.Metric, p.Text)
					}
				}
			})
		}
	}
}

// given tells whether a metric's name is not ours to choose.
func given(metric string) bool {
	return strings.HasPrefix(metric, "app_") || metric == "system_usage"
}

// recorded returns the cases of a module.
func recorded(t *testing.T, module string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(testdata, module))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var cases []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".metrics") {
			cases = append(cases, filepath.Join(testdata, module, e.Name()))
		}
	}
	return cases
}

func caseName(path string) string {
	name, _, _ := strings.Cut(filepath.Base(path), ".")
	return name
}

// probe serves the documents of a case and probes them. Times, which no golden
// file could know, are set to zero.
func probe(t *testing.T, module, path string) *collector.Result {
	t.Helper()
	server := newServer(t, module, serve(t, path))
	cfg, err := config.Load(config.Input{Files: overridden(t, module, path, server), Getenv: noEnvironment})
	if err != nil {
		t.Fatal(err)
	}
	pool := collector.NewPool(cfg, collector.Settings{DefaultModule: "app"})
	t.Cleanup(pool.Close)
	lease := pool.Lease()
	defer lease.Release()
	p, err := lease.Probe(collector.Request{Target: server.URL, Module: module})
	if err != nil {
		t.Fatal(err)
	}
	result := p.Run(context.Background())
	for _, f := range result.Failures {
		t.Logf("%s: %v", f.Reason, f.Err)
	}
	for _, d := range result.Mapping.Dropped {
		t.Logf("dropped %d of %s (%s): %s", d.Count, d.Metric, d.Reason, d.Detail)
	}
	result.Duration, result.Phases = 0, document.Phases{}
	return result
}

// overridden returns the configuration in which the module asks the server:
// documents have paths of their own where there are several.
func overridden(t *testing.T, module, path string, server *httptest.Server) []string {
	t.Helper()
	text := ""
	if info, err := os.Stat(path); err != nil {
		t.Fatal(err)
	} else if info.IsDir() {
		entries, err := os.ReadDir(path)
		if err != nil {
			t.Fatal(err)
		}
		text = "    documents:\n"
		for _, e := range entries {
			text += fmt.Sprintf("      %s: {path: /%s}\n", caseName(e.Name()), e.Name())
		}
	}
	if module == kubernetesPods {
		text += inCluster(t, server)
	}
	if text == "" {
		return nil
	}
	name := filepath.Join(t.TempDir(), "module.yml")
	text = fmt.Sprintf("modules:\n  %s:\n    extends: %s\n%s", module, module, text)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{name}
}

// serve answers with a recorded file: that of the path, or the only one.
func serve(t *testing.T, path string) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, r *http.Request) {
		name := path
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			name = filepath.Join(path, filepath.Base(r.URL.Path))
		}
		body, err := os.ReadFile(name)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		parts := strings.Split(filepath.Base(name), ".")
		if len(parts) == 3 {
			if status, err := strconv.Atoi(parts[1]); err == nil {
				w.WriteHeader(status)
			}
		}
		w.Write(body)
	}
}

func registry(result *collector.Result) *prometheus.Registry {
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(result)
	return r
}

func exposition(t *testing.T, result *collector.Result) []byte {
	t.Helper()
	families, err := registry(result).Gather()
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
	return out.Bytes()
}

func compare(t *testing.T, golden string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatalf("%v; go test ./test/modules -update writes it", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("%s differs from what is exposed (-want +got); go test ./test/modules -update takes it over:\n%s", golden, diff)
	}
}

// TestNoOrphans finds golden files without a case, and cases without a module.
func TestNoOrphans(t *testing.T) {
	cfg, err := config.Load(config.Input{Getenv: noEnvironment})
	if err != nil {
		t.Fatal(err)
	}
	goldens, err := filepath.Glob(filepath.Join(testdata, "*", "*.metrics"))
	if err != nil {
		t.Fatal(err)
	}
	for _, golden := range goldens {
		module := filepath.Base(filepath.Dir(golden))
		if _, err := cfg.Module(module); err != nil {
			t.Errorf("%s belongs to no module", golden)
			continue
		}
		has := func(path string) bool { return caseName(path) == caseName(golden) }
		if !slices.ContainsFunc(recorded(t, module), has) {
			t.Errorf("%s has no recorded document", golden)
		}
	}
}

func noEnvironment(string) (string, bool) { return "", false }
