package web_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"status_exporter/collector"
	"status_exporter/config"
	"status_exporter/web"
)

// An exporter is a whole one, in this process, over real HTTP.
type exporter struct {
	*httptest.Server
	pool *collector.Pool
	t    testing.TB
}

// start starts an exporter with a configuration, which may be empty.
func start(t testing.TB, yaml string, change ...func(*web.Options)) *exporter {
	t.Helper()
	pool := collector.NewPool(load(t, yaml), collector.Settings{DefaultModule: "app"})
	t.Cleanup(pool.Close)
	options := web.Options{
		Pool: pool, Metrics: web.NewMetrics(), Logger: slog.New(slog.DiscardHandler), Version: "test",
		TelemetryPath: "/metrics", TimeoutOffset: 500 * time.Millisecond, DefaultTimeout: 10 * time.Second,
		ExporterMetrics: true,
	}
	for _, f := range change {
		f(&options)
	}
	handler, err := web.NewHandler(options)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &exporter{server, pool, t}
}

func load(t testing.TB, yaml string) *config.Config {
	t.Helper()
	name := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(name, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(config.Input{Files: []string{name}})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// get returns the status and the body of an answer. Headers are given as pairs.
func (e *exporter) get(path string, headers ...string) (int, string) {
	e.t.Helper()
	status, body, _ := e.do(http.MethodGet, path, headers...)
	return status, body
}

func (e *exporter) do(method, path string, headers ...string) (int, string, http.Header) {
	e.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, e.URL+path, nil)
	if err != nil {
		e.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := e.Client().Do(req)
	if err != nil {
		e.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	return resp.StatusCode, string(body), resp.Header
}

// want checks that an exposition has lines, and wantNot that it has none of them.
func want(t *testing.T, exposition string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+exposition, "\n"+line+"\n") {
			t.Errorf("there is no line %q in\n%s", line, withoutComments(exposition))
		}
	}
}

func wantNot(t *testing.T, exposition string, prefixes ...string) {
	t.Helper()
	for _, prefix := range prefixes {
		if strings.Contains("\n"+exposition, "\n"+prefix) {
			t.Errorf("there is a line that begins with %q in\n%s", prefix, withoutComments(exposition))
		}
	}
}

func withoutComments(exposition string) string {
	var lines []string
	for line := range strings.Lines(exposition) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

const healthy = `{"current_requests":10,"pending_requests":2,"total_uptime":25.99274135,"health":"healthy"}`

// answer serves one document.
func answer(t *testing.T, document string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, document) }))
	t.Cleanup(server.Close)
	return server
}
