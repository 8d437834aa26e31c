package demo

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics is what the application counts about its answers to /.
type metrics struct {
	requests     *prometheus.CounterVec
	successRate  prometheus.Gauge
	lastResponse prometheus.Gauge
	responses    prometheus.Histogram

	mu                  sync.Mutex
	answered, succeeded int
}

func newMetrics(registerer prometheus.Registerer, started time.Time) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "requests_total",
			Help: "Requests answered, by status code.",
		}, []string{"http_code"}),
		successRate: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rate_requests",
			Help: "Rate of success requests",
		}),
		lastResponse: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "demo_last_response_seconds",
			Help: "Time from the arrival of the last request answered to its answer.",
		}),
		responses: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "demo_response_duration_seconds",
			Help:    "Time from the arrival of a request to its answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}),
	}
	m.successRate.Set(math.NaN()) // no requests, no rate
	uptime := prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "demo_uptime_seconds_total",
		Help: "Time since the application was started.",
	}, func() float64 { return time.Since(started).Seconds() })

	registerer.MustRegister(m.requests, m.successRate, m.lastResponse, m.responses, uptime)
	return m
}

// count counts one answer. The rate is in percent of all answers since the start.
func (m *metrics) count(code int, took time.Duration) {
	m.requests.WithLabelValues(strconv.Itoa(code)).Inc()
	m.responses.Observe(took.Seconds())

	// Under one lock, else an older rate could be set after a newer one.
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answered++
	if code == http.StatusOK {
		m.succeeded++
	}
	m.successRate.Set(100 * float64(m.succeeded) / float64(m.answered))
	m.lastResponse.Set(took.Seconds())
}
