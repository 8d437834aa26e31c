package collector

import (
	"cmp"
	"slices"

	dto "github.com/prometheus/client_model/go"

	"status_exporter/collector/mapping"
)

// messages are the protobuf messages of one exposition, in slabs that are used
// again for the next: nothing is allocated for each series but for histograms
// and summaries.
type messages struct {
	family  []dto.MetricFamily
	metric  []dto.Metric
	label   []dto.LabelPair
	gauge   []dto.Gauge
	counter []dto.Counter
	untyped []dto.Untyped

	familyOut []*dto.MetricFamily
	metricOut []*dto.Metric
	labelOut  []*dto.LabelPair
}

// families fills the messages, sorted by the names of the families.
func (m *messages) families(all []mapping.FamilySamples) []*dto.MetricFamily {
	slices.SortFunc(all, func(a, b mapping.FamilySamples) int { return cmp.Compare(a.Family.Name, b.Family.Name) })
	m.reserve(all)
	var before *mapping.FamilySamples
	for i := range all {
		m.familyOut = append(m.familyOut, m.fillFamily(&all[i], before))
		before = &all[i]
	}
	return m.familyOut
}

// reserve makes room for all families. Pointers into the slabs are handed out,
// so these must not grow while they are filled.
func (m *messages) reserve(all []mapping.FamilySamples) {
	var series, gauges, counters, untyped, labels int
	var before []mapping.Sample
	for _, f := range all {
		n := len(f.Samples)
		series += n
		switch f.Family.Type {
		case mapping.Counter:
			counters += n
		case mapping.Untyped:
			untyped += n
		case mapping.Histogram, mapping.Summary:
		default:
			gauges += n
		}
		for i := range f.Samples {
			if !f.Samples[i].SharesLabels(before, i) {
				labels += len(f.Samples[i].Labels)
			}
		}
		before = f.Samples
	}
	empty(&m.family, len(all))
	empty(&m.familyOut, len(all))
	empty(&m.metric, series)
	empty(&m.metricOut, series)
	empty(&m.label, labels)
	empty(&m.labelOut, labels)
	empty(&m.gauge, gauges)
	empty(&m.counter, counters)
	empty(&m.untyped, untyped)
}

// empty empties a slab and gives it room for n.
func empty[T any](slab *[]T, n int) {
	if cap(*slab) < n {
		*slab = make([]T, 0, n+n/16)
	}
	*slab = (*slab)[:0]
}

// next returns the next message of a slab. What it held before is still in it.
func next[T any](slab *[]T) *T {
	*slab = (*slab)[:len(*slab)+1]
	return &(*slab)[len(*slab)-1]
}

// fillFamily takes the labels of the family before where the samples share them.
func (m *messages) fillFamily(f, before *mapping.FamilySamples) *dto.MetricFamily {
	var samples []mapping.Sample
	var metrics []*dto.Metric
	if before != nil {
		samples, metrics = before.Samples, m.family[len(m.family)-1].Metric
	}
	out := next(&m.family)
	out.Name, out.Help, out.Type = &f.Family.Name, &f.Family.Help, metricType(f.Family.Type)
	from := len(m.metricOut)
	for i := range f.Samples {
		s := &f.Samples[i]
		metric := m.fillMetric(f.Family.Type, s)
		if s.SharesLabels(samples, i) {
			metric.Label = metrics[i].Label
		} else {
			metric.Label = m.fillLabels(s.Labels)
		}
		m.metricOut = append(m.metricOut, metric)
	}
	out.Metric = m.metricOut[from:len(m.metricOut):len(m.metricOut)]
	return out
}

// fillMetric is sampleMetric.Write into the slabs, but for the labels.
func (m *messages) fillMetric(kind mapping.Type, s *mapping.Sample) *dto.Metric {
	out := next(&m.metric)
	out.Gauge, out.Counter, out.Untyped, out.Histogram, out.Summary = nil, nil, nil, nil, nil
	switch kind {
	case mapping.Counter:
		out.Counter = next(&m.counter)
		out.Counter.Value, out.Counter.CreatedTimestamp = &s.Value, created(s)
	case mapping.Untyped:
		out.Untyped = next(&m.untyped)
		out.Untyped.Value = &s.Value
	case mapping.Histogram:
		out.Histogram = histogram(s)
	case mapping.Summary:
		out.Summary = summary(s)
	default:
		out.Gauge = next(&m.gauge)
		out.Gauge.Value = &s.Value
	}
	return out
}

func (m *messages) fillLabels(labels []mapping.Label) []*dto.LabelPair {
	from := len(m.labelOut)
	for i := range labels {
		pair := next(&m.label)
		pair.Name, pair.Value = &labels[i].Name, &labels[i].Value
		m.labelOut = append(m.labelOut, pair)
	}
	return m.labelOut[from:len(m.labelOut):len(m.labelOut)]
}

// metricType returns the type of a family in the data model, which knows neither
// info metrics nor state sets.
func metricType(t mapping.Type) *dto.MetricType {
	switch t {
	case mapping.Counter:
		return dto.MetricType_COUNTER.Enum()
	case mapping.Untyped:
		return dto.MetricType_UNTYPED.Enum()
	case mapping.Histogram:
		return dto.MetricType_HISTOGRAM.Enum()
	case mapping.Summary:
		return dto.MetricType_SUMMARY.Enum()
	default:
		return dto.MetricType_GAUGE.Enum()
	}
}
