package mapping_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRelease maps documents in the memory of others: each becomes what it
// becomes alone, whatever was in that memory.
func TestRelease(t *testing.T) {
	const text = `
- each: .items[]
  labels: {name: .name, zone: .zone}
  metrics:
    - {name: a, value: .a}
    - {name: b, value: .b}
    - {name: c_total, value: .c, created: .since}
    - {name: d, values: {state: {one: .a, two: .b}}}
    - {name: e, labels: {more: .more}, value: .a}
    - {name: f, value: .b, duplicates: sum}
- {name: g, type: histogram, buckets: .buckets}
- {name: h, value: '$headers | length'}
`
	documents := []string{
		`{"items": [], "buckets": {"1": 2}}`,
		`{"items": [{"name": "z", "a": 1, "b": 2, "c": 3, "since": 5}, {"name": "y", "a": 4, "b": 5, "c": 6}]}`,
		`{"items": [{"name": "z", "zone": "q", "a": 1, "more": "m"}, {"name": "z", "zone": "q", "a": 2, "b": 7}]}`,
		`{}`,
	}
	var many string
	for i := range 500 {
		many += fmt.Sprintf(`,{"name": "%d", "zone": "%d", "a": %d, "b": 1, "c": 2}`, i*7%500, i%3, i)
	}
	documents = append(documents, `{"items": [`+many[1:]+`], "buckets": {"1": 2, "2": 3}}`)

	reused := mustCompile(t, text)
	for i := range len(documents) * len(documents) {
		document := documents[(i*i+i/len(documents))%len(documents)]
		got := reused.Map(t.Context(), status(t, document))
		want := read(mustCompile(t, text).Map(t.Context(), status(t, document)))
		if diff := cmp.Diff(want, read(got)); diff != "" {
			t.Fatalf("%.60s in used memory (-alone +reused):\n%s", document, diff)
		}
		got.Release()
	}
}
