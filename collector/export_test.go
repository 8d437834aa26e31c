package collector

import dto "github.com/prometheus/client_model/go"

// InParts calls f with the families of each part of at most a number of series.
func (r *Result) InParts(most int, f func([]*dto.MetricFamily)) {
	m := new(messages)
	m.begin(r.families(), most)
	for m.more() {
		f(m.part())
	}
}
