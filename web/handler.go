// Package web is the HTTP side: /probe, /metrics, /config, the landing page and
// what surrounds them. It turns requests into probes with a deadline, and their
// results into an exposition; it knows nothing of documents or rules.
package web

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"

	"status_exporter/collector"
)

// Options say what a handler serves. Pool, Logger, Metrics, TelemetryPath and
// DefaultTimeout are required.
type Options struct {
	Pool    *collector.Pool
	Logger  *slog.Logger
	Metrics *Metrics // about the exporter itself
	Version string   // on the landing page; may be empty

	TelemetryPath   string        // where the exporter's own metrics are: /metrics
	ExternalURL     *url.URL      // under which people reach the exporter; its path is the prefix of every link; nil is no prefix
	RoutePrefix     string        // of every path that is served; "" or "/" for none
	TimeoutOffset   time.Duration // subtracted from the scrape's timeout, for the way back; may be 0
	DefaultTimeout  time.Duration // of scrapes that name none; above 0
	TakingTime      time.Duration // how much longer than its probe an answer may take, for the client to take it; 0 is 30 s
	MaxRequests     int           // in flight; 0 is no limit
	MaxPerTarget    int           // probes of one target in flight; 0 is no limit
	EnableDebug     bool          // pprof, and excerpts of documents in debug=true
	ExporterMetrics bool          // whether the exporter's own metrics are on the telemetry path
	// Reload reads the configuration again; nil where the lifecycle API is off.
	Reload func() error
}

// excerptBytes is how much of a document debug=true shows.
const excerptBytes = 2048

// A handler serves all paths.
type handler struct {
	Options
	targets targetLimit
	formats formats
	// expositions are of *exposition. They are not in a spare.Pool: one is less than a
	// megabyte, and with 20,000 series a scrape took the same CPU time. So collections
	// may take what a burst of scrapes left.
	expositions sync.Pool
}

// NewHandler returns the handler of all paths.
func NewHandler(o Options) (http.Handler, error) {
	h := &handler{Options: o, targets: targetLimit{most: o.MaxPerTarget}}
	// Else a http.ServeMux panics, or never comes to it.
	if clean := path.Clean("/" + o.TelemetryPath); o.TelemetryPath != clean && o.TelemetryPath != strings.TrimSuffix(clean, "/")+"/" {
		return nil, fmt.Errorf("--web.telemetry-path is %q, expected a path such as %s", o.TelemetryPath, clean)
	}
	landing, err := h.landingPage()
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	scrapes := limitRequests(o.MaxRequests, o.Metrics)
	mux.Handle("GET "+exactPath(o.TelemetryPath), scrapes(http.HandlerFunc(h.metrics)))
	mux.Handle("GET /probe", scrapes(http.HandlerFunc(h.probe)))
	mux.HandleFunc("GET /config", h.config)
	mux.HandleFunc("GET /-/healthy", say("status_exporter is healthy.\n"))
	mux.HandleFunc("GET /-/ready", say("status_exporter is ready.\n"))
	mux.HandleFunc("POST /-/reload", h.reload)
	mux.HandleFunc("PUT /-/reload", h.reload)
	if o.TelemetryPath != "/" { // else the metrics are there
		mux.Handle("GET /{$}", landing)
	}
	if o.EnableDebug {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	prefix := strings.TrimRight(o.RoutePrefix, "/")
	if prefix == "" {
		return leaveBodies(mux), nil
	}
	outer := http.NewServeMux()
	outer.Handle(prefix+"/", http.StripPrefix(prefix, mux))
	outer.Handle("GET /{$}", http.RedirectHandler(prefix+"/", http.StatusFound))
	return leaveBodies(outer), nil
}

// leaveBodies closes the connections of requests that have a body, for nobody reads it.
// Else net/http does before it answers, however slowly the body comes: clients that announce
// one and never send it would hold the places of all scrapes.
func leaveBodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			w.Header().Set("Connection", "close")
			// It is read all the same once the answer is sent.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(time.Second))
		}
		next.ServeHTTP(w, r)
	})
}

// exactPath returns the pattern for a path and nothing beneath it.
func exactPath(name string) string {
	if strings.HasSuffix(name, "/") {
		return name + "{$}"
	}
	return name
}

func say(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		io.WriteString(w, text)
	}
}

// landingPage is a page of constants: the toolkit's template does not escape.
func (h *handler) landingPage() (http.Handler, error) {
	prefix := "/"
	if h.ExternalURL != nil {
		prefix = strings.TrimRight(h.ExternalURL.EscapedPath(), "/") + "/"
	}
	page, err := toolkit.NewLandingPage(toolkit.LandingConfig{
		Name:        "status_exporter",
		Description: "Turns any program's status page into Prometheus metrics, at scrape time.",
		Version:     h.Version,
		RoutePrefix: prefix,
		Profiling:   "false",
		Form: toolkit.LandingForm{
			Action: "probe",
			Inputs: []toolkit.LandingFormInput{
				{Label: "Target", Type: "text", Name: "target", Placeholder: "http://localhost:8000/status"},
				{Label: "Module", Type: "text", Name: "module", Placeholder: "the default"},
				{Label: "Debug", Type: "checkbox", Name: "debug", Value: "true"},
			},
		},
		Links: []toolkit.LandingLinks{
			{Address: h.TelemetryPath, Text: "Metrics", Description: "the exporter's own, and the default target's where there is one"},
			{Address: "/config", Text: "Configuration", Description: "as it is in force, without secrets"},
			{Address: "/-/healthy", Text: "Health"},
			{Address: "/-/ready", Text: "Readiness"},
		},
	})
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		again := r.Clone(r.Context()) // the page compares the path with its own prefix
		again.URL.Path = prefix
		page.ServeHTTP(w, again)
	}), nil
}

// config shows the configuration in force.
func (h *handler) config(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, h.Pool.Config().String())
}

// reload reads the configuration again. A bad one leaves the old one in force.
func (h *handler) reload(w http.ResponseWriter, _ *http.Request) {
	if h.Reload == nil {
		http.Error(w, "the lifecycle API is off; start the exporter with --web.enable-lifecycle, or send it SIGHUP", http.StatusForbidden)
		return
	}
	if err := h.Reload(); err != nil {
		http.Error(w, "the configuration was not reloaded, the old one stays in force:\n"+err.Error(), http.StatusInternalServerError)
		return
	}
	io.WriteString(w, "The configuration was reloaded.\n")
}
