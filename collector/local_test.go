package collector

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"status_exporter/collector/document"
	"status_exporter/config"
)

// TestLocalBudget: sources without a target use the Budget as others do.
func TestLocalBudget(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("long.json", `{"items": ["`+strings.Repeat("x", 1<<20)+`"]}`)
	write("many.json", `{"items": [`+strings.Repeat("1,", 100_000)+`1]}`)
	write("signs.yml", "- ["+strings.Repeat("a,", 60_000)+"]")
	write("few.json", `{"items": [1]}`)
	write("access.log", "")
	write("config.yml", `
modules:
  long: {file: {path: long.json}, metrics: [{name: t_n, value: .items | length}]}
  many: {file: {path: many.json}, metrics: [{name: t_n, value: .items | length}]}
  signs: {file: {path: signs.yml}, format: yaml, metrics: [{name: t_n, value: length}]}
  few: {file: {path: few.json}, metrics: [{name: t_n, value: .items | length}]}
  log: {access_log: {path: access.log, format: common}, metrics: [{name: t_n, value: .lines}]}
  machine: {host: {groups: [memory]}, metrics: [{name: t_n, value: .memory | length}]}
`)
	cfg, err := config.Load(config.Input{Files: []string{filepath.Join(dir, "config.yml")}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		module string
		memory int64 // of the budget
		taken  bool  // there is no place left
		reason document.Reason
	}{
		{"long", 64 << 20, false, ""},
		{"long", 16 << 20, false, document.ReasonOverloaded},
		{"many", 64 << 20, false, ""},
		{"many", 16 << 20, false, document.ReasonOverloaded},
		{"signs", 256 << 20, false, ""},
		{"signs", 64 << 20, false, document.ReasonOverloaded},
		{"few", 64 << 20, true, document.ReasonTimeout},
		{"log", 64 << 20, false, ""},
		{"log", 1 << 10, false, document.ReasonOverloaded},
		{"log", 64 << 20, true, document.ReasonTimeout},
		{"machine", 64 << 20, false, ""},
		{"machine", 1 << 10, false, document.ReasonOverloaded},
		{"machine", 64 << 20, true, document.ReasonTimeout},
	} {
		t.Run(fmt.Sprint(c.module, " ", c.memory, " ", c.taken), func(t *testing.T) {
			budget := NewBudget(1, c.memory)
			pool := NewPool(cfg, Settings{Budget: budget})
			defer pool.Close()
			lease := pool.Lease()
			defer lease.Release()
			p, err := lease.Probe(Request{Module: c.module})
			if err != nil {
				t.Fatal(err)
			}
			ctx := t.Context()
			if c.taken {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 100*time.Millisecond)
				defer cancel()
				other := &share{budget: budget}
				if err := other.Wait(ctx); err != nil {
					t.Fatal(err)
				}
				defer other.release()
			}
			r := p.Run(ctx)
			var reason document.Reason
			if len(r.Failures) > 0 {
				reason = r.Failures[0].Reason
			}
			if reason != c.reason {
				t.Errorf("got %v, want reason %q", r.Failures, c.reason)
			}
			if used := budget.used.Load(); c.reason == "" && used == 0 {
				t.Error("no memory is in use")
			}
			r.Release()
			if used := budget.used.Load(); used != 0 {
				t.Errorf("%d bytes are in use after the probe", used)
			}
		})
	}
}
