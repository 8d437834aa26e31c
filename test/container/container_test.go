//go:build container

// Package container_test runs the image as its users do: confined by Docker,
// and with the compose file.
//
// It needs Docker, and Go to build the image with, but pulls nothing. It fails
// where one of the ports of the compose file is taken.
package container_test

import (
	"debug/buildinfo"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"status_exporter/example/demo"
)

// confined are the flags of a container that may do nothing but talk to
// loopback addresses of this machine.
var confined = []string{"--network=host", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--memory=256m"}

func TestImage(t *testing.T) {
	var image []struct {
		Config struct {
			User         string
			Entrypoint   []string
			Cmd, Env     []string
			ExposedPorts map[string]struct{}
		}
		RootFS struct{ Layers []string }
		Size   int
	}
	if err := json.Unmarshal([]byte(docker(t, "image", "inspect", exporterImage)), &image); err != nil {
		t.Fatal(err)
	}
	config := image[0].Config
	if config.User != "65534:65534" {
		t.Errorf("the image runs as user %q, expected 65534:65534", config.User)
	}
	if _, exposed := config.ExposedPorts["9877/tcp"]; !exposed {
		t.Errorf("the image exposes %v, expected 9877/tcp", config.ExposedPorts)
	}
	if n := len(image[0].RootFS.Layers); n != 1 {
		t.Errorf("the image has %d layers, expected 1: the binary", n)
	}
	if out, err := dockerErr(t, "run", "--rm", "--network=none", "--entrypoint=/bin/sh", exporterImage, "-c", "true"); err == nil {
		t.Errorf("the image has a shell: %s", out)
	}
	t.Logf("the image has %.1f MB", float64(image[0].Size)/1e6)
}

// A public certificate can not be had on a machine by itself, so that the roots
// are in the binary is read from it.
func TestRootCertificates(t *testing.T) {
	id := strings.TrimSpace(docker(t, "create", exporterImage))
	t.Cleanup(func() { docker(t, "rm", id) })
	binary := filepath.Join(t.TempDir(), "status_exporter")
	docker(t, "cp", id+":/status_exporter", binary)
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	for _, dependency := range info.Deps {
		if dependency.Path == "golang.org/x/crypto/x509roots/fallback" {
			return
		}
	}
	t.Error("the binary has no root certificates: golang.org/x/crypto/x509roots/fallback is not among its modules")
}

func TestProbes(t *testing.T) {
	target := httptest.NewServer(demo.New(demo.Options{}))
	defer target.Close()
	exporter := start(t, "--target.url="+target.URL+"/status")

	for _, path := range []string{"/metrics", "/probe?module=app&target=" + target.URL + "/status"} {
		exposition := get(t, exporter.url+path)
		for series, expected := range map[string]string{
			"app_requests_current":             "0",
			"app_requests_pending":             "0",
			`app_health{app_health="healthy"}`: "1",
			"probe_success":                    "1",
		} {
			if got := value(exposition, series); got != expected {
				t.Errorf("%s: %s is %q, expected %s", path, series, got, expected)
			}
		}
		if uptime, err := strconv.ParseFloat(value(exposition, "app_uptime"), 64); err != nil || uptime <= 0 {
			t.Errorf("%s: app_uptime is %q, expected a number above 0", path, value(exposition, "app_uptime"))
		}
	}
	for _, path := range []string{"/", "/-/healthy", "/-/ready"} {
		get(t, exporter.url+path)
	}
}

func TestTLSAndTimeZones(t *testing.T) {
	target := httptest.NewTLSServer(demo.New(demo.Options{}))
	defer target.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: target.Certificate().Raw})
	dir := configDir(t, "berlin.yml", fmt.Sprintf(`
modules:
  berlin:
    http:
      client:
        tls_config:
          ca: %q
    metrics:
      - name: berlin_noon_hours
        help: The hour in Berlin when it is noon in Greenwich.
        value: '"2024-07-01T12:00:00Z" | fromdate | localtime | .[3]'
`, ca))
	exporter := startWith(t, []string{"--env=TZ=Europe/Berlin", "--volume=" + dir + ":/etc/status_exporter:ro"},
		"--config.file=/etc/status_exporter/*.yml")

	exposition := get(t, exporter.url+"/probe?module=berlin&target="+target.URL+"/status")
	if got := value(exposition, "probe_success"); got != "1" {
		t.Errorf("the probe over TLS failed:\n%s", exposition)
	}
	if got := value(exposition, "berlin_noon_hours"); got != "14" {
		t.Errorf("noon in Greenwich is at %s h in Berlin, expected 14", got)
	}
}

func TestStopsAtOnce(t *testing.T) {
	exporter := start(t, "--target.url=")
	get(t, exporter.url+"/metrics")

	began := time.Now()
	docker(t, "stop", "--time=10", exporter.id)
	took := time.Since(began)
	if took > time.Second {
		t.Errorf("the container took %v to stop, expected at most a second", took)
	}
	if code := strings.TrimSpace(docker(t, "inspect", "--format={{.State.ExitCode}}", exporter.id)); code != "0" {
		t.Errorf("the exporter ended with %s, expected 0", code)
	}
	t.Logf("stopped within %v", took.Round(time.Millisecond))
}

func TestManifestConfiguration(t *testing.T) {
	manifest, err := os.ReadFile("../../example/kubernetes/exporter.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var configMap struct{ Data map[string]string }
	if err := yaml.Unmarshal(manifest, &configMap); err != nil {
		t.Fatal(err)
	}
	dir := configDir(t, "shop.yml", configMap.Data["shop.yml"])
	docker(t, "run", "--rm", "--network=none", "--volume="+dir+":/etc/status_exporter:ro",
		exporterImage, "check", "/etc/status_exporter/*.yml")
}

// configDir returns a directory with one file that the image's user can read.
func configDir(t *testing.T, name, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// An exporter runs in a confined container.
type exporter struct{ id, url string }

// start starts an exporter that ends with the test.
func start(t *testing.T, args ...string) exporter {
	t.Helper()
	return startWith(t, nil, args...)
}

func startWith(t *testing.T, flags []string, args ...string) exporter {
	t.Helper()
	address := freeAddress(t)
	run := slices.Concat([]string{"run", "--detach"}, confined, flags, []string{exporterImage, "--web.listen-address=" + address}, args)
	e := exporter{strings.TrimSpace(docker(t, run...)), "http://" + address}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the exporter says:\n%s", docker(t, "logs", e.id))
		}
		docker(t, "rm", "--force", e.id)
	})
	eventually(t, func() error { return answers(e.url + "/-/ready") })
	return e
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func answers(url string) error {
	_, err := fetch(url)
	return err
}
