package query_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"status_exporter/collector/query"
)

func benchDocument() any {
	queues := make(map[string]any)
	nodes := make([]any, 1000)
	for i := range nodes {
		name := fmt.Sprintf("q%04d", i)
		queues[name] = map[string]any{"messages": json.Number("17"), "load": "5.0 %", "vhost": "/"}
		nodes[i] = map[string]any{"name": name, "status": "running", "load": json.Number("0.5")}
	}
	return map[string]any{"queues": queues, "nodes": nodes, "uptime": "3 days 02:11:01", "size": "12.5 kB", "rate": "5.0 %", "cpu": "250m", "at": "2026-11-20T23:44:42.25Z", "log": "20/Nov/2026:23:44:42 +0000", "lag": "363µs"}
}

func BenchmarkOne(b *testing.B) {
	document := nodes(b, benchDocument())
	for _, source := range []string{
		".queues.q0500.messages",
		".queues | .q0500 | .load",
		"$root.queues.q0500.vhost",
		".rate | percent", ".uptime | duration", ".lag | duration", ".size | bytes", ".cpu | quantity", ".at | timestamp", ".log | timestamp",
		".queues.q0500.messages // 0",
		".queues.q0500.messages * 2",
		".queues.q0500.messages + 2",
		`.uptime | test("days")`,
		`.uptime | capture("(?<d>\\d+) days").d | tonumber`,
		`.nodes | map(select(.status == "running")) | length`,
		`.nodes | map(.load) | add`,
		`.uptime |= .`,
		`.absent.path?`,
	} {
		q := compile(b, source)
		env := &query.Env{Root: document}
		b.Run(source, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := q.One(context.Background(), env, document); err != nil {
					b.Fatal(err)
				}
			}
		})
		if q.Plain() {
			b.Run("machine/"+source, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					q.ByMachine(context.Background(), env, document, func(any, error) bool { return true })
				}
			})
		}
	}
}

func BenchmarkAll(b *testing.B) {
	document := nodes(b, benchDocument())
	for _, source := range []string{".nodes[].name", ".queues[]", ".queues | to_entries[]", ".nodes | many | .load"} {
		q := compile(b, source)
		env := &query.Env{Root: document}
		b.Run(source, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for range q.All(context.Background(), env, document) {
				}
			}
		})
		b.Run("machine/"+source, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				q.ByMachine(context.Background(), env, document, func(any, error) bool { return true })
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, source := range []string{".a.b", ".a // 0", `.a | gsub("x"; "y") | tonumber * 2`} {
		b.Run(source, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				compile(b, source)
			}
		})
	}
}

func BenchmarkGsub(b *testing.B) {
	text := strings.Repeat("ab,", 1<<20/3)
	q := compile(b, `gsub(","; ";")`)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := q.One(context.Background(), &query.Env{}, text); err != nil {
			b.Fatal(err)
		}
	}
}
