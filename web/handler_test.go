package web_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"status_exporter/web"
)

func TestPages(t *testing.T) {
	exporter := start(t, "modules: {a: {http: {headers: {X-Key: {secret: marker}}}, metrics: [{name: a, value: .a}]}}")
	tests := []struct {
		method, path string
		status       int
		part         string
	}{
		{"GET", "/", 200, `<form action="/probe">`},
		{"GET", "/-/healthy", 200, "status_exporter is healthy.\n"},
		{"GET", "/-/ready", 200, "status_exporter is ready.\n"},
		{"GET", "/config", 200, "<secret>"},
		{"GET", "/metrics", 200, "status_exporter_build_info"},
		{"GET", "/nothing", 404, ""},
		{"POST", "/probe", 405, ""},
		{"POST", "/-/reload", 403, "--web.enable-lifecycle"},
		{"GET", "/-/reload", 405, ""},
		{"GET", "/debug/pprof/", 404, ""},
	}
	for _, test := range tests {
		status, body, _ := exporter.do(test.method, test.path)
		if status != test.status || !strings.Contains(body, test.part) {
			t.Errorf("%s %s answered %d, want %d with %q:\n%s", test.method, test.path, status, test.status, test.part, body)
		}
		if strings.Contains(body, "marker") {
			t.Errorf("%s %s shows a secret", test.method, test.path)
		}
	}
}

func TestPrefix(t *testing.T) {
	external, err := url.Parse("https://monitoring.example/status/")
	if err != nil {
		t.Fatal(err)
	}
	exporter := start(t, "", func(o *web.Options) { o.ExternalURL, o.RoutePrefix = external, external.Path })
	for path, part := range map[string]string{
		"/status/":          `<form action="/status/probe">`,
		"/status/metrics":   "status_exporter_build_info",
		"/status/-/healthy": "healthy",
		"/":                 `<form action="/status/probe">`, // redirected
	} {
		if status, body := exporter.get(path); status != http.StatusOK || !strings.Contains(body, part) {
			t.Errorf("GET %s answered %d without %q:\n%s", path, status, part, body)
		}
	}
}

func TestReload(t *testing.T) {
	var failure error
	exporter := start(t, "", func(o *web.Options) { o.Reload = func() error { return failure } })
	if status, body, _ := exporter.do("POST", "/-/reload"); status != http.StatusOK {
		t.Errorf("a good reload answered %d: %s", status, body)
	}
	failure = errors.New("shop.yml:3:5: unknown key")
	status, body, _ := exporter.do("POST", "/-/reload")
	if status != http.StatusInternalServerError || !strings.Contains(body, failure.Error()) {
		t.Errorf("a bad reload answered %d: %s", status, body)
	}
}

func TestTooManyRequests(t *testing.T) {
	release, asked := make(chan struct{}), make(chan struct{})
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-release
		io.WriteString(w, healthy)
	}))
	defer target.Close()
	exporter := start(t, "", func(o *web.Options) { o.MaxRequests = 1 })
	done := make(chan string)
	go func() {
		_, body := exporter.get("/probe?target=" + target.URL)
		done <- body
	}()
	<-asked
	status, body, header := exporter.do("GET", "/metrics")
	if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
		t.Errorf("one too many answered %d with Retry-After %q: %s", status, header.Get("Retry-After"), body)
	}
	close(release)
	want(t, <-done, "probe_success 1")
	_, body = exporter.get("/metrics")
	want(t, body, "status_exporter_requests_rejected_total 1")
}

func TestTooManyProbesOfOneTarget(t *testing.T) {
	release, asked := make(chan struct{}), make(chan struct{}, 1)
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-release
		io.WriteString(w, healthy)
	}))
	defer slow.Close()
	quick := answer(t, healthy)
	exporter := start(t, "", func(o *web.Options) { o.MaxPerTarget = 1 })
	done := make(chan string)
	go func() {
		_, body := exporter.get("/probe?target=" + slow.URL)
		done <- body
	}()
	<-asked
	if status, body := exporter.get("/probe?target=" + slow.URL); status != http.StatusServiceUnavailable {
		t.Errorf("a second probe of the target answered %d: %s", status, body)
	}
	_, body := exporter.get("/probe?target=" + quick.URL)
	want(t, body, "probe_success 1")
	close(release)
	want(t, <-done, "probe_success 1")
	if status, _ := exporter.get("/probe?target=" + slow.URL); status != http.StatusOK {
		t.Errorf("after the first had ended, a probe answered %d", status)
	}
}

func TestExporterMetrics(t *testing.T) {
	target := answer(t, healthy)
	yaml := "default: {target: " + target.URL + "/status}"
	exporter := start(t, yaml)
	exporter.get("/probe?target=" + target.URL)
	exporter.get("/probe?target=" + closedPort(t))
	_, got := exporter.get("/metrics")
	want(t, got,
		"app_requests_current 10", "probe_success 1",
		`status_exporter_probes_total{module="app"} 3`,
		`status_exporter_probe_failures_total{module="app",reason="connect"} 1`,
		"status_exporter_requests_in_flight 1",
	)
	for _, prefix := range []string{"go_goroutines ", "process_start_time_seconds ", "status_exporter_build_info{"} {
		if !strings.Contains(got, "\n"+prefix) {
			t.Errorf("/metrics lacks %s", prefix)
		}
	}
	without := start(t, yaml, func(o *web.Options) { o.ExporterMetrics = false })
	_, got = without.get("/metrics")
	want(t, got, "app_requests_current 10")
	wantNot(t, got, "go_", "process_", "status_exporter_")
}

// TestFormats: the same probe in the formats that Prometheus asks for.
func TestFormats(t *testing.T) {
	target := answer(t, healthy)
	exporter := start(t, "")
	for accept, contentType := range map[string]string{
		"": "text/plain; version=0.0.4",
		"application/openmetrics-text; version=1.0.0":                                                "application/openmetrics-text; version=1.0.0",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited": "application/vnd.google.protobuf",
	} {
		status, body, header := exporter.do("GET", "/probe?target="+target.URL, "Accept", accept)
		if status != http.StatusOK || !strings.HasPrefix(header.Get("Content-Type"), contentType) || !strings.Contains(body, "app_uptime") {
			t.Errorf("Accept %q: answered %d %s", accept, status, header.Get("Content-Type"))
		}
	}
}
