package file_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"status_exporter/collector/document"
	"status_exporter/collector/document/documenttest"
	"status_exporter/collector/file"
	"status_exporter/config/options"
)

// reserving is a share that counts the bytes it is asked for.
type reserving struct {
	documenttest.Free
	bytes *atomic.Int64
}

func (r reserving) Reserve(n int64) error {
	r.bytes.Add(n)
	return nil
}

// newBlocked returns a source of a good file whose first opening begins by calling
// blocked. opened counts the openings.
func newBlocked(t *testing.T, blocked func()) (s *file.Source, opened *atomic.Int64) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "backup.json")
	if err := os.WriteFile(path, []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := file.New(&file.Options{Path: path, BodySizeLimit: 32}, document.JSON, document.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	opened = new(atomic.Int64)
	s.OpenWith(func(name string) (*os.File, fs.FileInfo, error) {
		if opened.Add(1) == 1 {
			blocked()
		}
		return options.OpenRegular(name)
	})
	return s, opened
}

// TestAbandoned: a file system that gives no answer keeps one reader waiting, whatever
// the number of scrapes, and that reader takes nothing once its scrape has ended.
func TestAbandoned(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan struct{})
	s, opened := newBlocked(t, func() { cancel(); <-answer })
	var reserved atomic.Int64
	doc := s.Read(ctx, reserving{bytes: &reserved})[0]
	if doc.Failure == nil || doc.Failure.Reason != document.ReasonTimeout {
		t.Errorf("the first scrape ends with %v, want reason timeout", doc.Failure)
	}

	brief, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	doc = s.Read(brief, documenttest.Free{})[0]
	const want = "an earlier scrape is still waiting for the file system"
	if doc.Failure == nil || doc.Failure.Reason != document.ReasonTimeout || !strings.Contains(doc.Failure.Error(), want) {
		t.Errorf("the second scrape ends with %v, want reason timeout and that %s", doc.Failure, want)
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d readers wait for the file, want 1", n)
	}

	close(answer)
	doc = s.Read(t.Context(), documenttest.Free{})[0] // has its turn when the first reader has ended
	if doc.Failure != nil || opened.Load() != 2 {
		t.Errorf("after the answer a scrape ends with %v, and the file was opened %d times; want 2", doc.Failure, opened.Load())
	}
	if n := reserved.Load(); n != 0 {
		t.Errorf("%d bytes were reserved for a scrape that had ended", n)
	}
}

// TestPanic: a defect while a file is read costs one scrape.
func TestPanic(t *testing.T) {
	s, _ := newBlocked(t, func() { panic("an accident") })
	doc := s.Read(t.Context(), documenttest.Free{})[0]
	if doc.Failure == nil || doc.Failure.Reason != document.ReasonInternal {
		t.Errorf("got %v, want reason internal", doc.Failure)
	}
	if doc := s.Read(t.Context(), documenttest.Free{})[0]; doc.Failure != nil {
		t.Errorf("the next scrape ends with %v", doc.Failure)
	}
}
