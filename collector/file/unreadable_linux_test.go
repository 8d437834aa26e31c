package file_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"status_exporter/collector/document"
	"status_exporter/collector/file"
)

func TestUnreadable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret.json")
	if err := os.WriteFile(path, []byte("1"), 0o000); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 { // who may read everything but this, which is only to be written
		path = "/proc/sys/vm/compact_memory"
		if _, err := os.ReadFile(path); !os.IsPermission(err) {
			report := t.Skipf
			if os.Getenv("CI") != "" {
				report = t.Fatalf
			}
			report("the system has no file that root may not read: %v", err)
		}
	}
	doc := read(t, t.Context(), &file.Options{Path: path, BodySizeLimit: 32})
	if doc.Failure == nil || doc.Failure.Reason != document.ReasonRead || !strings.Contains(doc.Failure.Error(), "permission denied") {
		t.Errorf("got %v, want reason read and permission denied", doc.Failure)
	}
}
