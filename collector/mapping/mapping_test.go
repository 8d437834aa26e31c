package mapping_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/document"
	"status_exporter/collector/mapping"
	"status_exporter/config/options"
)

// compile reads rules as they stand under `metrics:`.
func compile(text string, documents ...string) (*mapping.Rules, *options.Decoder) {
	d := options.NewDecoder(func(string) (string, bool) { return "", false })
	rules := &mapping.Rules{}
	if top := d.Parse("shop.yml", []byte(strings.TrimLeft(text, "\n"))); top != nil {
		rules.Decode(d, top, "shop", documents)
	}
	return rules, d
}

func mustCompile(t testing.TB, text string, documents ...string) *mapping.Rules {
	t.Helper()
	if len(documents) == 0 {
		documents = []string{document.Status}
	}
	rules, d := compile(text, documents...)
	if err := d.Err(); err != nil {
		t.Fatal(err)
	}
	return rules
}

func decode(t testing.TB, json string) any {
	t.Helper()
	v, err := document.JSON.Decode(context.Background(), []byte(json), "", document.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// status returns a probe's only document.
func status(t testing.TB, json string) mapping.Input {
	return mapping.Input{Documents: []*document.Document{{
		Name: document.Status, Value: decode(t, json), StatusCode: 200, Header: http.Header{"X-Version": {"7"}},
	}}}
}

// outcome is a Result as people read it.
type outcome struct {
	Samples   []string // as in the text format, in order
	Dropped   []string // metric: count for reason; detail
	Satisfied bool
}

func read(r *mapping.Result) outcome {
	o := outcome{Satisfied: r.Satisfied}
	for _, f := range r.Families {
		for _, s := range f.Samples {
			o.Samples = append(o.Samples, sampleText(f.Family, s))
		}
	}
	for _, d := range r.Dropped {
		o.Dropped = append(o.Dropped, fmt.Sprintf("%s: %d for %s; %s", d.Metric, d.Count, d.Reason, d.Detail))
	}
	return o
}

func sampleText(f *mapping.Family, s mapping.Sample) string {
	text := f.Name
	for i, l := range s.Labels {
		text += string("{,"[min(i, 1)]) + fmt.Sprintf("%s=%q", l.Name, l.Value)
	}
	if len(s.Labels) > 0 {
		text += "}"
	}
	number := func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
	if d := s.Distribution(); d != nil {
		for _, b := range d.Buckets {
			text += fmt.Sprintf(" le=%v:%d", b.UpperBound, b.Count)
		}
		for _, q := range d.Quantiles {
			text += fmt.Sprintf(" q=%v:%s", q.Quantile, number(q.Value))
		}
		text += fmt.Sprintf(" count=%d sum=%s", d.Count, number(d.Sum))
	} else {
		text += " " + number(s.Value)
	}
	if !s.Created().IsZero() {
		text += " created " + s.Created().UTC().Format("2006-01-02T15:04:05.999Z07:00")
	}
	return text
}

// mapTest is one document and what the rules make of it.
type mapTest struct {
	name, rules, document string
	want                  outcome
}

func (test *mapTest) run(t *testing.T) {
	t.Run(test.name, func(t *testing.T) {
		t.Helper()
		got := read(mustCompile(t, test.rules).Map(t.Context(), status(t, test.document)))
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func runAll(t *testing.T, tests []mapTest) {
	t.Helper()
	for i := range tests {
		tests[i].run(t)
	}
}
