package collector

import (
	"cmp"
	"slices"

	"status_exporter/collector/document"
	"status_exporter/collector/mapping"
)

// The families about a probe. The first three are named as blackbox_exporter
// names them, so that dashboards and alerts work for both.
var (
	aboutSuccess = aboutFamily("probe_success",
		"Whether the probe succeeded: every document that is not optional was fetched and decoded, and a rule found something.")
	aboutDuration = aboutFamily("probe_duration_seconds",
		"How long the probe took.")
	aboutCertExpiry = aboutFamily("probe_ssl_earliest_cert_expiry",
		"When the first of the target's certificates expires, as Unix time.")
	aboutPhase = aboutFamily("status_probe_phase_seconds",
		"How long each phase of the probe took, summed over its documents.")
	aboutStatusCode = aboutFamily("status_probe_http_status_code",
		"HTTP status code of the document's answer, 0 where there was none.")
	aboutBytes = aboutFamily("status_probe_document_bytes",
		"Size of the document after decompression.")
	aboutDropped = aboutFamily("status_probe_samples_dropped",
		"How many samples could not be made of what the target said.")
	aboutDroppedBy = aboutFamily("status_probe_samples_dropped_by",
		"How many samples of a metric could not be made, by reason.")
	aboutFailure = aboutFamily("status_probe_failure_info",
		"Why a document could not be had, or why the probe failed.")
)

// aboutFamilies is how many of these there are.
const aboutFamilies = 9

func aboutFamily(name, help string) *mapping.Family {
	return &mapping.Family{Name: name, Help: help, Type: mapping.Gauge}
}

// phaseLabels are the labels of status_probe_phase_seconds, in their order.
var phaseLabels = func() []phaseLabel {
	labels := make([]phaseLabel, len(document.Phases{}))
	for i := range labels {
		phase := document.Phase(i)
		labels[i] = phaseLabel{phase, []mapping.Label{{Name: "phase", Value: phase.String()}}}
	}
	slices.SortFunc(labels, func(a, b phaseLabel) int { return cmp.Compare(a.labels[0].Value, b.labels[0].Value) })
	return labels
}()

type phaseLabel struct {
	phase  document.Phase
	labels []mapping.Label
}

// about appends the metrics about the probe itself to families.
func (r *Result) about(families []mapping.FamilySamples) []mapping.FamilySamples {
	// All samples stand in one slice, which must not grow: small scrapes are
	// mostly these.
	all := make([]mapping.Sample, 0, 4+len(phaseLabels)+2*len(r.Documents))
	end := func(f *mapping.Family, from int) {
		if samples := all[from:len(all):len(all)]; len(samples) > 0 {
			families = append(families, mapping.FamilySamples{Family: f, Samples: samples})
		}
	}
	one := func(f *mapping.Family, value float64) {
		all = append(all, mapping.Sample{Value: value})
		end(f, len(all)-1)
	}
	success := 0.0
	if r.Success {
		success = 1
	}
	one(aboutSuccess, success)
	one(aboutDuration, r.Duration.Seconds())
	if !r.EarliestCertExpiry.IsZero() {
		one(aboutCertExpiry, float64(r.EarliestCertExpiry.Unix()))
	}
	from := len(all)
	for _, p := range phaseLabels {
		all = append(all, mapping.Sample{Labels: p.labels, Value: r.Phases[p.phase].Seconds()})
	}
	end(aboutPhase, from)

	labels := make([]mapping.Label, len(r.Documents))
	for i, doc := range r.Documents {
		labels[i] = mapping.Label{Name: "document", Value: doc.Name}
	}
	from = len(all)
	if r.Probe.Module.HTTP != nil {
		for i, doc := range r.Documents {
			all = append(all, mapping.Sample{Labels: labels[i : i+1 : i+1], Value: float64(doc.StatusCode)})
		}
		sorted(all[from:])
	}
	end(aboutStatusCode, from)
	from = len(all)
	for i, doc := range r.Documents {
		if doc.Bytes >= 0 {
			all = append(all, mapping.Sample{Labels: labels[i : i+1 : i+1], Value: float64(doc.Bytes)})
		}
	}
	sorted(all[from:])
	end(aboutBytes, from)
	dropped := 0
	for _, d := range r.Mapping.Dropped {
		dropped += d.Count
	}
	one(aboutDropped, float64(dropped))
	for _, f := range []mapping.FamilySamples{{Family: aboutDroppedBy, Samples: r.droppedSamples()}, {Family: aboutFailure, Samples: r.failureSamples()}} {
		if len(f.Samples) > 0 {
			families = append(families, f)
		}
	}
	return families
}

// droppedSamples counts what was dropped by metric and reason: several rules may
// make the same metric.
func (r *Result) droppedSamples() []mapping.Sample {
	if len(r.Mapping.Dropped) == 0 {
		return nil
	}
	type key struct {
		metric string
		reason mapping.DropReason
	}
	counts := make(map[key]int)
	for _, d := range r.Mapping.Dropped {
		counts[key{d.Metric, d.Reason}] += d.Count
	}
	var samples []mapping.Sample
	for k, count := range counts {
		samples = append(samples, mapping.Sample{
			Labels: []mapping.Label{{Name: "metric", Value: k.metric}, {Name: "reason", Value: string(k.reason)}},
			Value:  float64(count),
		})
	}
	return sorted(samples)
}

// failureSamples tells each reason of a document once.
func (r *Result) failureSamples() []mapping.Sample {
	var samples []mapping.Sample
	for _, f := range r.Failures {
		samples = append(samples, mapping.Sample{
			Labels: []mapping.Label{{Name: "document", Value: f.Document}, {Name: "reason", Value: string(f.Reason)}},
			Value:  1,
		})
	}
	return slices.CompactFunc(sorted(samples), func(a, b mapping.Sample) bool { return slices.Equal(a.Labels, b.Labels) })
}

// sorted orders samples whose labels have the same names by their values.
func sorted(samples []mapping.Sample) []mapping.Sample {
	slices.SortFunc(samples, func(a, b mapping.Sample) int {
		return slices.CompareFunc(a.Labels, b.Labels, func(a, b mapping.Label) int { return cmp.Compare(a.Value, b.Value) })
	})
	return samples
}
