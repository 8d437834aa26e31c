//go:build unix

package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPrometheus is the main job from end to end: two Prometheus servers scrape
// the exporter, which asks the demo application during each scrape.
func TestPrometheus(t *testing.T) {
	prometheus := need(t, "prometheus", "prometheus")
	app, exporterAddress := freeAddress(t), freeAddress(t)
	demo := start(t, nil, build(t), "demo", "--app.listen-address="+app, "--web.listen-address="+exporterAddress, "--error-percent=0", "--max-delay=1ms")
	demo.ready("http://" + exporterAddress + "/-/ready")
	for range 10 {
		get(t, "http://"+app+"/")
	}

	servers := []string{startPrometheus(t, prometheus, app, exporterAddress), startPrometheus(t, prometheus, app, exporterAddress)}
	for _, server := range servers {
		for _, job := range []string{"metrics", "probe"} {
			for _, query := range []string{
				"app_requests_current", "app_requests_pending", "app_uptime > 0",
				`app_health{app_health="healthy"} == 1`, `app_health{app_health="unhealthy"} == 0`,
				"probe_success == 1", "status_probe_samples_dropped == 0", "up == 1",
			} {
				selector := strings.Replace(query, "{", `{job="`+job+`",`, 1)
				if selector == query {
					name, rest, _ := strings.Cut(query, " ")
					selector = fmt.Sprintf(`%s{job=%q} %s`, name, job, rest)
				}
				eventually(t, 30*time.Second, func() error { return found(server, selector) })
			}
		}
	}
	promtool := need(t, "promtool", "prometheus")
	for _, path := range []string{"/metrics", "/probe?target=http://" + app + "/status", "/probe?target=http://" + freeAddress(t)} {
		body := get(t, "http://"+exporterAddress+path)
		check := exec.Command(promtool, "check", "metrics")
		check.Stdin = strings.NewReader(body)
		out, err := check.CombinedOutput()
		if err != nil {
			t.Errorf("promtool check metrics of %s: %v\n%s", path, err, out)
		}
	}
}

// startPrometheus starts a server that scrapes the exporter in both ways, with
// the relabelling of the README, and returns its URL.
func startPrometheus(t *testing.T, prometheus, app, exporterAddress string) string {
	t.Helper()
	dir, address := t.TempDir(), freeAddress(t)
	config := write(t, filepath.Join(dir, "prometheus.yml"), fmt.Sprintf(`
global: {scrape_interval: 500ms, scrape_timeout: 400ms}
scrape_configs:
  - job_name: metrics
    static_configs: [{targets: ["%[2]s"]}]
  - job_name: probe
    metrics_path: /probe
    params: {module: [app]}
    static_configs: [{targets: ["http://%[1]s/status"]}]
    relabel_configs:
      - {source_labels: [__address__], target_label: __param_target}
      - {source_labels: [__param_target], target_label: instance}
      - {target_label: __address__, replacement: "%[2]s"}
`, app, exporterAddress))
	p := start(t, nil, prometheus, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	p.ready("http://" + address + "/-/ready")
	return "http://" + address
}

// found asks a Prometheus server whether a query has a result.
func found(server, query string) error {
	_, body, err := fetch(server + "/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		return err
	}
	var answer struct {
		Data  struct{ Result []any }
		Error string
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		return err
	}
	if len(answer.Data.Result) != 1 {
		return fmt.Errorf("%s has %d results, want 1 %s", query, len(answer.Data.Result), answer.Error)
	}
	return nil
}
