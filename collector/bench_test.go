package collector_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"

	"status_exporter/collector"
)

// BenchmarkExposition gathers and prints the 20,000 series of one probe.
func BenchmarkExposition(b *testing.B) {
	const items, families = 5000, 4
	var document strings.Builder
	for i := range items {
		fmt.Fprintf(&document, `{"name": "orders-%05d", "node": "node-%d", "n": %d}`+"\n", i, i%5, i)
	}
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, document.String()) }))
	b.Cleanup(target.Close)
	var rules strings.Builder
	rules.WriteString("modules:\n  many:\n    metrics:\n      - each: .[]\n        labels: {queue: .name, node: .node}\n        metrics:\n")
	for i := range families {
		fmt.Fprintf(&rules, "          - {name: shop_%d, value: .n}\n", i)
	}
	pool := collector.NewPool(load(b, rules.String()), collector.Settings{})
	b.Cleanup(pool.Close)
	lease := pool.Lease()
	b.Cleanup(lease.Release)
	p, err := lease.Probe(collector.Request{Target: target.URL, Module: "many"})
	if err != nil {
		b.Fatal(err)
	}
	result := p.Run(context.Background())
	b.Cleanup(result.Release)
	if got := result.Mapping.SampleCount(); got != items*families {
		b.Fatalf("the probe has %d samples, want %d: %v", got, items*families, result.Failures)
	}
	for name, kind := range map[string]expfmt.FormatType{"text": expfmt.TypeTextPlain, "openmetrics": expfmt.TypeOpenMetrics, "protobuf": expfmt.TypeProtoDelim} {
		format := expfmt.NewFormat(kind)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				gathered, done, err := result.Gather()
				if err != nil {
					b.Fatal(err)
				}
				encoder := expfmt.NewEncoder(io.Discard, format)
				for _, f := range gathered {
					if err := encoder.Encode(f); err != nil {
						b.Fatal(err)
					}
				}
				done()
			}
		})
	}
}
