package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"status_exporter/collector"
	"status_exporter/collector/fetch"
)

// probe serves /probe: one scrape of the target that the request names.
func (h *handler) probe(w http.ResponseWriter, r *http.Request) {
	request, debug, err := h.parse(r)
	if err != nil {
		h.refuse(w, r, http.StatusBadRequest, err)
		return
	}
	timeout, err := h.timeout(r)
	if err != nil {
		h.refuse(w, r, http.StatusBadRequest, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()

	if held, err := h.ask(ctx, w, r, request, debug); held != nil {
		h.send(ctx, w, held, err)
	}
}

// ask makes a probe and returns its answer; nil where it was refused. The probe is over
// then: its client may take the answer as slowly as it likes.
func (h *handler) ask(ctx context.Context, w http.ResponseWriter, r *http.Request, request collector.Request, debug bool) (*heldAnswer, error) {
	lease := h.Pool.Lease()
	defer lease.Release()
	probe, err := lease.Probe(request)
	if err != nil {
		status := http.StatusBadRequest
		if refused := (*fetch.RefusedError)(nil); errors.As(err, &refused) {
			status = http.StatusForbidden
		}
		h.refuse(w, r, status, err)
		return nil, err
	}
	if err := h.targets.enter(probe.Peer()); err != nil {
		h.Metrics.tooMany(w, err.Error())
		return nil, err
	}
	defer h.targets.leave(probe.Peer())
	if debug {
		return h.explain(ctx, w, r, probe)
	}
	return h.expose(ctx, w, r, collector.NewGatherer(ctx, probe, h.observe), func(err error) prometheus.TransactionalGatherer {
		return h.unprinted(ctx, probe, err)
	})
}

// unprinted returns what is to tell of a probe whose metrics could not be printed. It
// was counted when it was made.
func (h *handler) unprinted(ctx context.Context, probe *collector.Probe, err error) *collector.Result {
	result := probe.Unprinted(ctx, err)
	h.Metrics.failed(result)
	h.log(ctx, result)
	return result
}

// parse reads the parameters of a probe.
func (h *handler) parse(r *http.Request) (request collector.Request, debug bool, err error) {
	params, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return request, false, fmt.Errorf("the query of the request cannot be read: %w", err)
	}
	params.Del("name[]") // promhttp's filter by metric name, which may be repeated
	for name, values := range params {
		if len(values) > 1 {
			return request, false, fmt.Errorf("the parameter %s is given %d times, expected once", name, len(values))
		}
	}
	if text := params.Get("debug"); text != "" {
		if debug, err = strconv.ParseBool(text); err != nil {
			return request, false, fmt.Errorf("the parameter debug is %q, expected true or false", text)
		}
	}
	request = collector.Request{
		Target:  params.Get("target"),
		Module:  params.Get("module"),
		Auth:    params.Get("auth"),
		Params:  params,
		Explain: debug,
	}
	if debug && h.EnableDebug {
		request.Excerpt = excerptBytes
	}
	return request, debug, nil
}

// timeoutHeader is how Prometheus says when it will give up, in seconds.
const timeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"

// longestTimeout is above the timeouts of all scrapers that mean it.
const longestTimeout = 10 * time.Minute

// timeout returns how long a probe may take: a little less than the scraper waits.
// Where the offset leaves nothing, half of the time is used.
func (h *handler) timeout(r *http.Request) (time.Duration, error) {
	text := r.Header.Get(timeoutHeader)
	if text == "" {
		return h.DefaultTimeout, nil
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || !(seconds > 0) || seconds > math.MaxInt64/1e9 {
		return 0, fmt.Errorf("the header %s is %q, expected a number of seconds above 0", timeoutHeader, text)
	}
	given := min(time.Duration(seconds*float64(time.Second)), longestTimeout)
	if timeout := given - h.TimeoutOffset; timeout > 0 {
		return timeout, nil
	}
	return given / 2, nil
}

// explain returns the answer to debug=true: what happened in the probe, as text.
func (h *handler) explain(ctx context.Context, w http.ResponseWriter, r *http.Request, probe *collector.Probe) (*heldAnswer, error) {
	result := probe.Run(ctx)
	defer result.Release()
	h.observe(ctx, result)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	held := h.hold(ctx, r)
	return held, result.WriteReport(held)
}

// refuse answers a request that asks for something that is not done.
func (h *handler) refuse(w http.ResponseWriter, r *http.Request, status int, err error) {
	h.Logger.Warn("request refused", "path", r.URL.Path, "client", r.RemoteAddr, "status", status, "error", err)
	http.Error(w, err.Error(), status)
}

// observe counts a probe and logs what went wrong in it.
func (h *handler) observe(ctx context.Context, r *collector.Result) {
	h.Metrics.made(r)
	h.Metrics.failed(r)
	h.log(ctx, r)
}

// log writes one line for each document that failed and one for everything that was
// dropped.
func (h *handler) log(ctx context.Context, r *collector.Result) {
	if len(r.Failures)+len(r.Mapping.Dropped) == 0 && !h.Logger.Enabled(ctx, slog.LevelDebug) {
		return // nothing to tell, and With formats what it is given
	}
	logger := h.Logger.With("module", r.Probe.Module.Name, "target", r.Probe.Shown())
	for _, f := range r.Failures {
		logger := logger.With("document", f.Document, "reason", f.Reason, "error", r.Masked(f.Err.Error()))
		if f.Optional {
			logger.DebugContext(ctx, "optional document is not there")
		} else {
			logger.WarnContext(ctx, "probe failed")
		}
	}
	if dropped := r.Mapping.Dropped; len(dropped) > 0 {
		total := 0
		for _, d := range dropped {
			total += d.Count
		}
		logger.WarnContext(ctx, "samples dropped", "dropped", total, "first", r.Masked(dropped[0].Metric+": "+dropped[0].Detail), "reason", dropped[0].Reason, "kinds", len(dropped))
	}
	logger.DebugContext(ctx, "probe done", "success", r.Success, "samples", r.Mapping.SampleCount(), "duration", r.Duration)
}
