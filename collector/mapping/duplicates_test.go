package mapping_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDuplicates(t *testing.T) {
	const items = `[
		{"q": "a", "v": 3, "id": 7}, {"q": "b", "v": 1, "id": 8}, {"q": "a", "v": 5, "id": 9},
		{"q": "b", "v": 1, "id": 10}, {"q": "a", "v": 4, "id": 11}, {"q": "c", "v": "NaN"}, {"q": "c", "v": "NaN"}
	]`
	tests := []struct {
		policy string
		want   outcome
	}{
		{"first", outcome{Satisfied: true, Samples: []string{`x{q="a"} 3`, `x{q="b"} 1`, `x{q="c"} NaN`}}},
		{"last", outcome{Satisfied: true, Samples: []string{`x{q="a"} 4`, `x{q="b"} 1`, `x{q="c"} NaN`}}},
		{"sum", outcome{Satisfied: true, Samples: []string{`x{q="a"} 12`, `x{q="b"} 2`, `x{q="c"} NaN`}}},
		{"min", outcome{Satisfied: true, Samples: []string{`x{q="a"} 3`, `x{q="b"} 1`, `x{q="c"} NaN`}}},
		{"max", outcome{Satisfied: true, Samples: []string{`x{q="a"} 5`, `x{q="b"} 1`, `x{q="c"} NaN`}}},
		{"", outcome{
			Satisfied: true,
			Samples:   []string{`x{q="b"} 1`, `x{q="c"} NaN`},
			Dropped:   []string{`x: 3 for duplicate; 3 samples have the labels {q="a"} and different values; a label made from .id would tell them apart`},
		}},
	}
	for _, test := range tests {
		rules := "[{name: x, each: '.[]', labels: {q: .q}, value: .v}]"
		if test.policy != "" {
			rules = strings.Replace(rules, "name: x,", "name: x, duplicates: "+test.policy+",", 1)
		}
		(&mapTest{"policy " + test.policy, rules, items, test.want}).run(t)
	}
}

func TestDuplicatesOfOtherTypes(t *testing.T) {
	runAll(t, []mapTest{
		{
			name: "histograms",
			rules: `
- {name: same, type: histogram, each: '.same[]', buckets: .b}
- {name: other, type: histogram, each: '.other[]', buckets: .b}
- {name: first, type: histogram, each: '.other[]', buckets: .b, duplicates: first}
- {name: last, type: summary, each: '.other[]', quantiles: .b, count: "1", duplicates: last}
- {name: quantiles, type: summary, each: '.same[]', quantiles: .q}
`,
			document: `{"same": [{"b": {"1": 2}, "q": {"0.5": "NaN"}}, {"b": [[1, 2]], "q": {"0.50": "NaN"}}], "other": [{"b": {"1": 2}}, {"b": {"1": 3}}]}`,
			want: outcome{
				Satisfied: true,
				Samples: []string{
					"same le=1:2 count=2 sum=NaN", "first le=1:2 count=2 sum=NaN", "last q=1:3 count=1 sum=NaN", "quantiles q=0.5:NaN count=0 sum=NaN",
				},
				Dropped: []string{"other: 2 for duplicate; 2 samples have the labels {} and different values"},
			},
		},
		{
			name:     "state sets",
			rules:    "[{name: h, type: stateset, states: [up, down], each: '.[]', value: ., duplicates: max}]",
			document: `["up", "up", "down"]`,
			want:     outcome{Satisfied: true, Samples: []string{`h{h="down"} 1`, `h{h="up"} 1`}},
		},
		{
			name: "empty labels are left out before duplicates are looked for",
			rules: `
- {name: x, each: '.[]', labels: {q: .q, r: .r}, value: .v}
`,
			document: `[{"q": "", "v": 1}, {"q": null, "v": 2}, {"r": "z", "v": 3}]`,
			want: outcome{
				Satisfied: true,
				Samples:   []string{`x{r="z"} 3`},
				Dropped:   []string{"x: 2 for duplicate; 2 samples have the labels {} and different values"},
			},
		},
		{
			name: "of two rules",
			rules: `
- {name: x, value: .a}
- {name: y, value: .a}
- {name: x, value: .b}
`,
			document: `{"a": 1, "b": 2}`,
			want: outcome{
				Satisfied: true,
				Samples:   []string{`y 1`},
				Dropped: []string{
					"x: 1 for duplicate; 2 samples have the labels {} and different values",
					"x: 1 for duplicate; 2 samples have the labels {} and different values",
				},
			},
		},
		{
			name:     "label sets of which one begins like another are two",
			rules:    "[{name: x, each: '.[]', labels: {a: .a, b: .b}, value: .v}]",
			document: `[{"a": "1", "b": "2", "v": 1}, {"a": "1", "v": 2}, {"b": "2", "v": 3}]`,
			want:     outcome{Satisfied: true, Samples: []string{`x{a="1"} 2`, `x{b="2"} 3`, `x{a="1",b="2"} 1`}},
		},
	})
}

// TestDuplicatesInAnyOrder maps the same items in many orders: which samples are
// exposed does not depend on it.
func TestDuplicatesInAnyOrder(t *testing.T) {
	rules := mustCompile(t, "[{name: x, each: '.[]', labels: {q: .q}, value: .v}]")
	items := make([]string, 0, 30)
	for i := range 10 {
		items = append(items,
			fmt.Sprintf(`{"q": "equal %d", "v": 1}`, i), fmt.Sprintf(`{"q": "equal %d", "v": 1.0}`, i),
			fmt.Sprintf(`{"q": "alone %d", "v": %d}`, i, i),
			fmt.Sprintf(`{"q": "conflict %d", "v": 1}`, i), fmt.Sprintf(`{"q": "conflict %d", "v": 1}`, i), fmt.Sprintf(`{"q": "conflict %d", "v": 2}`, i))
	}
	var want outcome
	random := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		random.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
		got := read(rules.Map(t.Context(), status(t, "["+strings.Join(items, ",")+"]")))
		if want.Samples == nil {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" || len(got.Samples) != 20 {
			t.Fatalf("%d samples; (-first order +this order):\n%s", len(got.Samples), diff)
		}
	}
}

func TestDistinguishingLabel(t *testing.T) {
	tests := []struct{ name, value, items, want string }{
		{"a name before other texts", ".v", `[{"color": "red", "name": "a", "v": 1}, {"color": "blue", "name": "b", "v": 2}]`, ".name"},
		{"a text before a number", ".v", `[{"id": 5, "shard": "x", "v": 1}, {"id": 6, "shard": "y", "v": 2}]`, ".id"},
		{"another text", ".v", `[{"color": "red", "v": 1}, {"color": "blue", "v": 2}]`, ".color"},
		{"a port", ".v", `[{"port": 80, "v": 1}, {"port": 81, "v": 2}]`, ".port"},
		{"deeper", ".spec.v", `[{"metadata": {"name": "a"}, "spec": {"v": 1}}, {"metadata": {"name": "b"}, "spec": {"v": 2}}]`, ".metadata.name"},
		{"odd keys", ".v", `[{"@id": "a", "v": 1}, {"@id": "b", "v": 2}]`, `.["@id"]`},
		{"odd keys deeper", ".v", `[{"m": {"a-name": "a"}, "v": 1}, {"m": {"a-name": "b"}, "v": 2}]`, `.m["a-name"]`},
		{"never the value", ".status | length", `[{"status": "a", "v": 1}, {"status": "bb", "v": 2}]`, ""},
		{"never a measurement", ".v", `[{"memory": 5, "v": 1}, {"memory": 6, "v": 2}]`, ""},
		{"never a measurement written as a text", ".v", `[{"memory": "5", "v": 1}, {"memory": "6", "v": 2}]`, ""},
		{"it differs between all", ".v", `[{"name": "a", "v": 1}, {"name": "a", "v": 2}, {"name": "b", "v": 3}]`, ""},
		{"all have it", ".v", `[{"name": "a", "v": 1}, {"v": 2}]`, ""},
		{"no objects", ".", `[1, 2]`, ""},
		{"objects and others", ".v? // 5", `[{"name": "a", "v": 1}, 7]`, ""},
	}
	for _, test := range tests {
		rules := mustCompile(t, "- name: x\n  each: .[]\n  value: |-\n    "+test.value)
		result := rules.Map(t.Context(), status(t, test.items))
		if len(result.Dropped) != 1 {
			t.Errorf("%s: dropped %v", test.name, result.Dropped)
			continue
		}
		want := fmt.Sprintf("%d samples have the labels {} and different values", result.Dropped[0].Count)
		if test.want != "" {
			want += "; a label made from " + test.want + " would tell them apart"
		}
		if diff := cmp.Diff(want, result.Dropped[0].Detail); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}
