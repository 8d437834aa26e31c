package file_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/document"
	"status_exporter/collector/document/documenttest"
	"status_exporter/collector/file"
	"status_exporter/collector/tree"
	"status_exporter/config/options"
)

// decode reads options as they stand in a configuration file in dir.
func decode(t *testing.T, dir, text string) (*file.Options, error) {
	t.Helper()
	d := options.NewDecoder(os.LookupEnv)
	n := d.Parse(filepath.Join(dir, "status.yml"), []byte(text))
	var o file.Options
	o.Decode(d, n)
	return &o, d.Err()
}

func read(t *testing.T, ctx context.Context, o *file.Options) *document.Document {
	t.Helper()
	s, err := file.New(o, document.JSON, document.Limits{Depth: 3, Values: 100})
	if err != nil {
		t.Fatal(err)
	}
	docs := s.Read(ctx, documenttest.Free{})
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if len(docs) != 1 || docs[0].Name != document.Status || docs[0].StatusCode != 0 {
		t.Fatalf("got %+v, want one document named %s without an HTTP status", docs, document.Status)
	}
	return docs[0]
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "backup.json")
	o, err := decode(t, dir, "path: backup.json\nbody_size_limit: 32")
	if err != nil {
		t.Fatal(err)
	}

	for _, step := range []struct {
		text string
		want any
	}{
		{`{"size": 9007199254740993}`, map[string]any{"size": json.Number("9007199254740993")}},
		{`{"size": 2}`, map[string]any{"size": json.Number("2")}}, // read afresh every time
		{`"` + strings.Repeat("x", 30) + `"`, strings.Repeat("x", 30)},
	} {
		if err := os.WriteFile(path, []byte(step.text), 0o600); err != nil {
			t.Fatal(err)
		}
		doc := read(t, t.Context(), o)
		if doc.Failure != nil {
			t.Fatalf("%s: %v", step.text, doc.Failure)
		}
		if diff := cmp.Diff(step.want, tree.Go(doc.Value)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.text, diff)
		}
		if doc.Bytes != int64(len(step.text)) {
			t.Errorf("%s: got %d bytes", step.text, doc.Bytes)
		}
	}
}

func TestFailures(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	expired, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()

	for _, test := range []struct {
		name   string
		ctx    context.Context
		path   string
		reason document.Reason
		text   string // what the error must contain
	}{
		{"missing", t.Context(), filepath.Join(dir, "none"), document.ReasonRead, "none: no such file"},
		{"directory", t.Context(), dir, document.ReasonRead, "found a directory, expected a regular file"},
		{"too large", t.Context(), write("large", `"`+strings.Repeat("x", 31)+`"`), document.ReasonTooLarge, "body_size_limit, 32 bytes"},
		{"not JSON", t.Context(), write("broken", `{"a":`), document.ReasonDecode, "as json"},
		{"too deep", t.Context(), write("deep", `[[[[1]]]]`), document.ReasonLimit, "deep"},
		{"late", expired, write("late", `1`), document.ReasonTimeout, "deadline"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && test.name == "missing" {
				t.Skip("the system words it otherwise")
			}
			doc := read(t, test.ctx, &file.Options{Path: test.path, BodySizeLimit: 32})
			if doc.Failure == nil || doc.Value != nil {
				t.Fatalf("got value %v and no failure", doc.Value)
			}
			if doc.Failure.Reason != test.reason || !strings.Contains(doc.Failure.Error(), test.text) {
				t.Errorf("got %s: %v\nwant %s: …%s…", doc.Failure.Reason, doc.Failure, test.reason, test.text)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	dir := t.TempDir()
	o, err := decode(t, dir, "path: backup.json")
	want := &file.Options{Path: filepath.Join(dir, "backup.json"), BodySizeLimit: 16 << 20}
	if diff := cmp.Diff(want, o); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}

	for text, want := range map[string]string{
		"{}":                               `"file" has no path`,
		"path: [a]":                        "found a list, expected a file name",
		"{path: a, pth: b}":                `unknown key "pth" in "file"; did you mean "path"?`,
		"{path: a, body_size_limit: none}": "expected a size such as 16MiB",
		"text":                             `"file" is a text, expected a mapping`,
	} {
		if _, err := decode(t, dir, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want …%s…", text, err, want)
		}
	}
}
