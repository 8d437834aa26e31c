package collector

import (
	"math"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"status_exporter/collector/mapping"
)

// A sampleMetric is a const metric that reads a sample where it is. The labels
// of a sample are sorted and unique already, which is what makes this cheaper
// than prometheus.NewConstMetric: that sorts and checks them for every metric.
type sampleMetric struct {
	desc   *prometheus.Desc
	kind   mapping.Type
	sample *mapping.Sample
}

func (m *sampleMetric) Desc() *prometheus.Desc { return m.desc }

// Write fills the protobuf message that the registry gathers. An info metric or
// a state set is a gauge: the data model knows neither.
func (m *sampleMetric) Write(out *dto.Metric) error {
	s := m.sample
	if len(s.Labels) > 0 {
		pairs := make([]dto.LabelPair, len(s.Labels))
		out.Label = make([]*dto.LabelPair, len(s.Labels))
		for i := range s.Labels {
			pairs[i].Name, pairs[i].Value = &s.Labels[i].Name, &s.Labels[i].Value
			out.Label[i] = &pairs[i]
		}
	}
	var created *timestamppb.Timestamp
	if !s.Created.IsZero() {
		created = timestamppb.New(s.Created)
	}
	switch m.kind {
	case mapping.Counter:
		out.Counter = &dto.Counter{Value: &s.Value, CreatedTimestamp: created}
	case mapping.Untyped:
		out.Untyped = &dto.Untyped{Value: &s.Value}
	case mapping.Histogram:
		out.Histogram = histogram(s.Distribution)
		out.Histogram.CreatedTimestamp = created
	case mapping.Summary:
		out.Summary = summary(s.Distribution)
		out.Summary.CreatedTimestamp = created
	default:
		out.Gauge = &dto.Gauge{Value: &s.Value}
	}
	return nil
}

func histogram(d *mapping.Distribution) *dto.Histogram {
	out := &dto.Histogram{SampleCount: &d.Count, SampleSum: &d.Sum, Bucket: make([]*dto.Bucket, 0, len(d.Buckets))}
	for le, count := range d.Buckets {
		out.Bucket = append(out.Bucket, &dto.Bucket{UpperBound: &le, CumulativeCount: &count})
	}
	slices.SortFunc(out.Bucket, func(a, b *dto.Bucket) int { return ascending(*a.UpperBound, *b.UpperBound) })
	return out
}

func summary(d *mapping.Distribution) *dto.Summary {
	out := &dto.Summary{SampleCount: &d.Count, SampleSum: &d.Sum, Quantile: make([]*dto.Quantile, 0, len(d.Quantiles))}
	for quantile, value := range d.Quantiles {
		out.Quantile = append(out.Quantile, &dto.Quantile{Quantile: &quantile, Value: &value})
	}
	slices.SortFunc(out.Quantile, func(a, b *dto.Quantile) int { return ascending(*a.Quantile, *b.Quantile) })
	return out
}

func ascending(a, b float64) int { return int(math.Copysign(1, a-b)) }

// collectSamples emits what the rules made.
func (r *Result) collectSamples(ch chan<- prometheus.Metric) {
	for _, f := range r.Mapping.Families {
		metrics := make([]sampleMetric, len(f.Samples))
		for i := range f.Samples {
			metrics[i] = sampleMetric{r.Probe.descs[f.Family.Index], f.Family.Type, &f.Samples[i]}
			ch <- &metrics[i]
		}
	}
}

// newDescs returns the descriptions of the families that the rules can make.
// Label names are not part of them: they differ between samples.
func newDescs(rules *mapping.Rules) []*prometheus.Desc {
	families := rules.Families()
	descs := make([]*prometheus.Desc, len(families))
	for i, f := range families {
		descs[i] = prometheus.NewDesc(f.Name, f.Help, nil, nil)
	}
	return descs
}
