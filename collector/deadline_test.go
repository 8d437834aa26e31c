package collector_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector"
)

const slow = `
modules:
  one:
    http: {path: /slow}
    metrics: [{name: t_one, value: .n}]
  several:
    documents:
      fast: {path: /fast}
      late: {path: /slow}
    metrics:
      - {name: t_fast, from: fast, value: .n}
      - {name: t_late, from: late, value: .n}
  optional:
    extends: several
    documents:
      late: {path: /slow, optional: true}
`

// TestDeadline has a target that never answers /slow: that costs the metrics of
// this document, and none of the other's.
func TestDeadline(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-r.Context().Done()
			return
		}
		fmt.Fprint(w, `{"n": 7}`)
	}))
	t.Cleanup(target.Close)
	pool := collector.NewPool(load(t, slow), collector.Settings{})
	t.Cleanup(pool.Close)
	for _, c := range []struct {
		module   string
		success  bool
		families int
		failures []string
	}{
		{"one", false, 0, []string{"status timeout"}},
		{"several", false, 1, []string{"late timeout"}},
		{"optional", true, 1, []string{"late timeout"}},
	} {
		t.Run(c.module, func(t *testing.T) {
			lease := pool.Lease()
			defer lease.Release()
			p, err := lease.Probe(collector.Request{Target: target.URL, Module: c.module})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			result := p.Run(ctx)
			defer result.Release()
			if result.Success != c.success {
				t.Errorf("success is %v, want %v", result.Success, c.success)
			}
			if got := len(result.Mapping.Families); got != c.families {
				t.Errorf("there are samples of %d metrics, want %d", got, c.families)
			}
			var failures []string
			for _, f := range result.Failures {
				failures = append(failures, fmt.Sprint(f.Document, " ", f.Reason))
			}
			if diff := cmp.Diff(c.failures, failures); diff != "" {
				t.Errorf("failures (-want +got):\n%s", diff)
			}
		})
	}
}
