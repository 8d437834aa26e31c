// Package demo is a small web application with a status page, to be monitored:
// directly, through the metrics that it exposes itself with client_golang, and
// through its status page by the exporter.
//
//	/         answers after a random delay, a share of the requests with 500
//	/status   what the application is doing, as JSON
//	/metrics  its own metrics
//
// A few workers answer the requests to /. Requests that find them busy wait in
// a queue, and are turned away with 503 when that is full.
package demo

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Workers is how many requests are answered at the same time, and QueueLength
// how many more may wait.
const (
	Workers     = 4
	QueueLength = 100
)

// Options say how the application behaves. The zero value answers at once and
// without errors.
type Options struct {
	ErrorPercent int            // share of the requests to / that fail, 0 to 100
	MaxDelay     time.Duration  // every request takes a random time below it
	Rand         func() float64 // in [0, 1), safe for concurrent use; nil: math/rand/v2
}

// An App is the application. It is an http.Handler.
type App struct {
	options Options
	started time.Time
	queue   queue
	metrics *metrics
	mux     *http.ServeMux
}

// New returns an application that has just started.
func New(options Options) *App {
	if options.Rand == nil {
		options.Rand = rand.Float64
	}
	registry := prometheus.NewRegistry()
	started := time.Now()
	a := &App{
		options: options,
		started: started,
		metrics: newMetrics(registry, started),
		mux:     http.NewServeMux(),
	}
	a.mux.HandleFunc("GET /{$}", a.serveWork)
	a.mux.HandleFunc("GET /status", a.serveStatus)
	a.mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return a
}

// ServeHTTP answers one request.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

func (a *App) serveWork(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	code, err := a.work(r.Context())
	if err != nil {
		return // the client has gone: there is nobody to answer and no answer to count
	}
	a.metrics.count(code, time.Since(arrived))
	w.WriteHeader(code)
	// Of one length, as ab takes an answer of another length than the first for a failure.
	body := "success\n"
	if code != http.StatusOK {
		body = "failure\n"
	}
	_, _ = io.WriteString(w, body) // a client that has gone misses nothing
}

// work waits for a worker, lets it work, and returns the status code of the
// answer. The error is the context's.
func (a *App) work(ctx context.Context) (code int, err error) {
	err = a.queue.enter(ctx)
	if errors.Is(err, errFull) {
		return http.StatusServiceUnavailable, nil
	}
	if err != nil {
		return 0, err
	}
	defer func() { a.queue.leave(code) }()

	delay := time.NewTimer(time.Duration(a.options.Rand() * float64(a.options.MaxDelay)))
	defer delay.Stop()
	select {
	case <-delay.C:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if a.options.Rand()*100 < float64(a.options.ErrorPercent) {
		return http.StatusInternalServerError, nil
	}
	return http.StatusOK, nil
}
