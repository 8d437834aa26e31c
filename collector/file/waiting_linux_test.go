package file_test

import (
	"context"
	"os"
	"testing"
	"time"

	"status_exporter/collector/document"
	"status_exporter/collector/document/documenttest"
	"status_exporter/collector/file"
)

// TestWaitingFile reads a file that is regular by its mode, and keeps its reader waiting
// until the kernel has something to say.
func TestWaitingFile(t *testing.T) {
	const path = "/proc/kmsg"
	f, err := os.Open(path)
	if err != nil {
		report := t.Skipf
		if os.Getenv("CI") != "" {
			report = t.Fatalf
		}
		report("%s cannot be opened, which takes the rights of root: %v", path, err)
	}
	f.Close()
	s, err := file.New(&file.Options{Path: path, BodySizeLimit: 16 << 20}, document.JSON, document.Limits{Depth: 3, Values: 1_000_000})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // the one before is in nobody's way
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		docs := make(chan []*document.Document, 1)
		go func() { docs <- s.Read(ctx, documenttest.Free{}) }()
		select {
		case docs := <-docs:
			if f := docs[0].Failure; f == nil || f.Reason != document.ReasonTimeout {
				t.Errorf("got failure %v, want reason timeout", f)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("reading does not end")
		}
		cancel()
	}
}
