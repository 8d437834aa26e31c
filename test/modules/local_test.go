package modules_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"status_exporter/collector"
	"status_exporter/collector/document"
	"status_exporter/config"
)

// TestLocalGolden runs the modules that take no target. A case is a
// configuration, testdata/host/linux.yml, that extends the module and names the
// files that it reads.
func TestLocalGolden(t *testing.T) {
	cfg, err := config.Load(config.Input{Getenv: noEnvironment})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range cfg.Names() {
		module, err := cfg.Module(name)
		if err != nil {
			t.Fatal(err)
		}
		if module.HTTP != nil {
			continue
		}
		cases, err := filepath.Glob(filepath.Join(testdata, name, "*.yml"))
		if err != nil {
			t.Fatal(err)
		}
		if len(cases) == 0 {
			t.Errorf("module %s has no configuration in testdata/%s", name, name)
		}
		for _, path := range cases {
			t.Run(name+"/"+caseName(path), func(t *testing.T) {
				result := probeLocal(t, name, path)
				here, err := filepath.Abs(testdata)
				if err != nil {
					t.Fatal(err)
				}
				got := bytes.ReplaceAll(exposition(t, result), []byte(here), []byte("testdata"))
				compare(t, filepath.Join(testdata, name, caseName(path)+".metrics"), got)
				lint(t, result)
			})
		}
	}
}

// TestHostNames lints all that this machine tells, which no golden file could know.
func TestHostNames(t *testing.T) {
	lint(t, probeLocal(t, "host"))
}

// probeLocal probes a module without a target.
func probeLocal(t *testing.T, module string, files ...string) *collector.Result {
	t.Helper()
	cfg, err := config.Load(config.Input{Files: files, Getenv: noEnvironment})
	if err != nil {
		t.Fatal(err)
	}
	pool := collector.NewPool(cfg, collector.Settings{DefaultModule: "app"})
	t.Cleanup(pool.Close)
	lease := pool.Lease()
	defer lease.Release()
	p, err := lease.Probe(collector.Request{Module: module})
	if err != nil {
		t.Fatal(err)
	}
	result := p.Run(t.Context())
	for _, f := range result.Failures {
		t.Errorf("%s: %v", f.Reason, f.Err)
	}
	for _, d := range result.Mapping.Dropped {
		t.Errorf("dropped %d of %s (%s): %s", d.Count, d.Metric, d.Reason, d.Detail)
	}
	result.Duration, result.Phases = 0, document.Phases{}
	return result
}

func lint(t *testing.T, result *collector.Result) {
	t.Helper()
	problems, err := testutil.GatherAndLint(registry(result))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if !given(p.Metric) {
			t.Errorf("the metric linter says of %s: %s", p.Metric, p.Text)
		}
	}
}
