package web_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

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
		{"PUT", "/-/reload", 403, "--web.enable-lifecycle"},
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

func TestTelemetryPath(t *testing.T) {
	for path, others := range map[string]map[string]int{
		"/":         {"/nothing": 404, "/-/nothing": 404, "/metrics": 404, "/config": 200, "/-/healthy": 200},
		"/own":      {"/": 200, "/own/": 404, "/metrics": 404},
		"/own/":     {"/": 200, "/own/nothing": 404},
		"/a/b/c.d":  {"/": 200, "/a/b/": 404},
		"/~a%20b-c": {"/": 200},
	} {
		for _, prefix := range []string{"", "/prefix"} {
			exporter := start(t, "", func(o *web.Options) { o.TelemetryPath, o.RoutePrefix = path, prefix })
			if status, body := exporter.get(prefix + path); status != http.StatusOK || !strings.Contains(body, "status_exporter_build_info") {
				t.Errorf("with %s under %q it answered %d: %s", path, prefix, status, body)
			}
			for other, want := range others {
				if status, body := exporter.get(prefix + other); status != want || strings.Contains(body, "status_exporter_build_info") {
					t.Errorf("with %s under %q, %s answered %d, want %d: %s", path, prefix, other, status, want, body)
				}
			}
		}
	}
	for path, want := range map[string]string{"//": "/", "/a//b": "/a/b", "/a/../b": "/b", "metrics": "/metrics", "": "/"} {
		_, err := web.NewHandler(web.Options{TelemetryPath: path, Metrics: web.NewMetrics()})
		if err == nil || !strings.HasSuffix(err.Error(), "expected a path such as "+want) {
			t.Errorf("%q: got %v, want one that suggests %s", path, err, want)
		}
	}
}

// TestForm sends the form of the landing page with nothing but a target in it: the module
// is what it is without the form.
func TestForm(t *testing.T) {
	target := answer(t, `{"good":1,"value":2}`)
	exporter := start(t, rules+"targets: [{name: first, url: "+target.URL+", module: shop}]")
	_, page := exporter.get("/")
	query := url.Values{}
	for _, input := range regexp.MustCompile(`<input type="text" name="([^"]*)" .*value="([^"]*)">`).FindAllStringSubmatch(page, -1) {
		query.Set(input[1], input[2])
	}
	if !query.Has("target") || !query.Has("module") {
		t.Fatalf("the form has no target or module:\n%s", page)
	}
	query.Set("target", "first")
	_, got := exporter.get("/probe?" + query.Encode())
	want(t, got, "shop_good 1", "probe_success 1")
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
	for _, method := range []string{"POST", "PUT"} {
		if status, body, _ := exporter.do(method, "/-/reload"); status != http.StatusOK {
			t.Errorf("a good reload by %s answered %d: %s", method, status, body)
		}
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
	release, asked := make(chan struct{}), make(chan struct{}, 16)
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-release
		io.WriteString(w, healthy)
	}))
	defer slow.Close()
	quick := answer(t, healthy)
	exporter := start(t, "{default: {target: "+slow.URL+", module: app}, targets: [{name: shop, url: "+slow.URL+"/c, module: app}]}",
		func(o *web.Options) { o.MaxPerTarget = 1 })
	done := make(chan string)
	go func() {
		_, body := exporter.get("/probe?target=" + slow.URL)
		done <- body
	}()
	<-asked
	host := strings.TrimPrefix(slow.URL, "http://")
	for _, again := range []string{slow.URL, slow.URL + "/", slow.URL + "/a?b=c", host, "HTTP://" + host, "https://" + host, "[::ffff:127.0.0.1]:" + slow.URL[strings.LastIndexByte(slow.URL, ':')+1:], "shop"} {
		status, body, header := exporter.do("GET", "/probe?target="+url.QueryEscape(again))
		if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" || !strings.Contains(body, "1 probes of "+host+" are in flight") {
			t.Errorf("a second probe of the target, as %s, answered %d: %s", again, status, body)
		}
	}
	_, body := exporter.get("/metrics")
	want(t, body, "probe_success 0", `status_probe_failure_info{document="status",reason="overloaded"} 1`,
		`status_exporter_probe_failures_total{module="app",reason="overloaded"} 1`, "status_exporter_requests_in_flight 2")
	_, body = exporter.get("/probe?target=" + quick.URL)
	want(t, body, "probe_success 1")
	close(release)
	want(t, <-done, "probe_success 1")
	if status, _ := exporter.get("/probe?target=" + slow.URL); status != http.StatusOK {
		t.Errorf("after the first had ended, a probe answered %d", status)
	}
}

// TestTooManyProbesOfTheDefaultTarget: scrapes of the telemetry path count among its probes.
func TestTooManyProbesOfTheDefaultTarget(t *testing.T) {
	release, asked := make(chan struct{}), make(chan struct{}, 16)
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-release
		io.WriteString(w, healthy)
	}))
	defer slow.Close()
	exporter := start(t, "default: {target: "+slow.URL+"}", func(o *web.Options) { o.MaxPerTarget = 1 })
	done := make(chan string)
	go func() {
		_, body := exporter.get("/metrics")
		done <- body
	}()
	<-asked
	if status, body := exporter.get("/probe?target=" + slow.URL); status != http.StatusServiceUnavailable {
		t.Errorf("a second probe of the target answered %d: %s", status, body)
	}
	close(release)
	want(t, <-done, "probe_success 1")
	_, body := exporter.get("/metrics")
	want(t, body, "probe_success 1")
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

// TestLargeAnswer: an answer that is gathered in parts reads like one that is not.
func TestLargeAnswer(t *testing.T) {
	const items = 6000
	target := answer(t, "["+strings.Repeat("7,", items-1)+"7]")
	exporter := start(t, `
modules:
  many:
    metrics:
      - each: 'to_entries[] | {n: .key, v: .value}'
        labels: {n: .n}
        metrics: [{name: shop_a, value: .v}, {name: shop_b, value: .v}, {name: shop_c, value: .v}]
`)
	for _, kind := range []expfmt.FormatType{expfmt.TypeTextPlain, expfmt.TypeOpenMetrics, expfmt.TypeProtoDelim} {
		format := expfmt.NewFormat(kind)
		status, body, _ := exporter.do("GET", "/probe?module=many&target="+target.URL, "Accept", string(format))
		if status != http.StatusOK {
			t.Fatalf("%s: answered %d: %s", format, status, body)
		}
		if at := strings.Index(body, "# EOF\n"); kind == expfmt.TypeOpenMetrics && at != len(body)-len("# EOF\n") {
			t.Errorf("%s: the first end stands at %d of %d bytes", format, at, len(body))
		}
		decoder := expfmt.NewDecoder(strings.NewReader(strings.TrimSuffix(body, "# EOF\n")), format)
		if kind == expfmt.TypeOpenMetrics {
			decoder = expfmt.NewDecoder(strings.NewReader(body[:len(body)-len("# EOF\n")]), expfmt.NewFormat(expfmt.TypeTextPlain))
		}
		series := make(map[string]int)
		for {
			var f dto.MetricFamily
			err := decoder.Decode(&f)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", format, err)
			}
			if _, again := series[f.GetName()]; again {
				t.Errorf("%s: family %s comes twice", format, f.GetName())
			}
			series[f.GetName()] = len(f.Metric)
		}
		for _, name := range []string{"shop_a", "shop_b", "shop_c"} {
			if series[name] != items {
				t.Errorf("%s: %s has %d series, want %d", format, name, series[name], items)
			}
		}
		if series["probe_success"] != 1 {
			t.Errorf("%s: probe_success has %d series, want 1", format, series["probe_success"])
		}
	}
}
