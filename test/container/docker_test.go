//go:build container

package container_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Of this process alone, so that nobody's images are overwritten.
var (
	exporterImage   = fmt.Sprintf("status_exporter_test:%d", os.Getpid())
	prometheusImage = fmt.Sprintf("status_exporter_test_prometheus:%d", os.Getpid())
)

func TestMain(m *testing.M) {
	if err := exec.Command("docker", "version").Run(); err != nil {
		fmt.Println("Docker can not be used; Debian package docker.io brings it:", err)
		if os.Getenv("CI") != "" {
			os.Exit(1)
		}
		os.Exit(0)
	}
	build := exec.Command("make", "--directory=../..", "image", "IMAGE="+exporterImage)
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Printf("%s\n%s: %v\n", out, build, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = exec.Command("docker", "image", "rm", exporterImage).Run()
	_ = exec.Command("docker", "image", "rm", prometheusImage).Run()
	os.Exit(code)
}

// docker returns what a docker command prints.
func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := dockerErr(t, args...)
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func dockerErr(t *testing.T, args ...string) (string, error) {
	t.Helper()
	// Not the test's context: it has ended when containers are removed.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "docker", args...).CombinedOutput()
	return string(out), err
}

// eventually waits until something works.
func eventually(t *testing.T, works func() error) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := works()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still after a minute: %v", err)
		}
		<-tick.C
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	body, err := fetch(url)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// fetch returns the body of an answer with status 200.
func fetch(url string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answered %s: %s", url, response.Status, body)
	}
	return string(body), err
}

// value returns the value of a series in the text format, "" if it is not there.
func value(exposition, series string) string {
	for line := range strings.Lines(exposition) {
		if value, found := strings.CutPrefix(line, series+" "); found {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
