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
	type outcome struct {
		Success  bool
		Families int
		Failures []string
	}
	for _, c := range []struct {
		module string
		want   outcome
	}{
		{"one", outcome{false, 0, []string{"status timeout"}}},
		{"several", outcome{false, 1, []string{"late timeout"}}},
		{"optional", outcome{true, 1, []string{"late timeout"}}},
	} {
		t.Run(c.module, func(t *testing.T) {
			var diff string
			for _, timeout := range []time.Duration{500 * time.Millisecond, 5 * time.Second, 20 * time.Second} { // a busy machine needs longer
				got := outcome{}
				lease := pool.Lease()
				defer lease.Release()
				p, err := lease.Probe(collector.Request{Target: target.URL, Module: c.module})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), timeout)
				defer cancel()
				result := p.Run(ctx)
				defer result.Release()
				got.Success, got.Families = result.Success, len(result.Mapping.Families)
				for _, f := range result.Failures {
					got.Failures = append(got.Failures, fmt.Sprint(f.Document, " ", f.Reason))
				}
				if diff = cmp.Diff(c.want, got); diff == "" {
					return
				}
			}
			t.Errorf("(-want +got):\n%s", diff)
		})
	}
}
