package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"status_exporter/collector/document"
	"status_exporter/collector/mapping"
)

// descriptions of the metrics about a probe. The first three are named as
// blackbox_exporter names them, so that dashboards and alerts work for both.
type aboutDescs struct {
	success, duration, certExpiry, phase, statusCode, bytes, dropped, droppedBy, failure *prometheus.Desc
}

var about = aboutDescs{
	success: prometheus.NewDesc("probe_success",
		"Whether the probe succeeded: every document that is not optional was fetched and decoded, and a rule found something.", nil, nil),
	duration: prometheus.NewDesc("probe_duration_seconds",
		"How long the probe took.", nil, nil),
	certExpiry: prometheus.NewDesc("probe_ssl_earliest_cert_expiry",
		"When the first of the target's certificates expires, as Unix time.", nil, nil),
	phase: prometheus.NewDesc("status_probe_phase_seconds",
		"How long each phase of the probe took, summed over its documents.", []string{"phase"}, nil),
	statusCode: prometheus.NewDesc("status_probe_http_status_code",
		"HTTP status code of the document's answer, 0 where there was none.", []string{"document"}, nil),
	bytes: prometheus.NewDesc("status_probe_document_bytes",
		"Size of the document after decompression.", []string{"document"}, nil),
	dropped: prometheus.NewDesc("status_probe_samples_dropped",
		"How many samples could not be made of what the target said.", nil, nil),
	droppedBy: prometheus.NewDesc("status_probe_samples_dropped_by",
		"How many samples of a metric could not be made, by reason.", []string{"metric", "reason"}, nil),
	failure: prometheus.NewDesc("status_probe_failure_info",
		"Why a document could not be had, or why the probe failed.", []string{"document", "reason"}, nil),
}

// collectAbout emits the metrics about the probe itself.
func (r *Result) collectAbout(ch chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	success := 0.0
	if r.Success {
		success = 1
	}
	gauge(about.success, success)
	gauge(about.duration, r.Duration.Seconds())
	if !r.EarliestCertExpiry.IsZero() {
		gauge(about.certExpiry, float64(r.EarliestCertExpiry.Unix()))
	}
	for phase, took := range r.Phases {
		gauge(about.phase, took.Seconds(), document.Phase(phase).String())
	}
	for _, doc := range r.Documents {
		if r.Probe.Module.HTTP != nil {
			gauge(about.statusCode, float64(doc.StatusCode), doc.Name)
		}
		if doc.Bytes >= 0 {
			gauge(about.bytes, float64(doc.Bytes), doc.Name)
		}
	}
	type key struct {
		metric string
		reason mapping.DropReason
	}
	dropped, by := 0, make(map[key]int)
	for _, d := range r.Mapping.Dropped {
		dropped += d.Count
		by[key{d.Metric, d.Reason}] += d.Count
	}
	gauge(about.dropped, float64(dropped))
	for k, count := range by {
		gauge(about.droppedBy, float64(count), k.metric, string(k.reason))
	}
	told := make(map[string]bool)
	for _, f := range r.Failures {
		if k := f.Document + " " + string(f.Reason); !told[k] {
			told[k] = true
			gauge(about.failure, 1, f.Document, string(f.Reason))
		}
	}
}
