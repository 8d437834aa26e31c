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

func aboutFamily(name, help string) *mapping.Family {
	return &mapping.Family{Name: name, Help: help, Type: mapping.Gauge}
}

// about returns the metrics about the probe itself.
func (r *Result) about() []mapping.FamilySamples {
	out := make([]mapping.FamilySamples, 0, 9)
	add := func(f *mapping.Family, samples ...mapping.Sample) {
		if len(samples) > 0 {
			out = append(out, mapping.FamilySamples{Family: f, Samples: samples})
		}
	}
	success := 0.0
	if r.Success {
		success = 1
	}
	add(aboutSuccess, mapping.Sample{Value: success})
	add(aboutDuration, mapping.Sample{Value: r.Duration.Seconds()})
	if !r.EarliestCertExpiry.IsZero() {
		add(aboutCertExpiry, mapping.Sample{Value: float64(r.EarliestCertExpiry.Unix())})
	}
	add(aboutPhase, r.phaseSamples()...)
	statusCodes := make([]mapping.Sample, 0, len(r.Documents))
	sizes := make([]mapping.Sample, 0, len(r.Documents))
	for _, doc := range r.Documents {
		labels := []mapping.Label{{Name: "document", Value: doc.Name}}
		if r.Probe.Module.HTTP != nil {
			statusCodes = append(statusCodes, mapping.Sample{Labels: labels, Value: float64(doc.StatusCode)})
		}
		if doc.Bytes >= 0 {
			sizes = append(sizes, mapping.Sample{Labels: labels, Value: float64(doc.Bytes)})
		}
	}
	add(aboutStatusCode, sorted(statusCodes)...)
	add(aboutBytes, sorted(sizes)...)
	dropped := 0
	for _, d := range r.Mapping.Dropped {
		dropped += d.Count
	}
	add(aboutDropped, mapping.Sample{Value: float64(dropped)})
	add(aboutDroppedBy, r.droppedSamples()...)
	add(aboutFailure, r.failureSamples()...)
	return out
}

func (r *Result) phaseSamples() []mapping.Sample {
	samples := make([]mapping.Sample, len(r.Phases))
	for phase, took := range r.Phases {
		samples[phase] = mapping.Sample{
			Labels: []mapping.Label{{Name: "phase", Value: document.Phase(phase).String()}},
			Value:  took.Seconds(),
		}
	}
	return sorted(samples)
}

// droppedSamples counts what was dropped by metric and reason: several rules may
// make the same metric.
func (r *Result) droppedSamples() []mapping.Sample {
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
