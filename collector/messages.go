package collector

import (
	"cmp"
	"slices"

	dto "github.com/prometheus/client_model/go"

	"status_exporter/collector/mapping"
	"status_exporter/collector/spare"
)

// messages are the protobuf messages of one exposition, in slabs that are used
// again: nothing is allocated for each series but for histograms and summaries. The
// families come in parts, and a part takes the place of the one before, so that the
// messages of a million series, five times as large as the samples, are never there
// at once; only the labels are, which families share.
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

	all    []mapping.FamilySamples // sorted by the names of the families
	filled int                     // of all
	most   int                     // series in a part, or one family
	before int                     // where the metrics of the family before begin
	room   room                    // of the largest part
}

// room is how many messages of each kind there are.
type room struct{ families, series, gauges, counters, untyped int }

// Size returns how many bytes of memory the slabs hold.
func (m *messages) Size() int {
	return spare.Bytes(m.family) + spare.Bytes(m.metric) + spare.Bytes(m.label) + spare.Bytes(m.gauge) + spare.Bytes(m.counter) +
		spare.Bytes(m.untyped) + spare.Bytes(m.familyOut) + spare.Bytes(m.metricOut) + spare.Bytes(m.labelOut)
}

// begin takes the families of an exposition.
func (m *messages) begin(all []mapping.FamilySamples, most int) {
	slices.SortFunc(all, func(a, b mapping.FamilySamples) int { return cmp.Compare(a.Family.Name, b.Family.Name) })
	m.all, m.filled, m.most = all, 0, most
	m.reserve()
}

// more tells whether there are families that no part has had yet.
func (m *messages) more() bool { return m.filled < len(m.all) }

// part returns the families that come next, and makes those of the part before
// invalid.
func (m *messages) part() []*dto.MetricFamily {
	end, _ := m.partEnd(m.filled)
	m.family, m.familyOut = m.family[:0], m.familyOut[:0]
	m.metric, m.metricOut = m.metric[:0], m.metricOut[:0]
	m.gauge, m.counter, m.untyped = m.gauge[:0], m.counter[:0], m.untyped[:0]
	for ; m.filled < end; m.filled++ {
		m.familyOut = append(m.familyOut, m.fillFamily(m.filled))
	}
	return m.familyOut
}

// partEnd returns where the part ends that begins with a family, and the number of
// its series.
func (m *messages) partEnd(begin int) (end, series int) {
	for end = begin; end < len(m.all); end++ {
		n := len(m.all[end].Samples)
		if end > begin && series+n > m.most {
			break
		}
		series += n
	}
	return end, series
}

// reserve makes room for the largest part, and the labels of all. Pointers into the
// slabs are handed out, so these must not grow while they are filled.
func (m *messages) reserve() {
	var most room
	for begin := 0; begin < len(m.all); {
		end, n := m.partEnd(begin)
		var gauge, counter, other int
		for _, f := range m.all[begin:end] {
			switch f.Family.Type {
			case mapping.Counter:
				counter += len(f.Samples)
			case mapping.Untyped:
				other += len(f.Samples)
			case mapping.Histogram, mapping.Summary:
			default:
				gauge += len(f.Samples)
			}
		}
		most = room{
			max(most.families, end-begin), max(most.series, n),
			max(most.gauges, gauge), max(most.counters, counter), max(most.untyped, other),
		}
		begin = end
	}
	labels := 0
	var before []mapping.Sample
	for _, f := range m.all {
		for i := range f.Samples {
			if !f.Samples[i].SharesLabels(before, i) {
				labels += len(f.Samples[i].Labels)
			}
		}
		before = f.Samples
	}
	m.room = most
	empty(&m.family, most.families)
	empty(&m.familyOut, most.families)
	empty(&m.metric, most.series)
	empty(&m.metricOut, most.series)
	empty(&m.label, labels)
	empty(&m.labelOut, labels)
	empty(&m.gauge, most.gauges)
	empty(&m.counter, most.counters)
	empty(&m.untyped, most.untyped)
}

var messagePool = spare.Pool[*messages]{New: func() *messages { return new(messages) }}

// release keeps the slabs for the next exposition. They must not hold the samples
// that the messages point to.
func (m *messages) release() {
	clear(m.family[:m.room.families])
	clear(m.metric[:m.room.series])
	clear(m.gauge[:m.room.gauges])
	clear(m.counter[:m.room.counters])
	clear(m.untyped[:m.room.untyped])
	clear(m.label)
	m.all = nil
	messagePool.Put(m)
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

// fillFamily takes the labels of the family before where the samples share them. That
// family may be of the part before: a metric's place is written after the one that
// stands there, or later, was read.
func (m *messages) fillFamily(at int) *dto.MetricFamily {
	f := &m.all[at]
	var samples []mapping.Sample
	if at > 0 {
		samples = m.all[at-1].Samples
	}
	out := next(&m.family)
	out.Name, out.Help, out.Type = &f.Family.Name, &f.Family.Help, metricType(f.Family.Type)
	from := len(m.metricOut)
	for i := range f.Samples {
		s := &f.Samples[i]
		var labels []*dto.LabelPair
		if s.SharesLabels(samples, i) {
			labels = m.metric[:cap(m.metric)][m.before+i].Label
		} else {
			labels = m.fillLabels(s.Labels)
		}
		metric := m.fillMetric(f.Family.Type, s)
		metric.Label = labels
		m.metricOut = append(m.metricOut, metric)
	}
	m.before = from
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

// The types of families in the data model, which messages point to.
var (
	counterType   = dto.MetricType_COUNTER
	gaugeType     = dto.MetricType_GAUGE
	untypedType   = dto.MetricType_UNTYPED
	histogramType = dto.MetricType_HISTOGRAM
	summaryType   = dto.MetricType_SUMMARY
)

// metricType returns the type of a family in the data model, which knows neither
// info metrics nor state sets.
func metricType(t mapping.Type) *dto.MetricType {
	switch t {
	case mapping.Counter:
		return &counterType
	case mapping.Untyped:
		return &untypedType
	case mapping.Histogram:
		return &histogramType
	case mapping.Summary:
		return &summaryType
	default:
		return &gaugeType
	}
}
