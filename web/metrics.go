package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"

	"status_exporter/collector"
)

// metrics serves the exporter's own metrics and, where there is a default
// target, those of a probe of it.
func (h *handler) metrics(w http.ResponseWriter, r *http.Request) {
	timeout, err := h.timeout(r)
	if err != nil {
		h.refuse(w, r, http.StatusBadRequest, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	held, err := h.gather(ctx, w, r)
	h.send(ctx, w, held, err)
}

// gather returns the answer to a scrape of the telemetry path. Whatever keeps the default
// target from being asked, the exporter's own metrics are there.
func (h *handler) gather(ctx context.Context, w http.ResponseWriter, r *http.Request) (*heldAnswer, error) {
	lease := h.Pool.Lease()
	defer lease.Release()
	own := prometheus.TransactionalGatherer(prometheus.NewMultiTRegistry())
	if h.ExporterMetrics {
		own = prometheus.ToTransactionalGatherer(h.Metrics.registry)
	}
	failed := func(result *collector.Result) prometheus.TransactionalGatherer {
		return prometheus.NewMultiTRegistry(result, own)
	}
	probe, err := lease.Default()
	switch {
	case errors.Is(err, collector.ErrNoDefault):
		return h.expose(ctx, w, r, own, nil)
	case err != nil:
		result := lease.DefaultFailed(err)
		h.observe(ctx, result)
		return h.expose(ctx, w, r, failed(result), nil)
	}
	if err := h.targets.enter(probe.Peer()); err != nil {
		result := probe.Overloaded(err)
		h.observe(ctx, result)
		return h.expose(ctx, w, r, failed(result), nil)
	}
	defer h.targets.leave(probe.Peer())
	asked := prometheus.NewMultiTRegistry(collector.NewGatherer(ctx, probe, h.observe), own)
	return h.expose(ctx, w, r, asked, func(err error) prometheus.TransactionalGatherer {
		return failed(h.unprinted(ctx, probe, err))
	})
}

// Metrics are about the exporter itself. They are on the telemetry path only:
// collecting them costs more than a whole small probe.
type Metrics struct {
	registry *prometheus.Registry

	probes   *prometheus.CounterVec
	failures *prometheus.CounterVec
	duration prometheus.Histogram
	inFlight prometheus.Gauge
	rejected prometheus.Counter

	reloadOK   prometheus.Gauge
	reloadTime prometheus.Gauge
}

// NewMetrics returns the metrics about the exporter, in a registry of their own
// together with those of the Go runtime and the process.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		probes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "status_exporter_probes_total", Help: "Probes made, by module.",
		}, []string{"module"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "status_exporter_probe_failures_total", Help: "Documents that could not be had and probes that found nothing, by module and reason.",
		}, []string{"module", "reason"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "status_exporter_probe_duration_seconds", Help: "How long probes took.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "status_exporter_requests_in_flight", Help: "Scrapes that are being answered.",
		}),
		rejected: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "status_exporter_requests_rejected_total", Help: "Scrapes answered with 503 because too many were in flight.",
		}),
		reloadOK: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "status_exporter_config_last_reload_successful", Help: "Whether the last reading of the configuration succeeded.",
		}),
		reloadTime: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "status_exporter_config_last_reload_success_timestamp_seconds", Help: "When the configuration was last read with success, as Unix time.",
		}),
	}
	m.registry.MustRegister(
		m.probes, m.failures, m.duration, m.inFlight, m.rejected, m.reloadOK, m.reloadTime,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		versioncollector.NewCollector("status_exporter"),
	)
	return m
}

// Reloaded notes a reading of the configuration.
func (m *Metrics) Reloaded(err error, now time.Time) {
	if err != nil {
		m.reloadOK.Set(0)
		return
	}
	m.reloadOK.Set(1)
	m.reloadTime.Set(float64(now.UnixNano()) / 1e9)
}

// made counts a probe.
func (m *Metrics) made(r *collector.Result) {
	m.probes.WithLabelValues(r.Probe.Module.Name).Inc()
	m.duration.Observe(r.Duration.Seconds())
}

// failed counts what failed in a probe.
func (m *Metrics) failed(r *collector.Result) {
	for _, f := range r.Failures {
		m.failures.WithLabelValues(r.Probe.Module.Name, string(f.Reason)).Inc()
	}
}
