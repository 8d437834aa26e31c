package host_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/document"
	"status_exporter/collector/document/documenttest"
	"status_exporter/collector/host"
	"status_exporter/collector/tree"
	"status_exporter/config/options"
)

// decode reads options as they stand in a configuration file of this directory.
func decode(t *testing.T, text string) (*host.Options, error) {
	t.Helper()
	d := options.NewDecoder(os.LookupEnv)
	var o host.Options
	o.Decode(d, d.Parse("status.yml", []byte(text)))
	return &o, d.Err()
}

func newSource(t *testing.T, text string) *host.Source {
	t.Helper()
	o, err := decode(t, text)
	if err != nil {
		t.Fatal(err)
	}
	s, err := host.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func read(t *testing.T, ctx context.Context, s *host.Source) map[string]any {
	t.Helper()
	docs := s.Read(ctx, documenttest.Free{})
	if len(docs) != 1 || docs[0].Name != document.Status {
		t.Fatalf("got %+v, want one document named %s", docs, document.Status)
	}
	if docs[0].Failure != nil {
		t.Fatal(docs[0].Failure)
	}
	return docs[0].Value.(map[string]any)
}

// TestDocument reads a machine whose files are in testdata/root.
func TestDocument(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the files are those of Linux")
	}
	got := read(t, t.Context(), newSource(t, "{root: testdata/root, window: 1ms, per_cpu: true}"))

	// These come from the running machine whatever the root is.
	for _, group := range []string{"swap", "uptime"} {
		if _, ok := got[group].(map[string]any); !ok {
			t.Errorf("%s: got %v, want a mapping", group, got[group])
		}
		delete(got, group)
	}
	for _, f := range got["filesystems"].([]any) {
		for _, key := range []string{"size_bytes", "available_bytes", "used_bytes", "files", "files_free"} {
			if _, ok := f.(map[string]any)[key].(json.Number); !ok {
				t.Errorf("%s of %v: got %v, want a number", key, f, f.(map[string]any)[key])
			}
			delete(f.(map[string]any), key)
		}
	}

	golden := filepath.Join("testdata", "document.json")
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := document.JSON.Decode(t.Context(), text, "", document.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tree.Go(decoded), any(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", golden, diff)
	}
}

// TestGroups reads some of the groups, and a machine that does not tell all.
func TestGroups(t *testing.T) {
	got := read(t, t.Context(), newSource(t, "{groups: [memory, uptime, memory]}"))
	if diff := cmp.Diff([]string{"errors", "groups", "memory", "uptime"}, keys(got)); diff != "" {
		t.Errorf("groups that were asked for (-want +got):\n%s", diff)
	}

	if runtime.GOOS != "linux" {
		return
	}
	root := t.TempDir()
	write(t, filepath.Join(root, "proc", "diskstats"), "")
	s := newSource(t, fmt.Sprintf("{groups: [cpu, disks, memory], root: %q, window: 1ms}", root))
	got = read(t, t.Context(), s)
	if diff := cmp.Diff([]string{"disks", "errors", "groups"}, keys(got)); diff != "" {
		t.Errorf("groups that could be read (-want +got):\n%s", diff)
	}
	want := map[string]any{"cpu": false, "disks": true, "memory": false}
	if diff := cmp.Diff(want, got["groups"]); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"cpu", "memory"}, keys(got["errors"].(map[string]any))); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}

	if err := os.Remove(filepath.Join(root, "proc", "diskstats")); err != nil {
		t.Fatal(err)
	}
	doc := s.Read(t.Context(), documenttest.Free{})[0]
	if doc.Failure == nil || doc.Failure.Reason != document.ReasonRead || !strings.Contains(doc.Failure.Error(), "disks: ") {
		t.Errorf("no group could be read: got %v, want reason read and each group's error", doc.Failure)
	}
}

// TestWindow measures CPU usage within the time that a scrape has.
func TestWindow(t *testing.T) {
	s := newSource(t, "window: 1h")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	got := read(t, ctx, s)
	if ctx.Err() != nil {
		t.Error("the answer came after the deadline")
	}
	if _, ok := got["cpu"].(map[string]any)["usage_percent"]; !ok {
		t.Errorf("got %v, want CPU usage over a part of the time", got["cpu"])
	}

	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	start := time.Now()
	s.Read(ctx, documenttest.Free{})
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("a cancelled scrape took %s", took)
	}
}

func TestOptions(t *testing.T) {
	if _, err := decode(t, "window: 1s"); err != nil {
		t.Error(err)
	}
	for text, want := range map[string]string{
		"window: 0s":          "expected a duration such as 5s",
		"groups: [cpu, disk]": `did you mean "disks"?`,
		"groups: []":          `"groups" is empty, expected some of cpu, memory`,
		"groups: cpu":         `"groups" is a text, expected a list`,
		"exclude_disks: (":    "expected a regular expression",
		"percpu: true":        `did you mean "per_cpu"?`,
		"[]":                  `"host" is a list, expected a mapping`,
	} {
		if _, err := decode(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want …%s…", text, err, want)
		}
	}
}

func keys(m map[string]any) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
