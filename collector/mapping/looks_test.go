package mapping_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"status_exporter/collector/mapping"
)

// A lookedAt is a context that counts how often it is looked at, and ends after some
// looks where left is not negative.
type lookedAt struct {
	context.Context
	looks, left int
}

func (c *lookedAt) Err() error {
	c.looks++
	if c.left >= 0 && c.looks > c.left {
		return context.DeadlineExceeded
	}
	return nil
}

// TestLooksAtTheContext: whatever there may be a million of, the context is looked at
// for every thousand of it, and nothing is left of what it cuts short.
func TestLooksAtTheContext(t *testing.T) {
	const many = 50_000
	members := func(format string) string {
		var text strings.Builder
		for i := range many {
			fmt.Fprintf(&text, ","+format, (i*7919)%many) // in no order
		}
		return text.String()[1:]
	}
	var states strings.Builder
	for i := range many / 10 {
		fmt.Fprintf(&states, ", s%d", i)
	}
	for _, c := range []struct {
		name, rules, document string
		looks                 int // at least
	}{
		{"buckets", "{name: shop_a, type: histogram, buckets: ., cumulative: false}", `{` + members(`"%d": 1`) + `}`, many / 1000 * 3},
		{"pairs", "{name: shop_a, type: histogram, buckets: ., cumulative: false}", `[` + members(`[%d, 1]`) + `]`, many / 1000 * 3},
		{"computed", "{name: shop_a, type: histogram, buckets: map_values(1), cumulative: false}", `{` + members(`"%d": 1`) + `}`, many / 1000 * 3},
		{"quantiles", "{name: shop_a, type: summary, quantiles: .}", `{` + members(`"0.%05d": 1`) + `}`, many / 1000 * 3},
		{"states", "{name: shop_a, type: stateset, value: ., states: [" + states.String()[1:] + "]}", `"s0"`, many / 10 / 1000},
		{"order", "{name: shop_a, each: '.[]', labels: {n: .}, value: 1}", `[` + members(`"%d"`) + `]`, many / 1000 * 10},
		{"conflicts", "{name: shop_a, each: '.[]', labels: {n: .n}, value: .v}", `[` + members(`{"n":%[1]d,"v":1},{"n":%[1]d,"v":2}`) + `]`, many},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules := mustCompile(t, "["+c.rules+"]")
			in := status(t, c.document)
			ctx := &lookedAt{Context: t.Context(), left: -1}
			if r := rules.Map(ctx, in); r.Err != nil || len(r.Families)+len(r.Dropped) == 0 {
				t.Fatalf("error %v, %d families", r.Err, len(r.Families))
			}
			if ctx.looks < c.looks {
				t.Errorf("the context was looked at %d times, want at least %d", ctx.looks, c.looks)
			}
			for _, left := range []int{1, ctx.looks / 4, ctx.looks / 2} {
				ends := &lookedAt{Context: t.Context(), left: left}
				r := rules.Map(ends, in)
				if !errors.Is(r.Err, context.DeadlineExceeded) || len(r.Families) > 0 {
					t.Errorf("after %d looks: error %v, %d families", left, r.Err, len(r.Families))
				}
				if more := ends.looks - left; more > 100 {
					t.Errorf("after %d looks the context was looked at %d times more", left, more)
				}
			}
		})
	}
}

// TestLimitCountsSeries: each bucket and each quantile is a series of its own, however
// few bytes it has in the document.
func TestLimitCountsSeries(t *testing.T) {
	rules := mustCompile(t, `
- {name: shop_a, type: histogram, each: '.items[]', labels: {n: .}, buckets: $root.buckets}
- {name: shop_b, type: summary, each: '.items[]', labels: {n: .}, quantiles: $root.quantiles}
- {name: shop_c, value: .c}
`)
	in := status(t, `{"items": [1, 2, 3], "buckets": {"1": 1, "2": 2, "3": 3}, "quantiles": {"0.5": 1, "0.9": 2}, "c": 1}`)
	in.Limits = mapping.Limits{Samples: 11, LabelValue: 100}
	r := rules.Map(t.Context(), in)
	got := fmt.Sprint(r.SampleCount())
	for _, d := range r.Dropped {
		got += fmt.Sprintf("; %s %s %d: %s", d.Metric, d.Reason, d.Count, d.Detail)
	}
	const full = ": the probe would have more than 11 samples with it, which is the limit"
	const want = "3; shop_a limit 1" + full + "; shop_b limit 2" + full + "; shop_c limit 1" + full
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
