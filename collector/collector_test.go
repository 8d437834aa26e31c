package collector_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"status_exporter/collector"
	"status_exporter/config"
)

// rules make every type of metric, with labels that may be absent, duplicates
// and values of all kinds.
const rules = `
modules:
  all:
    metrics:
      - each: .items[]
        labels: {id: .id, zone: .zone}
        metrics:
          - {name: t_gauge, value: .value}
          - {name: t_total, value: .value, created: .since}
          - {name: t_untyped, type: untyped, value: .value}
          - {name: t_info, labels: {state: .state}}
          - {name: t_state, type: stateset, states: [up, down], value: .state}
          - {name: t_seconds, type: histogram, buckets: .buckets, sum: .value, duplicates: first}
          - {name: t_summary, type: summary, quantiles: .quantiles, sum: .value, count: .count, duplicates: last}
          - {name: t_values, values: {kind: {a: .value, b: .count}}}
`

// FuzzGather compares the ways from a probe to families: a Collector in a pedantic
// registry, and direct gathering, at once and in parts.
func FuzzGather(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, 5)
	}
	cfg := load(f, rules)
	var document atomic.Value
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write(document.Load().([]byte))
	}))
	f.Cleanup(target.Close)
	pool := collector.NewPool(cfg, collector.Settings{})
	f.Cleanup(pool.Close)
	f.Fuzz(func(t *testing.T, seed uint64, items int) {
		body, err := json.Marshal(random(rand.New(rand.NewPCG(seed, 1)), min(max(items, 0), 50)))
		if err != nil {
			t.Fatal(err)
		}
		document.Store(body)
		lease := pool.Lease()
		defer lease.Release()
		p, err := lease.Probe(collector.Request{Target: target.URL, Module: "all"})
		if err != nil {
			t.Fatal(err)
		}
		result := p.Run(context.Background())
		defer result.Release()
		registry := prometheus.NewPedanticRegistry()
		registry.MustRegister(result)
		want, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		got, done, err := result.Gather()
		if err != nil {
			t.Fatal(err)
		}
		defer done()
		if diff := cmp.Diff(texts(t, want), texts(t, got)); diff != "" {
			t.Errorf("direct gathering differs from the registry (-registry +direct) for %s:\n%s", body, diff)
		}
		most := int(seed % 20)
		parts := make([]string, len(texts(t, nil)))
		result.InParts(most, func(families []*dto.MetricFamily) {
			series := 0
			for _, f := range families {
				series += len(f.Metric)
			}
			if len(families) != 1 && series > most {
				t.Errorf("%d families with %d series are one part, want at most %d series", len(families), series, most)
			}
			for i, text := range texts(t, families) {
				parts[i] += text
			}
		})
		if diff := cmp.Diff(texts(t, want), parts); diff != "" {
			t.Errorf("gathering in parts of %d series differs from the registry (-registry +parts) for %s:\n%s", most, body, diff)
		}
	})
}

// random makes a document; few different ids make duplicates likely.
func random(r *rand.Rand, items int) any {
	pick := func(of ...any) any { return of[r.IntN(len(of))] }
	list := make([]any, items)
	for i := range list {
		list[i] = map[string]any{
			"id": pick("a", "b", "", nil, fmt.Sprint(i), `quo"te\n`), "zone": pick("eu", "us", nil, 7),
			"value": pick(r.Float64(), r.IntN(9), "12", nil, "text", true, -1), "state": pick("up", "down", "lost", nil),
			"since": pick(nil, 1700000000), "count": pick(3, nil, 2.5),
			"buckets":   pick(map[string]any{"0.1": 1, "1": 2, "+Inf": 3}, nil, map[string]any{"1": 3, "2": 1}),
			"quantiles": pick(map[string]any{"0.5": 1, "0.9": 2}, nil),
		}
	}
	return map[string]any{"items": list}
}

// texts writes families in the formats that are exposed.
func texts(t *testing.T, families []*dto.MetricFamily) []string {
	t.Helper()
	var all []string
	for _, format := range []expfmt.Format{expfmt.NewFormat(expfmt.TypeTextPlain), expfmt.NewFormat(expfmt.TypeOpenMetrics), expfmt.NewFormat(expfmt.TypeProtoText)} {
		var out bytes.Buffer
		encoder := expfmt.NewEncoder(&out, format, expfmt.WithCreatedLines())
		for _, f := range families {
			if err := encoder.Encode(f); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, out.String())
	}
	return all
}

func load(t testing.TB, yaml string) *config.Config {
	t.Helper()
	name := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(name, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(config.Input{Files: []string{name}})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// TestReplace: a scrape in flight keeps the configuration that it began with;
// connections of modules that did not change are kept, those of others are
// closed once their last scrape has ended.
func TestReplace(t *testing.T) {
	const (
		shop  = "modules: {shop: {http: {params: {v: %q}}, metrics: [{name: %s, value: .value}]}}"
		other = "modules: {other: {metrics: [{name: other, value: .value}]}}"
	)
	var opened, closed atomic.Int64
	hold, asked := make(chan struct{}), make(chan struct{})
	target := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("v") == "held" {
			asked <- struct{}{}
			<-hold
		}
		io.WriteString(w, `{"value": 1}`)
	}))
	target.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			opened.Add(1)
		case http.StateClosed:
			closed.Add(1)
		}
	}
	target.Start()
	defer target.Close()
	pool := collector.NewPool(load(t, fmt.Sprintf(shop, "1", "a")), collector.Settings{DefaultModule: "shop"})
	defer pool.Close()
	scrape := func(want string) {
		t.Helper()
		lease := pool.Lease()
		defer lease.Release()
		p, err := lease.Probe(collector.Request{Target: target.URL})
		if err != nil {
			t.Error(err)
			return
		}
		result := p.Run(context.Background())
		defer result.Release()
		if !result.Success || result.Mapping.Families[0].Family.Name != want {
			t.Errorf("the scrape gave %v, %v, want %s", result.Success, result.Mapping.Families, want)
		}
	}
	expect := func(what string, opens, closes int64) {
		t.Helper()
		for deadline := time.Now().Add(5 * time.Second); closed.Load() != closes && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond) // between looks
		}
		if opened.Load() != opens || closed.Load() != closes {
			t.Fatalf("%s: %d connections opened and %d closed, want %d and %d", what, opened.Load(), closed.Load(), opens, closes)
		}
	}

	scrape("a")
	expect("one scrape", 1, 0)
	pool.Replace(load(t, fmt.Sprintf(shop, "1", "b"))) // other rules, the same way to ask
	scrape("b")
	expect("a reload that changes rules", 1, 0)
	pool.Replace(load(t, fmt.Sprintf(shop, "held", "c")))
	expect("a reload that changes the request", 1, 1)

	done := make(chan struct{})
	go func() {
		defer close(done)
		scrape("c")
	}()
	<-asked
	pool.Replace(load(t, other))
	expect("a reload during a scrape", 2, 1)
	close(hold)
	<-done
	expect("the end of the last scrape", 2, 2)
}

// TestCollector registers a Collector as any program would: each gathering asks
// the target again, and what it gives is what direct gathering gives.
func TestCollector(t *testing.T) {
	var asked atomic.Int64
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"items": [{"id": "b", "value": %[1]d}, {"id": "a", "value": %[1]d}]}`, asked.Add(1))
	}))
	defer target.Close()
	pool := collector.NewPool(load(t, rules), collector.Settings{})
	defer pool.Close()
	lease := pool.Lease()
	defer lease.Release()
	p, err := lease.Probe(collector.Request{Target: target.URL, Module: "all"})
	if err != nil {
		t.Fatal(err)
	}
	observed := 0
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(collector.New(t.Context(), p, func(context.Context, *collector.Result) { observed++ }))
	for round := 1; round <= 3; round++ {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		text := texts(t, families)[0]
		for _, id := range []string{"a", "b"} {
			if line := fmt.Sprintf("\nt_gauge{id=%q} %d\n", id, round); !strings.Contains(text, line) {
				t.Errorf("round %d lacks %q:\n%s", round, line, text)
			}
		}
	}
	if observed != 3 {
		t.Errorf("%d results were observed, want 3", observed)
	}
}
