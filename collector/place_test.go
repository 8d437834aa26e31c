package collector_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"status_exporter/collector"
)

// TestWaitingTakesNoPlace: a probe that has decoded one document and waits for
// another, or for the next page, keeps nobody else from working.
func TestWaitingTakesNoPlace(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/fast", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"x": 1, "items": [1], "next": "/slow"}`))
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-answer
		_, _ = w.Write([]byte(`{"x": 2, "items": [2]}`))
	})
	target := httptest.NewServer(mux)
	defer target.Close()
	pool := collector.NewPool(load(t, `
modules:
  one: {metrics: [{name: shop_x, value: .x}]}
  documents:
    documents: {fast: {path: /fast}, slow: {path: /slow}}
    metrics: [{name: shop_x, from: fast, value: .x}, {name: shop_y, from: slow, value: .x}]
  pages:
    http: {path: /fast, pages: {next: .next, items: .items}}
    metrics: [{name: shop_x, each: '.[1]', value: .}]
`), collector.Settings{Budget: collector.NewBudget(1, 1<<30)})
	defer pool.Close()
	lease := pool.Lease()
	defer lease.Release()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	probe := func(module, path string) *collector.Result {
		p, err := lease.Probe(collector.Request{Target: target.URL + path, Module: module})
		if err != nil {
			t.Error(err)
			return nil
		}
		r := p.Run(ctx)
		r.Release()
		return r
	}
	for _, module := range []string{"documents", "pages"} {
		slow := make(chan *collector.Result)
		go func() { slow <- probe(module, "") }()
		<-asked
		if r := probe("one", "/fast"); !r.Success {
			t.Errorf("beside one of %s that waits a probe fails: %v", module, r.Failures)
		}
		answer <- struct{}{}
		if r := <-slow; !r.Success {
			t.Errorf("%s: %v", module, r.Failures)
		}
	}
}
