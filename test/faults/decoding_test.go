//go:build linux

package faults_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"status_exporter/test/faults/program"
)

// many returns a text with n items, in which %d is the number of each.
func many(n int, begin, item, end string) string {
	var b strings.Builder
	b.WriteString(begin)
	for i := range n {
		b.WriteString(strings.ReplaceAll(item, "%d", fmt.Sprint(i)))
	}
	b.WriteString(end)
	return b.String()
}

// merges is a document of YAML in which each mapping merges the one before ten times.
func merges(n int) string {
	s := "a0: &a0 {}\n"
	for i := range n {
		s += fmt.Sprintf("a%d: &a%d {<<: [%s]}\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	return s
}

// TestDecodingEndsInTime sends what takes long to decode, or much memory for its size.
func TestDecodingEndsInTime(t *testing.T) {
	exporter := start(t, `
modules:
  yaml: {format: yaml, metrics: [{name: shop_value, value: .value}]}
  xml: {format: xml, metrics: [{name: shop_value, value: .value}]}
`)
	tests := []struct {
		module, name, body string
		memory             int64 // MiB at most, above what the exporter had before
	}{
		{"yaml", "merge keys", merges(12), 32},
		{"yaml", "merge keys of a list", "a: &a {}\nl: &l [" + strings.Repeat("*a,", 50_000) + "]\nb:\n" + strings.Repeat("- {<<: *l}\n", 200_000), 200},
		{"yaml", "numbers of many digits", "a: &a ." + strings.Repeat("7", 1<<20) + "\nb:\n" + strings.Repeat("- *a\n", 900_000), 300},
		{"yaml", "tags", strings.Repeat("! ", 5<<20), 100},
		{"yaml", "anchors", strings.Repeat("&a ", 4<<20), 100},
		{"yaml", "a list in brackets", many(900_000, "[", "?,", "]"), 100},
		{"yaml", "a list in brackets in another", many(900_000, "- [", "?,", "]"), 100},
		{"yaml", "a list in brackets, as long as it may be", many(50_000, "- [", "a%d: b,", "]"), 200},
		{"yaml", "keys", many(900_000, "", "k%d: 1\n", ""), 500},
		{"xml", "attributes", many(900_000, "<status", " a%d='1'", "/>"), 500},
		{"xml", "elements", many(900_000, "<status>", "<a%d/>", "</status>"), 500},
		{"xml", "a declaration that does not end", "<?xml " + strings.Repeat("encoding= ", 1_500_000), 100},
	}
	for _, test := range tests {
		t.Run(test.module+" "+test.name, func(t *testing.T) {
			target := url.QueryEscape(document(test.body)(t))
			before, _ := exporter.Resident(t)
			exporter.ResetPeak(t)
			for _, deadline := range []time.Duration{deadline / 4, deadline / 2, deadline} {
				const tries = 3 // a busy machine may be late once
				var took time.Duration
				for range tries {
					a, err := exporter.Get("/probe?module="+test.module+"&target="+target,
						"X-Prometheus-Scrape-Timeout-Seconds", fmt.Sprint((deadline + 500*time.Millisecond).Seconds()))
					if err != nil || a.Status != http.StatusOK {
						t.Fatalf("answered %v %d", err, a.Status)
					}
					if took = a.Took; took <= deadline+overrun {
						break
					}
				}
				t.Logf("%v for a deadline of %v", took.Round(time.Millisecond), deadline)
				if took > deadline+overrun {
					t.Errorf("took %v, the deadline is %v", took, deadline)
				}
			}
			_, peak := exporter.Resident(t)
			grown := max(0, peak-before) >> 20
			t.Logf("%d MiB", grown)
			if grown > test.memory && !program.Race {
				t.Errorf("took %d MiB, expected at most %d", grown, test.memory)
			}
		})
	}
}
