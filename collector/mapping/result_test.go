package mapping_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/document"
	"status_exporter/collector/mapping"
)

func TestSatisfied(t *testing.T) {
	const (
		found    = "{name: found, value: .v}"
		lost     = "{name: lost, value: .gone}"
		wrong    = "{name: wrong, value: .text}"
		conflict = "{name: conflict, each: '.v, .w', value: .}"
		empty    = "{name: empty, each: '.empty[]', value: .}"
		group    = "{each: '.empty[]', metrics: [{name: within, value: .}]}"
		skipped  = "{name: skipped, from: other, value: .}"
	)
	optional := func(rule string) string { return strings.Replace(rule, "{", "{optional: true, ", 1) }
	tests := []struct {
		rules []string
		want  bool
	}{
		{[]string{found}, true},
		{[]string{lost}, false},
		{[]string{wrong}, false},
		{[]string{conflict}, false},
		{[]string{empty}, true},
		{[]string{group}, true},
		{[]string{lost, found}, true},
		{[]string{lost, wrong}, false},
		{[]string{lost, empty}, true},
		{[]string{optional(lost)}, true},
		{[]string{optional(lost), optional(wrong)}, true},
		{[]string{optional(found), lost}, false},
		{[]string{optional(empty), lost}, false},
		{[]string{optional(group), lost}, false},
		{[]string{optional("{metrics: [" + found + "]}"), lost}, false},
		{[]string{"{metrics: [" + optional(found) + ", " + lost + "]}"}, false},
		{[]string{skipped}, true},
		{[]string{skipped, lost}, false},
	}
	for _, test := range tests {
		rules := mustCompile(t, "[{from: status, metrics: ["+strings.Join(test.rules, ", ")+"]}]", document.Status, "other")
		result := rules.Map(t.Context(), status(t, `{"v": 1, "w": 2, "text": "x", "empty": []}`))
		if result.Satisfied != test.want {
			t.Errorf("%s: satisfied %t, want %t", test.rules, result.Satisfied, test.want)
		}
	}
}

func TestFindings(t *testing.T) {
	rules := mustCompile(t, `
- name: shop_messages
  each: .queues[]
  labels: {queue: .name}
  value: .messages
- each: |-
    .queues
      | .[]
  labels: {queue: .name}
  metrics:
    - {name: shop_bytes, optional: true, value: .memory.bytes}
    - {name: shop_by_state, values: {state: {a: .messages, b: .b}}}
    - {name: shop_queue_info}
- {name: shop_none, each: '.none[]', value: .}
- {name: shop_typo, value: .queue.messages}
- {name: shop_nodes, each: '.node[]', value: .}
- {name: shop_seconds, type: histogram, buckets: .b, count: .c}
`)
	in := status(t, `{"queues": [{"name": "a", "messages": 1}, {"name": "b", "messages": "x"}], "none": [], "nodes": []}`)
	in.Explain = true
	got := rules.Map(t.Context(), in).Findings
	if typo := got[6].Hint; !strings.Contains(typo, "`.queues`") {
		t.Errorf("the hint for .queue.messages is %q, which does not name .queues", typo)
	}
	const hinted = "…" // in the words of package query
	for i := range got {
		if got[i].Hint != "" {
			got[i].Hint = hinted
		}
	}
	want := []mapping.Finding{
		{Metric: "shop_messages", Expression: ".queues[] | .messages", Document: "status", Items: 2, Samples: 1, Dropped: 1},
		{Expression: ".queues | .[]", Document: "status", Items: 2},
		{Metric: "shop_bytes", Depth: 1, Expression: ".memory.bytes", Document: "status", Optional: true, Items: 2, Hint: hinted},
		{Metric: "shop_by_state", Depth: 1, Expression: ".messages, …", Document: "status", Items: 2, Samples: 1, Dropped: 3, Hint: hinted},
		{Metric: "shop_queue_info", Depth: 1, Expression: "the document", Document: "status", Items: 2, Samples: 2},
		{Metric: "shop_none", Expression: ".none[] | .", Document: "status", Empty: true},
		{Metric: "shop_typo", Expression: ".queue.messages", Document: "status", Items: 1, Dropped: 1, Hint: hinted},
		{Metric: "shop_nodes", Expression: ".node[] | .", Document: "status", Dropped: 1, Hint: hinted},
		{Metric: "shop_seconds", Expression: ".b, .c", Document: "status", Items: 1, Dropped: 1, Hint: hinted},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	in.Explain = false
	for _, f := range rules.Map(t.Context(), in).Findings {
		if f.Hint != "" {
			t.Errorf("%s: hint %q without being asked", f.Metric, f.Hint)
		}
	}
}

func TestLimits(t *testing.T) {
	rules := mustCompile(t, `
- {name: shop_a, each: '.[]', labels: {n: .n}, value: 1}
- {name: shop_b, value: length}
- {name: shop_state, type: stateset, states: [x, y], value: '"x"'}
`)
	in := status(t, `[{"n": "1"}, {"n": "22"}, {"n": "333"}, {"n": "é"}, {"n": "5"}, {"n": "6"}, {"n": "7"}]`)
	in.Limits = mapping.Limits{Samples: 4, LabelValue: 2}
	want := outcome{
		Satisfied: true,
		Samples:   []string{`shop_a{n="1"} 1`, `shop_a{n="22"} 1`, `shop_a{n="5"} 1`, `shop_a{n="é"} 1`},
		Dropped: []string{
			"shop_a: 3 for limit; label n: `.n` found \"333\", which has 3 bytes, the limit is 2",
			"shop_b: 1 for limit; the probe would have more than 4 samples with it, which is the limit",
			"shop_state: 2 for limit; the probe would have more than 4 samples with it, which is the limit",
		},
	}
	if diff := cmp.Diff(want, read(rules.Map(t.Context(), in))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSampleCount(t *testing.T) {
	rules := mustCompile(t, `[{name: shop_a, each: '.[]', labels: {n: .}, value: .}, {name: shop_b, value: length}]`)
	if got := rules.Map(t.Context(), status(t, `[1, 2, 2, 3]`)).SampleCount(); got != 4 {
		t.Errorf("SampleCount() = %d, want 4", got)
	}
}

// large returns a document of many items.
func large(t testing.TB, items int) mapping.Input {
	var text strings.Builder
	for i := range items {
		text.WriteString("," + fmt.Sprintf(`{"name": "queue %d", "vhost": "v%d", "node": "rabbit@%d", "ready": %d, "unacked": %d, "memory": %d.5, "consumers": %d}`,
			i, i%7, i%5, i, i/2, i*1000, i%9))
	}
	return status(t, "["+text.String()[1:]+"]")
}

// TestEndOfContext ends the context in the middle of a large document.
func TestEndOfContext(t *testing.T) {
	in := large(t, 100_000)
	for name, text := range map[string]string{
		"paths":       "[{each: '.[]', labels: {queue: .name}, metrics: [{name: shop_a, value: .ready}, {name: shop_b, value: .unacked}]}]",
		"expressions": "[{each: '.[] | {name, ready}', labels: {queue: '.name | ascii_upcase'}, metrics: [{name: shop_a, value: .ready + 1}]}]",
		"one by one":  "[{name: shop_a, each: 'range(1e9)', value: ., labels: {n: .}}]",
		"labels":      "[{each: '.[]', labels: {queue: 'last(range(1e4))'}, metrics: [{name: shop_a, value: .ready}]}]",
		"one label":   "[{each: '.[]', labels: {queue: 'last(range(1e12))'}, metrics: [{name: shop_a, value: .ready}]}]",
	} {
		t.Run(name, func(t *testing.T) {
			rules := mustCompile(t, text)
			var took time.Duration
			for range 3 { // the machine may be busy with something else
				deadline := time.Now().Add(20 * time.Millisecond)
				ctx, cancel := context.WithDeadline(t.Context(), deadline)
				result := rules.Map(ctx, in)
				took = time.Since(deadline)
				cancel()
				if !errors.Is(result.Err, context.DeadlineExceeded) {
					t.Fatalf("error %v, want the end of the context", result.Err)
				}
				if len(result.Families) > 0 || len(result.Dropped) > 0 || result.Satisfied {
					t.Errorf("%d families, dropped %v, satisfied %t; want none of it", len(result.Families), result.Dropped, result.Satisfied)
				}
				if took < 100*time.Millisecond {
					return
				}
			}
			t.Errorf("returned %v after the deadline, want within 100 ms", took)
		})
	}
}

func TestContextThatHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	result := mustCompile(t, "[{name: shop_a, value: .}]").Map(ctx, status(t, "1"))
	if !errors.Is(result.Err, context.Canceled) || len(result.Families) > 0 {
		t.Errorf("error %v, families %v", result.Err, result.Families)
	}
}
