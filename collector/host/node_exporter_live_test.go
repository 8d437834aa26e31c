//go:build linux

package host_test

import (
	"context"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// TestAgainstNodeExporter compares with prometheus-node-exporter beside it, for
// a machine as it is and with one core kept busy.
func TestAgainstNodeExporter(t *testing.T) {
	url := startNodeExporter(t)
	s := newSource(t, "{window: 2s, per_cpu: true}")
	for _, busy := range []bool{false, true} {
		stop := make(chan struct{})
		if busy {
			go func() {
				for work := 0; ; work++ {
					select {
					case <-stop:
						return
					default:
						runtime.KeepAlive(work)
					}
				}
			}()
		}
		before := scrape(t, url)
		got := read(t, t.Context(), s)
		after := scrape(t, url)
		close(stop)

		theirs := nodeCPU(after)
		for cpu, modes := range cpuSeconds(t, got) {
			for mode, seconds := range modes {
				if !within(seconds, theirs[cpu][mode], 0.01, 0.1) {
					t.Errorf("busy %t: CPU %s, %s: %v s, node_exporter says %v s", busy, cpu, mode, seconds, theirs[cpu][mode])
				}
			}
		}

		usage := float(t, got["cpu"].(map[string]any)["usage_percent"])
		want := 100 * nodeUsage(nodeCPU(before), theirs)
		t.Logf("busy %t: CPU usage %.2f %%, node_exporter's counters say %.2f %%", busy, usage, want)
		if !within(usage, want, 0, 2) { // the two windows differ by the time of two scrapes
			t.Errorf("busy %t: CPU usage %v %%, node_exporter's counters say %v %%", busy, usage, want)
		}

		kinds := got["memory"].(map[string]any)["bytes"].(map[string]any)
		part := gauge(after, "node_memory_MemTotal_bytes") / 100 // other programs go on
		for kind, name := range map[string]string{
			"total": "MemTotal", "available": "MemAvailable", "free": "MemFree",
			"buffers": "Buffers", "cached": "Cached", "slab": "Slab", "shared": "Shmem",
		} {
			bytes := float(t, kinds[kind])
			first, then := gauge(before, "node_memory_"+name+"_bytes"), gauge(after, "node_memory_"+name+"_bytes")
			if !(bytes >= min(first, then)-part && bytes <= max(first, then)+part) {
				t.Errorf("busy %t: memory %s %v bytes, node_exporter says %v and then %v", busy, kind, bytes, first, then)
			}
		}
		if boot, want := float(t, got["uptime"].(map[string]any)["boot_time_seconds"]), gauge(after, "node_boot_time_seconds"); !within(boot, want, 0, 1) {
			t.Errorf("boot time %v, node_exporter says %v", boot, want)
		}
	}
}

// startNodeExporter starts Debian's prometheus-node-exporter on a free loopback
// port and returns the URL of its metrics.
func startNodeExporter(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("prometheus-node-exporter")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("prometheus-node-exporter is missing: install the Debian package prometheus-node-exporter")
		}
		t.Skip("needs the Debian package prometheus-node-exporter")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(path, "--web.listen-address="+address, "--collector.disable-defaults",
		"--collector.cpu", "--collector.meminfo", "--collector.stat")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	url := "http://" + address + "/metrics"
	deadline := time.Now().Add(20 * time.Second)
	for {
		if _, err := fetch(t.Context(), url); err == nil {
			return url
		} else if time.Now().After(deadline) {
			t.Fatalf("prometheus-node-exporter gives no answer: %v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func fetch(ctx context.Context, url string) (map[string]*dto.MetricFamily, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(io.LimitReader(response.Body, 16<<20))
}

func scrape(t *testing.T, url string) map[string]*dto.MetricFamily {
	t.Helper()
	families, err := fetch(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// nodeCPU returns node_cpu_seconds_total by CPU and mode.
func nodeCPU(families map[string]*dto.MetricFamily) map[string]map[string]float64 {
	all := make(map[string]map[string]float64)
	for _, m := range families["node_cpu_seconds_total"].GetMetric() {
		labels := make(map[string]string)
		for _, l := range m.GetLabel() {
			labels[l.GetName()] = l.GetValue()
		}
		if all[labels["cpu"]] == nil {
			all[labels["cpu"]] = make(map[string]float64)
		}
		all[labels["cpu"]][labels["mode"]] = m.GetCounter().GetValue()
	}
	return all
}

// nodeUsage returns which part of the time between two scrapes was work.
func nodeUsage(before, after map[string]map[string]float64) float64 {
	var busy, total float64
	for cpu, modes := range after {
		for mode, seconds := range modes {
			passed := seconds - before[cpu][mode]
			total += passed
			if mode != "idle" && mode != "iowait" {
				busy += passed
			}
		}
	}
	return busy / total
}

func gauge(families map[string]*dto.MetricFamily, name string) float64 {
	for _, m := range families[name].GetMetric() {
		return m.GetGauge().GetValue()
	}
	return math.NaN()
}

// within tells whether got is want up to a part of want or an absolute distance.
func within(got, want, part, distance float64) bool {
	return math.Abs(got-want) <= max(part*math.Abs(want), distance)
}
