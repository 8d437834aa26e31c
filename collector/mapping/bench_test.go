package mapping_test

import (
	"testing"

	"status_exporter/collector/mapping"
)

// BenchmarkMap makes 20,000 samples with three labels of 5,000 items.
func BenchmarkMap(b *testing.B) {
	for _, bench := range []struct{ name, rules string }{
		{"group", `
- each: .[]
  labels: {queue: .name, vhost: .vhost, node: .node}
  metrics:
    - {name: shop_ready, value: .ready}
    - {name: shop_unacked, value: .unacked}
    - {name: shop_memory_bytes, value: .memory}
    - {name: shop_consumers, value: .consumers}
`},
		{"rules", `
- {name: shop_ready, each: '.[]', labels: {queue: .name, vhost: .vhost, node: .node}, value: .ready}
- {name: shop_unacked, each: '.[]', labels: {queue: .name, vhost: .vhost, node: .node}, value: .unacked}
- {name: shop_memory_bytes, each: '.[]', labels: {queue: .name, vhost: .vhost, node: .node}, value: .memory}
- {name: shop_consumers, each: '.[]', labels: {queue: .name, vhost: .vhost, node: .node}, value: .consumers}
`},
		{"values", `
- name: shop_messages
  each: .[]
  labels: {queue: .name, vhost: .vhost}
  values: {state: {ready: .ready, unacked: .unacked, memory: .memory, consumers: .consumers}}
`},
		{"expressions", `
- each: .[]
  labels: {queue: '.name | ascii_upcase', vhost: .vhost, node: .node}
  metrics:
    - {name: shop_ready, value: .ready + 1}
    - {name: shop_unacked, value: .unacked * 2}
    - {name: shop_memory_bytes, value: .memory / 1024}
    - {name: shop_consumers, value: .consumers - 1}
`},
	} {
		b.Run(bench.name, func(b *testing.B) {
			benchmarkMap(b, bench.rules, large(b, 5000), 20_000)
		})
	}
	b.Run("small", func(b *testing.B) {
		benchmarkMap(b, `
- {name: app_requests_current, value: .current_requests}
- {name: app_requests_pending, value: .pending_requests}
- {name: app_uptime, value: .total_uptime}
- {name: app_health, type: stateset, states: [healthy, unhealthy], value: .health}
`, status(b, `{"current_requests":10,"pending_requests":2,"total_uptime":25.99274135,"health":"healthy"}`), 5)
	})
}

func benchmarkMap(b *testing.B, text string, in mapping.Input, samples int) {
	rules := mustCompile(b, text)
	b.ReportAllocs()
	for b.Loop() {
		r := rules.Map(b.Context(), in)
		if r.SampleCount() != samples {
			b.Fatalf("%d samples, want %d; %v", r.SampleCount(), samples, r.Dropped)
		}
		r.Release()
	}
}
