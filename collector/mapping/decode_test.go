package mapping_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMistakes states what is wrong with rules. Positions are line:column.
func TestMistakes(t *testing.T) {
	tests := []struct{ name, rules, want string }{
		{
			"not a list", "{name: a, value: .a}",
			"1:1: metrics is a mapping, expected a list",
		},
		{
			"no rules in a group", "- {each: '.[]', metrics: []}",
			"1:26: metrics is an empty list, expected at least one rule in the group",
		},
		{
			"a rule that is a text", "- shop_jobs",
			"1:3: a rule is a text, expected a mapping (key: value)",
		},
		{
			"no name", "- {value: .a}",
			"1:3: a rule needs a name, or metrics to group",
		},
		{
			"a misspelt name", "- {nmae: shop_jobs, value: .a}",
			"1:4: unknown key \"nmae\" in a rule; did you mean \"name\"? expected one of buckets, const_labels, count, created, cumulative, duplicates, each, from, help, label, labels, map, metrics, name, optional, quantiles, states, sum, type, value, values",
		},
		{
			"a name that is a list", "- {name: [a], value: .a}",
			"1:10: name: found a list, expected a text",
		},
		{
			"a misspelt value is not also missing", "- {name: a, valeu: .a}",
			"1:13: unknown key \"valeu\" in metric a; did you mean \"value\"? expected one of buckets, const_labels, count, created, cumulative, duplicates, each, from, help, label, labels, map, metrics, name, optional, quantiles, states, sum, type, value, values",
		},
		{
			"a misspelt type tells nothing of what it needs", "- {name: a, type: histgram, buckets: .b}",
			"1:19: type: found the text \"histgram\", expected one of gauge, counter, untyped, info, stateset, histogram, summary; did you mean \"histogram\"?",
		},
		{
			"metric names", "- {name: my metric, value: .a}\n- {name: 1st, value: .a}\n- {name: 'ns:a:b', value: .a}",
			"1:10: \"my metric\" is not a metric name, expected letters, digits, _ and :, not beginning with a digit\n" +
				"2:10: \"1st\" is not a metric name, expected letters, digits, _ and :, not beginning with a digit",
		},
		{
			"reserved names", "- {name: up, value: .a}\n- {name: go_goroutines, value: .a}\n- {name: probe_success, value: .a}\n- {name: status_probe_x, value: .a}\n- {name: update, value: .a}",
			"1:10: the metric name up is reserved: Prometheus makes it for every scrape\n" +
				"2:10: the metric name go_goroutines is reserved: names that begin with go_ belong to the exporter or to Prometheus\n" +
				"3:10: the metric name probe_success is reserved: names that begin with probe_ belong to the exporter or to Prometheus\n" +
				"4:10: the metric name status_probe_x is reserved: names that begin with status_probe_ belong to the exporter or to Prometheus",
		},
		{
			"label names", "- {name: a, value: .a, labels: {__name__: .n, my-label: .n}, const_labels: {'': x}}",
			"1:33: the label __name__ is reserved: labels that begin with __ belong to Prometheus\n" +
				"1:47: \"my-label\" is not a label name, expected letters, digits and _, not beginning with a digit\n" +
				"1:77: \"\" is not a label name, expected letters, digits and _, not beginning with a digit",
		},
		{
			"a label set twice", "- each: .[]\n  labels: {a: .a}\n  metrics:\n    - {name: x, values: {a: {b: .b}}}\n    - {name: y, value: .v, const_labels: {a: b}}\n    - {name: a, type: stateset, states: [b], value: .v}\n- {name: z, value: .v, labels: {a: .a}, const_labels: {a: b}}",
			"4:26: the label a is set twice, first at shop.yml:2:12\n" +
				"5:43: the label a is set twice, first at shop.yml:2:12\n" +
				"6:14: the label a is set twice, first at shop.yml:2:12\n" +
				"7:56: the label a is set twice, first at shop.yml:7:33",
		},
		{
			"labels that histograms and summaries have themselves", "- labels: {le: .le, quantile: .q}\n  metrics:\n    - {name: h, type: histogram, buckets: .b}\n    - {name: s, type: summary, count: .c}\n    - {name: g, value: .v}",
			"1:12: the label le is reserved in the histogram h\n" +
				"1:21: the label quantile is reserved in the summary s",
		},
		{
			"keys of other types",
			"- {name: g, value: .v, states: [a], label: l, buckets: .b, cumulative: true, created: .c}\n" +
				"- {name: c_total, value: .v, quantiles: .q, sum: .s}\n" +
				"- {name: a_info, value: .v, map: {a: 1}, duplicates: sum}\n" +
				"- {name: s, type: stateset, states: [a], value: .v, values: {a: {b: .b}}}\n" +
				"- {name: h, type: histogram, buckets: .b, value: .v, quantiles: .q}",
			"1:24: metric g has type gauge, which takes no states; that is for stateset\n" +
				"1:37: metric g has type gauge, which takes no label; that is for stateset\n" +
				"1:47: metric g has type gauge, which takes no buckets; that is for histogram\n" +
				"1:60: metric g has type gauge, which takes no cumulative; that is for histogram\n" +
				"1:78: metric g has type gauge, which takes no created; that is for counter, histogram and summary\n" +
				"2:30: metric c_total has type counter, which takes no quantiles; that is for summary\n" +
				"2:45: metric c_total has type counter, which takes no sum; that is for histogram and summary\n" +
				"3:18: metric a_info has type info, whose value is always 1: it takes labels and no value\n" +
				"3:29: metric a_info has type info, whose value is always 1: it takes labels and no map\n" +
				"3:42: metric a_info has type info, whose value is always 1: it takes labels and no duplicates\n" +
				"4:53: metric s has type stateset, which takes no values; that is for gauge, counter and untyped\n" +
				"5:43: metric h has type histogram, which takes no value; that is for gauge, counter, untyped and stateset\n" +
				"5:54: metric h has type histogram, which takes no quantiles; that is for summary",
		},
		{
			"what types need",
			"- {name: g}\n- {name: b, value: .v, values: {l: {a: .a}}}\n- {name: s, type: stateset}\n- {name: h, type: histogram, count: .c}\n- {name: q, type: summary, sum: .s}\n- {name: t, type: stateset, value: .v, states: []}",
			"1:3: metric g has type gauge and needs value, or values\n" +
				"2:3: metric b has both value and values, expected one of them\n" +
				"3:3: metric s has type stateset and needs states, a list of all states there are\n" +
				"3:3: metric s has type stateset and needs value\n" +
				"4:3: metric h has type histogram and needs buckets\n" +
				"5:3: metric q has type summary and needs quantiles, or count and sum\n" +
				"6:3: metric t has no states, expected a list of all states there are",
		},
		{
			"values", "- {name: a, values: {}}\n- {name: b, values: {l: {a: .a}, m: {b: .b}}}\n- {name: c, values: {l: {}}}\n- {name: d, values: {l: .a}}\n- {name: e, values: .a}\n- {name: f, values: {l: {a: [.a]}}}",
			"1:21: values has 0 labels, expected one label, and under it an expression for each of its values\n" +
				"2:21: values has 2 labels, expected one label, and under it an expression for each of its values\n" +
				"3:25: the label l of values has no values, expected one label, and under it an expression for each of its values\n" +
				"4:25: the label l of values is a text, expected a mapping (key: value)\n" +
				"5:21: values is a text, expected a mapping (key: value)\n" +
				"6:29: a: found a list, expected an expression, in quotes where it begins with { or [",
		},
		{
			"map", "- {name: a, value: .v, map: {a: x, b: [1], c: '1', d: , e: 1}}\n- {name: b, value: .v, map: running}",
			"1:33: found the text \"x\" for \"a\" in map, expected a number\n" +
				"1:39: found a list for \"b\" in map, expected a number\n" +
				"1:47: found the text \"1\" for \"c\" in map, expected a number\n" +
				"1:55: found an empty value for \"d\" in map, expected a number\n" +
				"2:29: map is a text, expected a mapping (key: value)",
		},
		{
			"states", "- {name: a, type: stateset, value: .v, states: [x, '', y, x, [z]]}",
			"1:52: a state is empty, expected a text\n" +
				"1:59: the state x stands twice in states\n" +
				"1:62: states: found a list, expected a text",
		},
		{
			"duplicates", "- {name: a, value: .v, duplicates: newest}\n- {name: b, type: histogram, buckets: .b, duplicates: sum}\n- {name: c, type: stateset, states: [x], value: .v, duplicates: sum}",
			"1:36: duplicates: found the text \"newest\", expected one of first, last, sum, min, max\n" +
				"2:55: metric b has type histogram, whose duplicates can be first or last, not sum\n" +
				"3:65: metric c has type stateset, whose values are 0 and 1: duplicates can be first, last, min or max, not sum",
		},
		{
			"a group with keys of a metric", "- {name: a, each: '.[]', value: .v, metrics: [{name: b, value: .b}]}\n- {help: Jobs., metrics: [{name: c, value: .c}]}",
			"1:4: metric a has metrics, which makes it a group of rules, and cannot have name as well\n" +
				"1:26: metric a has metrics, which makes it a group of rules, and cannot have value as well\n" +
				"2:4: a rule has metrics, which makes it a group of rules, and cannot have help as well",
		},
		{
			"rules of one name that differ",
			"- {name: a, help: A., value: .v}\n- {name: a, help: B., value: .v, const_labels: {x: y}}\n- {name: a, type: counter, value: .v}\n- {name: a, duplicates: sum, value: .v}\n- {name: b, value: .v}\n- {name: b, help: B., value: .v}\n- {name: b, help: C., value: .v}",
			"2:10: metric a has another help than at shop.yml:1:10, expected the same text or none\n" +
				"3:10: metric a has type counter here and type gauge at shop.yml:1:10, expected the same\n" +
				"4:10: metric a treats duplicates otherwise than at shop.yml:1:10, expected the same\n" +
				"7:10: metric b has another help than at shop.yml:5:10, expected the same text or none",
		},
		{
			"names that a histogram and a summary take",
			"- {name: h_count, value: .v}\n- {name: h, type: histogram, buckets: .b}\n- {name: h_bucket, value: .v}\n- {name: s, type: summary, count: .c}\n- {name: s_sum, value: .v}\n- {name: s_bucket, value: .v}",
			"1:10: metric h_count clashes with the histogram h at shop.yml:2:10, which exposes a series of that name\n" +
				"3:10: metric h_bucket clashes with the histogram h at shop.yml:2:10, which exposes a series of that name\n" +
				"5:10: metric s_sum clashes with the summary s at shop.yml:4:10, which exposes a series of that name",
		},
		{
			"an expression that is none", "- {name: a, value: up}\n- {name: b, value: .messages-ready}",
			"1:20: the expression `up` is wrong at character 1: there is no function up; a text has quotes of its own within those of YAML: '\"up\"', and a key has a dot before it: .up\n" +
				"2:20: the expression `.messages-ready` is wrong at character 11: there is no function ready; a key with other characters than letters, digits and _ needs quotes: .[\"messages-ready\"]",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, d := compile(test.rules, "status")
			if d.Err() == nil {
				t.Fatal("no error")
			}
			got := strings.ReplaceAll("\n"+d.Err().Error(), "\nshop.yml:", "\n")[1:]
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestMistakesWithDocuments(t *testing.T) {
	const rules = `
- {name: a, value: .v}
- {name: b, from: queue, value: .v}
- each: .[]
  metrics: [{name: c, value: .v}]
- const_labels: {x: y}
  metrics: [{name: d, from: nodes, value: .v}, {name: e, value: .v}]
- {name: f, from: [nodes], value: .v}
`
	_, d := compile(rules, "queues", "nodes")
	want := `shop.yml:1:3: metric a does not say which document it is made from, expected from: with one of queues, nodes
shop.yml:2:19: there is no document "queue", expected one of queues, nodes
shop.yml:3:3: a rule does not say which document it is made from, expected from: with one of queues, nodes
shop.yml:6:48: metric e does not say which document it is made from, expected from: with one of queues, nodes
shop.yml:7:19: from: found a list, expected a text`
	if diff := cmp.Diff(want, d.Err().Error()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWarnings(t *testing.T) {
	_, d := compile(`
- {name: shop_orders, type: counter, value: .v}
- {name: shop_visits_total, value: .v}
- {name: shop_visits, value: .v}
- {name: shop_x, value: .v | select(.a = 1)}
`, "status")
	if err := d.Err(); err != nil {
		t.Fatal(err)
	}
	want := `shop.yml:1:10: counter shop_orders does not end in _total: OpenMetrics exposes it as unknown
shop.yml:3:10: metric shop_visits and counter shop_visits_total are one family to OpenMetrics, which scrapers may refuse`
	var got []string
	for _, w := range d.Warnings()[:2] {
		got = append(got, w.Error())
	}
	if diff := cmp.Diff(want, strings.Join(got, "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHelp(t *testing.T) {
	rules := mustCompile(t, `
- {name: shop_a, help: A given text., value: .a}
- {name: shop_b, value: .b}
- name: shop_c
  each: |-
    .queues
      | to_entries[]
  values: {state: {ready: .value.ready, done: .value.done}}
- {name: shop_info}
- {name: shop_d, value: .d}
- {name: shop_d, const_labels: {x: y}, help: Given later., value: .e}
`)
	var got []string
	for i, f := range rules.Families() {
		if f.Index != i {
			t.Errorf("%s has index %d, want %d", f.Name, f.Index, i)
		}
		got = append(got, f.Name+" "+string(f.Type)+": "+f.Help)
	}
	want := []string{
		"shop_a gauge: A given text.",
		"shop_b gauge: From .b of module shop.",
		"shop_c gauge: From .queues | to_entries[] | .value.ready, … of module shop.",
		"shop_info info: From the document of module shop.",
		"shop_d gauge: Given later.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
