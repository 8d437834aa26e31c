//go:build container

package container_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The compose file as it stands, but for the image of Prometheus, which is made
// of Debian's package as none can be pulled.
func TestCompose(t *testing.T) {
	buildPrometheus(t)
	compose := composeCommand(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the containers say:\n%s", compose("logs", "--no-color"))
		}
		compose("down", "--volumes", "--timeout=10")
	})
	compose("up", "--detach")

	eventually(t, func() error { return answers("http://127.0.0.1:8000/status") })
	for range 20 {
		_, _ = fetch("http://127.0.0.1:8000/") // half of the answers are 500
	}
	eventually(t, func() error { return answers("http://127.0.0.1:9877/-/ready") })
	eventually(t, func() error { return answers("http://127.0.0.1:9090/-/ready") })

	for query, expected := range map[string]string{
		`app_requests_current{job="exporter"}`:                                      "0",
		`app_requests_pending{job="exporter"}`:                                      "0",
		`app_uptime{job="exporter"} > bool 0`:                                       "1",
		`app_health{job="exporter",app_health="healthy"}`:                           "1",
		`app_health{job="exporter",app_health="unhealthy"}`:                         "0",
		`probe_success{job="status",instance="http://demo:8000/status"}`:            "1",
		`app_requests_current{job="status"}`:                                        "0",
		`app_requests_pending{job="status"}`:                                        "0",
		`app_uptime{job="status"} > bool 0`:                                         "1",
		`app_health{job="status",app_health="healthy"}`:                             "1",
		`sum(requests_total{job="demo"})`:                                           "20",
		`sum(up) == bool 3`:                                                         "1",
		`abs(app_uptime{job="status"} - on() app_uptime{job="exporter"}) < bool 60`: "1",
	} {
		eventually(t, func() error { return ask(query, expected) })
	}
}

// ask asks Prometheus for a value.
func ask(query, expected string) error {
	body, err := fetch("http://127.0.0.1:9090/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		return err
	}
	var answer struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		return err
	}
	result := answer.Data.Result
	if len(result) != 1 || result[0].Value[1] != expected {
		return fmt.Errorf("%s is %v, expected %s", query, result, expected)
	}
	return nil
}

// composeCommand returns a function that runs docker compose, or the older
// docker-compose, in a project of its own.
func composeCommand(t *testing.T) func(args ...string) string {
	t.Helper()
	command := []string{"docker", "compose"}
	if _, err := dockerErr(t, "compose", "version"); err != nil {
		command = []string{"docker-compose"}
		if _, err := exec.LookPath(command[0]); err != nil {
			t.Fatal("docker compose is not installed; Debian package docker-compose brings it")
		}
	}
	override := filepath.Join(t.TempDir(), "override.yml")
	text := fmt.Sprintf("services:\n  demo: {image: %[1]q}\n  exporter: {image: %[1]q}\n  prometheus: {image: %[2]q}\n", exporterImage, prometheusImage)
	if err := os.WriteFile(override, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	command = append(command, "--project-name="+strings.NewReplacer("_", "", ":", "").Replace(exporterImage),
		"--file=../../example/compose.yml", "--file="+override)
	return func(args ...string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 2*time.Minute)
		defer cancel()
		all := slices.Concat(command[1:], args)
		out, err := exec.CommandContext(ctx, command[0], all...).CombinedOutput()
		if err != nil {
			t.Errorf("%s %s: %v\n%s", command[0], strings.Join(all, " "), err, out)
		}
		return string(out)
	}
}

// buildPrometheus makes an image of the installed Prometheus and the libraries
// that it needs.
func buildPrometheus(t *testing.T) {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Fatal("prometheus is not installed; Debian package prometheus brings it")
	}
	libraries, err := exec.CommandContext(t.Context(), "ldd", program).Output()
	if err != nil {
		t.Fatalf("ldd %s: %v", program, err)
	}
	dir := t.TempDir()
	copyFile(t, program, filepath.Join(dir, "root/bin/prometheus"))
	for _, path := range regexp.MustCompile(`/\S+`).FindAllString(string(libraries), -1) {
		copyFile(t, path, filepath.Join(dir, "root", path))
	}
	if err := errors.Join(
		os.Mkdir(filepath.Join(dir, "data"), 0o755),
		os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(`FROM scratch
COPY root /
COPY --chown=65534:65534 data /prometheus
USER 65534
ENTRYPOINT ["/bin/prometheus", "--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
`), 0o644),
	); err != nil {
		t.Fatal(err)
	}
	docker(t, "build", "--tag", prometheusImage, dir)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, data, 0o755)); err != nil {
		t.Fatal(err)
	}
}
