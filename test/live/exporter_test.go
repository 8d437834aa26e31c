//go:build linux

package live_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// binDir is where the exporter is built.
var binDir string

func TestMain(m *testing.M) {
	var err error
	if binDir, err = os.MkdirTemp("", "live"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(binDir)
	os.Exit(code)
}

// build builds the exporter when the first test needs it, and returns its path.
var build = sync.OnceValues(func() (string, error) {
	path := filepath.Join(binDir, "status_exporter")
	command := exec.Command("go", "build", "-o", path, "status_exporter")
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", command, err, out)
	}
	return path, nil
})

// An exporter is ours, running.
type exporter struct{ url string }

// newExporter starts ours with a configuration beside the built-in modules; it
// may be empty.
func newExporter(t *testing.T, config string) exporter {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	args := []string{"--web.listen-address=" + address, "--target.url="}
	if config != "" {
		args = append(args, "--config.file="+writeFile(t, workdir(t), "config.yml", config, 0o600))
	}
	e := exporter{"http://" + address}
	start(t, path, args...).await(t, answers(e.url+"/-/ready"))
	return e
}

// probe probes a target with a module.
func (e exporter) probe(t *testing.T, module, target string) samples {
	t.Helper()
	return scrape(t, e.url+"/probe?"+url.Values{"module": {module}, "target": {target}}.Encode())
}

// probeUntil probes until the wanted values are there: what was just done to a
// program shows a moment later.
func (e exporter) probeUntil(t *testing.T, module, target string, want map[string]float64) samples {
	t.Helper()
	var got samples
	eventually(t, "the expected metrics of module "+module, func(context.Context) error {
		got = e.probe(t, module, target)
		return got.differ(want)
	})
	return got
}

// probes returns a function that probes a target with a module, for compare.
func (e exporter) probes(t *testing.T, module, target string) func() samples {
	return func() samples { return e.probe(t, module, target) }
}
