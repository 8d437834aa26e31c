package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"status_exporter/collector"
	"status_exporter/config"
)

// TestFormatsAsPromhttp compares answers with those of promhttp, which negotiates
// for each of its own.
func TestFormatsAsPromhttp(t *testing.T) {
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "shop_orders_total", Help: "Orders."}, []string{"_odd", "region"})
	counter.WithLabelValues("a", "é.1").Inc()
	histogram := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "shop_latency_seconds", Help: "Latency."})
	histogram.Observe(0.3)
	registry.MustRegister(counter, histogram)
	gatherer := prometheus.ToTransactionalGatherer(registry)
	stock := promhttp.HandlerForTransactional(gatherer, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, DisableCompression: true,
		EnableOpenMetrics: true, EnableOpenMetricsTextCreatedSamples: true,
	})
	h := &handler{Options: Options{Logger: slog.New(slog.DiscardHandler), Pool: collector.NewPool(&config.Config{}, collector.Settings{})}}

	accepts := []string{"", "*/*", "nonsense", "text/html", ";;,=", "*", "text/plain;q=0.1, application/openmetrics-text;q=0.9"}
	for _, kind := range []string{
		"text/plain", "text/plain;version=0.0.4", "text/plain;version=1.0.0", "application/openmetrics-text", "application/openmetrics-text;version=1.0.0",
		"application/openmetrics-text;version=2.0.0", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=compact-text",
	} {
		for _, escaping := range []string{"", ";escaping=allow-utf-8", ";escaping=underscores", ";escaping=dots", ";escaping=values", ";escaping=other"} {
			accepts = append(accepts, kind+escaping, "text/html, "+kind+escaping+";q=0.3")
		}
	}
	for i := range formatLimit {
		accepts = append(accepts, "text/plain;version=0.0.4;x="+strconv.Itoa(i))
	}
	accepts = append(accepts, "text/html")
	for _, accept := range accepts {
		for _, query := range []string{"", "target=a", "name[]=shop_orders_total", "name%5b%5D=shop_orders_total", "%6eame%5B]=none", "%"} {
			request := httptest.NewRequest(http.MethodGet, "/probe?"+query, nil)
			if accept != "" {
				request.Header.Set("Accept", accept)
			}
			want, got := httptest.NewRecorder(), httptest.NewRecorder()
			stock.ServeHTTP(want, request)
			held, err := h.expose(t.Context(), got, request, gatherer, nil)
			h.send(context.Background(), got, held, err)
			if diff := cmp.Diff(want.Body.String(), got.Body.String()); diff != "" {
				t.Errorf("Accept %q, query %q: %s", accept, query, diff)
			}
			want.Header().Add("Vary", "Accept-Encoding") // we may compress
			for _, header := range []http.Header{want.Header(), got.Header()} {
				header["Vary"] = slices.Sorted(slices.Values(header["Vary"]))
			}
			if diff := cmp.Diff(want.Header(), got.Header()); diff != "" {
				t.Errorf("Accept %q, query %q: %s", accept, query, diff)
			}
		}
	}
}

// TestNothingGathered: an error is told where there is nothing else to say, and
// leaves nothing behind.
func TestNothingGathered(t *testing.T) {
	h := &handler{Options: Options{Logger: slog.New(slog.DiscardHandler), Pool: collector.NewPool(&config.Config{}, collector.Settings{})}}
	broken := prometheus.ToTransactionalGatherer(prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return nil, errors.New("broken") }))
	whole := prometheus.ToTransactionalGatherer(prometheus.NewRegistry())
	for range 3 {
		for _, test := range []struct {
			gatherer    prometheus.TransactionalGatherer
			status      int
			contentType string
		}{
			{broken, http.StatusInternalServerError, "text/plain; charset=utf-8"},
			{whole, http.StatusOK, "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"},
		} {
			got := httptest.NewRecorder()
			held, err := h.expose(t.Context(), got, httptest.NewRequest(http.MethodGet, "/metrics", nil), test.gatherer, nil)
			h.send(context.Background(), got, held, err)
			if got.Code != test.status || got.Header().Get("Content-Type") != test.contentType {
				t.Errorf("answered %d with %v, want %d and %s", got.Code, got.Header(), test.status, test.contentType)
			}
		}
	}
}
