package mapping_test

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	gocmp "github.com/google/go-cmp/cmp"

	"status_exporter/collector/document"
	"status_exporter/collector/mapping"
	"status_exporter/collector/tree"
)

// fuzzRules have every key and type, applied to whatever is there.
const fuzzRules = `
- {name: keys, value: length}
- {name: each_item, each: '.[]', labels: {a: .a, b: '.["b"]', c: '.[0]'}, value: '.v? // .'}
- {name: mapped, each: '.. | many', labels: {l: .}, value: ., map: {up: 1, "true": 2, "*": 3}, duplicates: sum}
- {name: partly_mapped, each: '..', value: ., map: {up: 1}, labels: {a: .a?}}
- {name: first, each: '..', value: ., duplicates: first}
- {name: health, type: stateset, states: [up, down], each: '..', labels: {l: 'tostring | .[:5]'}, value: .}
- {name: some_info, each: 'to_entries[]', labels: {key: .key, value: .value}}
- {name: seconds, type: histogram, each: '..', labels: {type: type}, buckets: ., count: '.count?', optional: true}
- {name: own_seconds, type: histogram, each: '..', buckets: ., cumulative: false, duplicates: last}
- {name: sizes, type: summary, each: '..', quantiles: ., labels: {l: '.a?'}, created: '.t? | timestamp'}
- {name: made_total, each: '..', labels: {l: 'type'}, value: '.v? | bytes', created: .t?, duplicates: max}
- each: .. | many
  labels: {outer: '.name?', team: '.team?'}
  const_labels: {env: prod}
  metrics:
    - {name: uptime_seconds, value: .uptime | duration}
    - {name: load_ratio, value: '.load | percent'}
    - each: .[]?
      labels: {inner: '.name?'}
      metrics:
        - {name: by_state, values: {state: {ready: '.ready?', done: '.done?', "": '.v?'}}}
        - {name: request, value: '.cpu | quantity', optional: true}
        - {name: start_seconds, value: .since | timestamp, duplicates: min}
`

func FuzzMap(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, `null`, `0`, `"up"`, `[null, [null]]`, `{"a": {"a": {"a": 1}}}`,
		`[{"name": "a", "team": "", "uptime": "3 days 02:11:01", "load": "5 %", "v": "4 MiB", "t": "2026-11-20T10:00:00Z"}, {"name": "a", "v": 2}]`,
		`[{"v": 1e400, "a": 9007199254740993}, {"v": "NaN", "a": 1.0}, {"v": -0, "a": true, "b": "\ud800"}]`,
		`{"0.5": 1, "+Inf": 3, "NaN": 2, "-1": "1e30"}`, `[[1, 2], [0.5, 1], ["+Inf", "7"], [1, null]]`,
		`{"since": "20/Nov/2026:23:44:42 +0000", "x": {"name": "\u0000", "ready": [], "cpu": "250m"}}`,
	} {
		f.Add([]byte(seed))
	}
	recorded, err := filepath.Glob("../../testdata/*/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range recorded {
		if text, err := os.ReadFile(name); err == nil && len(text) < 4<<10 {
			f.Add(text)
		}
	}
	rules := mustCompile(f, fuzzRules)
	f.Fuzz(func(t *testing.T, text []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		value, err := document.JSON.Decode(ctx, text, "", document.Limits{Depth: 50, Values: 500})
		if err != nil {
			return
		}
		in := mapping.Input{
			Documents: []*document.Document{{Name: document.Status, Value: value}},
			Labels:    []mapping.Label{{Name: "team", Value: "checkout"}, {Name: "zone", Value: ""}},
			Limits:    mapping.Limits{Samples: 2000, LabelValue: 100},
			Explain:   true,
		}
		r := rules.Map(ctx, in)
		checkResult(t, r)

		// The same with Go values in the place of nodes.
		in.Documents = []*document.Document{{Name: document.Status, Value: tree.Go(value)}}
		plain := rules.Map(ctx, in)
		if diff := gocmp.Diff(read(plain), read(r)); diff != "" {
			t.Errorf("%s (-Go values +nodes):\n%s", text, diff)
		}
		if diff := gocmp.Diff(plain.Findings, r.Findings); diff != "" {
			t.Errorf("%s: findings (-Go values +nodes):\n%s", text, diff)
		}
	})
}

// checkResult checks what is true of every result.
func checkResult(t *testing.T, r *mapping.Result) {
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	if r.SampleCount() > 2000 {
		t.Errorf("%d samples, the limit is 2000", r.SampleCount())
	}
	for _, f := range r.Families {
		for i, s := range f.Samples {
			if i > 0 && compareLabels(f.Samples[i-1].Labels, s.Labels) >= 0 {
				t.Errorf("%s after %s: not sorted, or twice", sampleText(f.Family, s), sampleText(f.Family, f.Samples[i-1]))
			}
			if !slices.IsSortedFunc(s.Labels, func(a, b mapping.Label) int { return strings.Compare(a.Name, b.Name) }) {
				t.Errorf("%s: the labels are not sorted", sampleText(f.Family, s))
			}
			for j, l := range s.Labels {
				if l.Value == "" || len(l.Value) > 300 || !utf8.ValidString(l.Value) || j > 0 && s.Labels[j-1].Name == l.Name {
					t.Errorf("%s: label %s is empty, too long, not UTF-8 or there twice", sampleText(f.Family, s), l.Name)
				}
			}
			if d := s.Distribution(); d != nil {
				for i, b := range d.Buckets {
					if b.Count > d.Count || b.UpperBound != b.UpperBound || i > 0 && d.Buckets[i-1].UpperBound >= b.UpperBound {
						t.Errorf("%s: bucket %d of %v with %d observations", f.Family.Name, i, d.Buckets, d.Count)
					}
				}
			}
		}
	}
	total := 0
	for _, d := range r.Dropped {
		if d.Count < 1 || d.Detail == "" || !utf8.ValidString(d.Detail) {
			t.Errorf("dropped %+v", d)
		}
		total += d.Count
	}
	for _, f := range r.Findings {
		total -= f.Dropped
		if f.Samples < 0 {
			t.Errorf("finding %+v", f)
		}
	}
	if total != 0 {
		t.Errorf("the findings tell of %d dropped samples less than there are", total)
	}
}

// compareLabels orders label sets as a registry does: by number, values and names.
func compareLabels(a, b []mapping.Label) int {
	return cmp.Or(
		cmp.Compare(len(a), len(b)),
		slices.CompareFunc(a, b, func(a, b mapping.Label) int { return strings.Compare(a.Value, b.Value) }),
		slices.CompareFunc(a, b, func(a, b mapping.Label) int { return strings.Compare(a.Name, b.Name) }),
	)
}
