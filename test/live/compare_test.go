//go:build linux

package live_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// samples are what an exporter exposes: by series, written as in the text
// format with the labels sorted, as in `apache_workers{state="idle"}`.
type samples map[string]sample

type sample struct {
	family string
	name   string // the family's, or with _bucket, _sum, _count or the like behind it
	labels map[string]string
	value  float64
	within float64 // how far another may be away from value and still agree
}

func (s sample) series() string {
	if len(s.labels) == 0 {
		return s.name
	}
	pairs := make([]string, 0, len(s.labels))
	for _, name := range slices.Sorted(maps.Keys(s.labels)) {
		pairs = append(pairs, name+"="+strconv.Quote(s.labels[name]))
	}
	return s.name + "{" + strings.Join(pairs, ",") + "}"
}

// differ returns what of the wanted values is missing or different.
func (s samples) differ(want map[string]float64) error {
	var problems []error
	for _, series := range slices.Sorted(maps.Keys(want)) {
		switch got, ok := s[series]; {
		case !ok:
			problems = append(problems, fmt.Errorf("%s is missing, want %v", series, want[series]))
		case !near(got.value, want[series]):
			problems = append(problems, fmt.Errorf("%s is %v, want %v", series, got.value, want[series]))
		}
	}
	return errors.Join(problems...)
}

// want checks the values of series.
func (s samples) want(t *testing.T, want map[string]float64) {
	t.Helper()
	if err := s.differ(want); err != nil {
		t.Error(err)
	}
}

// family returns the samples of one family, by their series.
func (s samples) family(name string) samples {
	found := make(samples)
	for series, sample := range s {
		if sample.family == name {
			found[series] = sample
		}
	}
	return found
}

// near tells whether two values are equal but for rounding.
func near(a, b float64) bool {
	return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-9*math.Max(math.Abs(a), math.Abs(b))
}

// parse reads the text format.
func parse(text string) (samples, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	found := make(samples)
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			for _, s := range flatten(family, metric) {
				found[s.series()] = s
			}
		}
	}
	return found, nil
}

// flatten returns the series that a metric is written as.
func flatten(family *dto.MetricFamily, metric *dto.Metric) []sample {
	var out []sample
	add := func(suffix string, value float64, extra ...string) {
		s := sample{family: family.GetName(), name: family.GetName() + suffix, labels: make(map[string]string), value: value}
		for _, label := range metric.GetLabel() {
			s.labels[label.GetName()] = label.GetValue()
		}
		if len(extra) == 2 {
			s.labels[extra[0]] = extra[1]
		}
		out = append(out, s)
	}
	text := func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
	switch {
	case metric.Histogram != nil:
		for _, b := range metric.Histogram.GetBucket() {
			add("_bucket", float64(b.GetCumulativeCount()), "le", text(b.GetUpperBound()))
		}
		add("_sum", metric.Histogram.GetSampleSum())
		add("_count", float64(metric.Histogram.GetSampleCount()))
	case metric.Summary != nil:
		for _, q := range metric.Summary.GetQuantile() {
			add("", q.GetValue(), "quantile", text(q.GetQuantile()))
		}
		add("_sum", metric.Summary.GetSampleSum())
		add("_count", float64(metric.Summary.GetSampleCount()))
	case metric.Counter != nil:
		add("", metric.Counter.GetValue())
	case metric.Gauge != nil:
		add("", metric.Gauge.GetValue())
	default:
		add("", metric.Untyped.GetValue())
	}
	return out
}

// counterparts say, by the family of a dedicated exporter, how a sample of it
// becomes ours where name, labels or unit differ; a name that ends in _ stands
// for all families that begin with it. One that returns false is not looked for:
// the module's file says why.
type counterparts map[string]func(*sample) bool

// of returns what becomes of the samples of a family.
func (c counterparts) of(family string) func(*sample) bool {
	for name, change := range c {
		if name == family || strings.HasSuffix(name, "_") && strings.HasPrefix(family, name) {
			return change
		}
	}
	return func(*sample) bool { return true }
}

// as is a counterpart with another name and unit: ours is theirs times factor.
func as(name string, factor float64) func(*sample) bool {
	return func(s *sample) bool {
		s.name = name + strings.TrimPrefix(s.name, s.family)
		s.value *= factor
		return true
	}
}

// within is a counterpart of the same name whose value may differ by as much.
func within(difference float64) func(*sample) bool {
	return func(s *sample) bool {
		s.within = difference
		return true
	}
}

// none is for what the status page does not say.
func none(*sample) bool { return false }

// isProbeSuccess is for the metric that says whether the program could be asked.
func isProbeSuccess(s *sample) bool {
	s.name, s.labels = "probe_success", nil
	return true
}

// compare checks that everything the dedicated exporter exposes about the
// program stands in ours with the same value. Ours is read before and after
// theirs: where the program stands still the three are equal, and a value that
// moves, if only because it was asked for, lies between. A program may be
// caught moving back and forth, so this is tried for a while.
func compare(t *testing.T, module string, ours, theirs func() samples, table counterparts) {
	t.Helper()
	checkTable(t, module, table)
	eventually(t, "the metrics of module "+module+" to agree with the dedicated exporter's", func(context.Context) error {
		before, their, after := ours(), theirs(), ours()
		var problems []error
		equal, between := 0, 0
		for _, series := range slices.Sorted(maps.Keys(their)) {
			s := their[series]
			if aboutExporter(s.family) {
				continue
			}
			s.labels = maps.Clone(s.labels)
			if !table.of(s.family)(&s) {
				continue
			}
			first, ok1 := before[s.series()]
			second, ok2 := after[s.series()]
			low, high := min(first.value, second.value), max(first.value, second.value)
			switch {
			case !ok1 || !ok2:
				problems = append(problems, fmt.Errorf("%s %v has no counterpart %s", series, their[series].value, s.series()))
			case near(s.value, low) && near(s.value, high):
				equal++
			case s.value >= low-s.within && s.value <= high+s.within:
				between++
			default:
				problems = append(problems, fmt.Errorf("%s is %v there and %s %v to %v here", series, s.value, s.series(), low, high))
			}
		}
		if equal == 0 && len(problems) == 0 {
			problems = append(problems, errors.New("the dedicated exporter exposes nothing about the program"))
		}
		if len(problems) == 0 {
			t.Logf("%d samples are equal, %d moved meanwhile", equal, between)
		}
		return errors.Join(problems...)
	})
}

// aboutExporter tells whether a family of a dedicated exporter is about itself.
func aboutExporter(family string) bool {
	for _, prefix := range []string{"go_", "process_", "promhttp_"} {
		if strings.HasPrefix(family, prefix) {
			return true
		}
	}
	return strings.Contains(family, "exporter_")
}

// checkTable checks that a module's file tells everything that the table does.
func checkTable(t *testing.T, module string, table counterparts) {
	t.Helper()
	text, err := os.ReadFile("../../config/builtin/" + module + ".yml")
	if err != nil {
		t.Fatal(err)
	}
	for family := range table {
		if !strings.Contains(string(text), family) {
			t.Errorf("%s.yml does not say where %s went", module, family)
		}
	}
}

// scrape reads what an exporter exposes.
func scrape(t *testing.T, url string) samples {
	t.Helper()
	found, err := parse(get(t, url))
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	return found
}

// dedicated starts a dedicated exporter on a free address and returns what
// scrapes it. command makes its command line.
func dedicated(t *testing.T, path string, command func(address string) []string) func() samples {
	t.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	args := command(address)
	url := "http://" + address + path
	start(t, args[0], args[1:]...).await(t, answers(url))
	return func() samples { return scrape(t, url) }
}
