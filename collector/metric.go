package collector

import (
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

// Write fills the protobuf message that a registry gathers. An info metric or a
// state set is a gauge: the data model knows neither.
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
	switch m.kind {
	case mapping.Counter:
		out.Counter = &dto.Counter{Value: &s.Value, CreatedTimestamp: created(s)}
	case mapping.Untyped:
		out.Untyped = &dto.Untyped{Value: &s.Value}
	case mapping.Histogram:
		out.Histogram = histogram(s)
	case mapping.Summary:
		out.Summary = summary(s)
	default:
		out.Gauge = &dto.Gauge{Value: &s.Value}
	}
	return nil
}

func created(s *mapping.Sample) *timestamppb.Timestamp {
	at := s.Created()
	if at.IsZero() {
		return nil
	}
	return timestamppb.New(at)
}

func histogram(s *mapping.Sample) *dto.Histogram {
	d := s.Distribution()
	out := &dto.Histogram{
		SampleCount: &d.Count, SampleSum: &d.Sum, CreatedTimestamp: created(s),
		Bucket: make([]*dto.Bucket, len(d.Buckets)),
	}
	buckets := make([]dto.Bucket, len(d.Buckets))
	for i := range d.Buckets {
		b := &buckets[i]
		b.UpperBound, b.CumulativeCount = &d.Buckets[i].UpperBound, &d.Buckets[i].Count
		out.Bucket[i] = b
	}
	return out
}

func summary(s *mapping.Sample) *dto.Summary {
	d := s.Distribution()
	out := &dto.Summary{
		SampleCount: &d.Count, SampleSum: &d.Sum, CreatedTimestamp: created(s),
		Quantile: make([]*dto.Quantile, len(d.Quantiles)),
	}
	quantiles := make([]dto.Quantile, len(d.Quantiles))
	for i := range d.Quantiles {
		q := &quantiles[i]
		q.Quantile, q.Value = &d.Quantiles[i].Quantile, &d.Quantiles[i].Value
		out.Quantile[i] = q
	}
	return out
}

// newDesc describes a family. Label names are not part of it: they differ
// between samples.
func newDesc(f *mapping.Family) *prometheus.Desc { return prometheus.NewDesc(f.Name, f.Help, nil, nil) }

// families returns everything that a probe exposes: what the rules made, and
// what is to tell about the probe.
func (r *Result) families() []mapping.FamilySamples {
	families := make([]mapping.FamilySamples, 0, len(r.Mapping.Families)+aboutFamilies)
	return r.about(append(families, r.Mapping.Families...))
}

// Collect emits the metrics of a probe that was made already.
func (r *Result) Collect(ch chan<- prometheus.Metric) {
	for _, f := range r.families() {
		desc := newDesc(f.Family)
		metrics := make([]sampleMetric, len(f.Samples))
		for i := range f.Samples {
			metrics[i] = sampleMetric{desc, f.Family.Type, &f.Samples[i]}
			ch <- &metrics[i]
		}
	}
}
