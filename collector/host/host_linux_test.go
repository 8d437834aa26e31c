package host_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// procStat returns the seconds of a line of /proc/stat by mode: proc_stat(5).
// The clock ticks 100 times a second on every architecture that Go knows.
func procStat(t *testing.T, cpu string) map[string]float64 {
	t.Helper()
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		t.Fatal(err)
	}
	modes := []string{"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"}
	seconds := make(map[string]float64)
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) <= len(modes) || fields[0] != cpu {
			continue
		}
		for i, mode := range modes {
			var ticks float64
			if _, err := fmt.Sscan(fields[i+1], &ticks); err != nil {
				t.Fatal(err)
			}
			seconds[mode] = ticks / 100
		}
	}
	return seconds
}

// cpuSeconds returns what the document says, by CPU and mode.
func cpuSeconds(t *testing.T, value map[string]any) map[string]map[string]float64 {
	t.Helper()
	all := make(map[string]map[string]float64)
	for _, item := range value["cpu"].(map[string]any)["seconds"].([]any) {
		s := item.(map[string]any)
		cpu := s["cpu"].(string)
		if all[cpu] == nil {
			all[cpu] = make(map[string]float64)
		}
		all[cpu][s["mode"].(string)] = float(t, s["seconds"])
	}
	return all
}

func float(t *testing.T, v any) float64 {
	t.Helper()
	n, ok := v.(json.Number)
	if !ok {
		t.Fatalf("got %v (%T), want a number", v, v)
	}
	f, err := n.Float64()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestAgainstProc compares with what /proc says just before and just after.
func TestAgainstProc(t *testing.T) {
	for text, names := range map[string][2]string{
		"window: 50ms":                  {"all", "cpu"},
		"{window: 50ms, per_cpu: true}": {"0", "cpu0"},
	} {
		before := procStat(t, names[1])
		got := read(t, t.Context(), newSource(t, text))
		after := procStat(t, names[1])
		modes := cpuSeconds(t, got)[names[0]]
		for mode, least := range before {
			if modes[mode] < least-0.01 || modes[mode] > after[mode]+0.01 {
				t.Errorf("%s: %s is %v s, /proc/stat said %v and then %v", text, mode, modes[mode], least, after[mode])
			}
		}
		if len(modes) != len(before) {
			t.Errorf("%s: got the modes %v, want those of %v", text, modes, before)
		}
		compareMemory(t, got)
	}
}

func compareMemory(t *testing.T, value map[string]any) {
	t.Helper()
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		t.Fatal(err)
	}
	proc := make(map[string]float64)
	for line := range strings.Lines(string(text)) {
		var name string
		var kB float64
		if _, err := fmt.Sscan(strings.Replace(line, ":", " ", 1), &name, &kB); err == nil {
			proc[name] = kB * 1024
		}
	}
	memory := value["memory"].(map[string]any)
	kinds := memory["bytes"].(map[string]any)
	within := proc["MemTotal"] / 100 // other programs go on
	for kind, name := range map[string]string{
		"total": "MemTotal", "available": "MemAvailable", "free": "MemFree", "buffers": "Buffers",
		"cached": "Cached", "slab": "Slab", "slab_reclaimable": "SReclaimable", "shared": "Shmem",
	} {
		if got := float(t, kinds[kind]); math.Abs(got-proc[name]) > within {
			t.Errorf("memory %s is %v bytes, /proc/meminfo says %v", kind, got, proc[name])
		}
	}
	percent := 100 * (proc["MemTotal"] - proc["MemAvailable"]) / proc["MemTotal"]
	if got := float(t, memory["usage_percent"]); math.Abs(got-percent) > 1 {
		t.Errorf("memory usage is %v %%, /proc/meminfo says %v %%", got, percent)
	}
}

// TestStuckGroup reads a machine where one file never answers: it costs only
// its group.
func TestStuckGroup(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "proc", "meminfo"), "MemTotal: 1000 kB\nMemAvailable: 250 kB\n")
	pipe := filepath.Join(root, "proc", "diskstats")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	s := newSource(t, fmt.Sprintf("{groups: [memory, disks], root: %q}", root))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	got := read(t, ctx, s)
	if usage := float(t, got["memory"].(map[string]any)["usage_percent"]); usage != 75 {
		t.Errorf("memory usage is %v %%, want 75 %%", usage)
	}
	if text := fmt.Sprint(got["errors"]); !strings.Contains(text, "disks:no answer within the time") {
		t.Errorf("got the errors %s, want that disks gave no answer", text)
	}

	// Let the reader end.
	if err := os.WriteFile(pipe, bytes.Repeat([]byte("\n"), 2), 0o600); err != nil {
		t.Fatal(err)
	}
}
