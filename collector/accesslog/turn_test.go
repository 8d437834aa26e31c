//go:build unix

package accesslog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"status_exporter/collector/document"
	"status_exporter/collector/document/documenttest"
)

// onePlace is a share of a machine on which one probe works at a time.
type onePlace struct {
	documenttest.Free
	places chan struct{}
}

func (p onePlace) Wait(ctx context.Context) error {
	select {
	case p.places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (p onePlace) Rest() { <-p.places }

// TestTurns: a file that keeps its reader waiting costs a scrape no more than its
// time, and others neither their place nor, once the file lets go, their turn.
func TestTurns(t *testing.T) {
	s := open(t, "{path: access.log, format: common}")
	share := onePlace{places: make(chan struct{}, 1)}
	brief := func() context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}
	nothing := func() (any, error) { return nil, nil }
	stuck := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.inTurn(ctx, share, func() (any, error) { cancel(); <-stuck; return nil, nil })
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("a reader that is kept waiting ends with %v", err)
	}
	if len(share.places) != 0 {
		t.Error("a reader that is kept waiting keeps a place among the probes that work")
	}
	share.places <- struct{}{} // who waits for a turn needs none
	_, err = s.inTurn(brief(), share, func() (any, error) { t.Error("two have their turn"); return nil, nil })
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "an earlier scrape") {
		t.Errorf("another scrape ends with %v, want the deadline and that an earlier one waits", err)
	}
	share.Rest()
	close(stuck)
	if _, err := s.inTurn(t.Context(), share, nothing); err != nil {
		t.Errorf("there is no turn after the file let go: %v", err)
	}

	share.places <- struct{}{}
	doc := s.Read(brief(), share)[0]
	if doc.Failure == nil || doc.Failure.Reason != document.ReasonTimeout {
		t.Errorf("where all places are taken a scrape ends with %v", doc.Failure)
	}
	share.Rest()

	_, err = s.inTurn(t.Context(), share, func() (any, error) { panic("a defect") })
	if failure := document.AsFailure(t.Context(), document.ReasonRead, err); failure.Reason != document.ReasonInternal {
		t.Errorf("a panic ends with %v", failure)
	}
	if _, err := s.inTurn(t.Context(), share, nothing); err != nil {
		t.Errorf("there is no turn after a panic: %v", err)
	}
	if len(share.places) != 0 {
		t.Error("a place is kept with nothing to work on")
	}
}

// TestCloseWhileReading: a file that keeps its reader waiting does not keep who closes
// the source.
func TestCloseWhileReading(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	generate(t, path, 1)
	s := open(t, fmt.Sprintf("{path: %q}", path))
	stuck := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	_, _ = s.inTurn(ctx, documenttest.Free{}, func() (any, error) {
		s.refresh()
		cancel()
		<-stuck
		return nil, nil
	})
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("closing waits for the file")
	}
	file := s.logs[path].current.file
	close(stuck)
	for deadline := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		if _, err := file.Stat(); errors.Is(err, os.ErrClosed) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the file is not closed once it lets go")
		}
	}
}

// waiting is a share that calls wait before it gives a place.
type waiting struct {
	documenttest.Free
	wait func()
}

func (w waiting) Wait(ctx context.Context) error {
	w.wait()
	return context.Cause(ctx)
}

// counted is a share that counts the places it gave and got back.
type counted struct {
	documenttest.Free
	waits, rests *int
}

func (c counted) Wait(context.Context) error {
	*c.waits++
	return nil
}

func (c counted) Rest() { *c.rests++ }

// TestPlaces: a scrape waits for places only as often as it reads for some time, and
// keeps the last one, with which its document is worked on.
func TestPlaces(t *testing.T) {
	dir := t.TempDir()
	for i := range 50 {
		generate(t, filepath.Join(dir, fmt.Sprint(i, ".log")), 10)
	}
	synctest.Test(t, func(t *testing.T) { // in which no time passes while it reads
		s := open(t, fmt.Sprintf("{path: %q, from: start}", filepath.Join(dir, "*.log")))
		share := counted{waits: new(int), rests: new(int)}
		doc := s.Read(t.Context(), share)[0]
		if doc.Failure != nil || s.lines != 500 {
			t.Fatalf("%d lines, %v; want 500", s.lines, doc.Failure)
		}
		if *share.waits != 1 || *share.rests != 0 {
			t.Errorf("%d places were waited for and %d given back, want 1 and 0", *share.waits, *share.rests)
		}
	})
}

// TestBusy: where a place comes late, a scrape reads on a bit and leaves the rest to the
// next one.
func TestBusy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	generate(t, path, 10_000) // several buffers
	synctest.Test(t, func(t *testing.T) {
		s := open(t, fmt.Sprintf("{path: %q, from: start}", path))
		share := waiting{wait: func() { time.Sleep(9 * time.Second) }}
		var before uint64
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			doc := s.Read(ctx, share)[0]
			cancel()
			if doc.Failure != nil {
				t.Fatal(doc.Failure)
			}
			if s.lines <= before || s.lines == 10_000 {
				t.Errorf("%d lines were read after %d, want more of them but not all", s.lines, before)
			}
			before = s.lines
		}
	})
}

// TestWaitingTakesNoTurn: who waits for a place is in no other scrape's way.
func TestWaitingTakesNoTurn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	generate(t, path, 10)
	s := open(t, fmt.Sprintf("{path: %q, from: start}", path))
	waits, place, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		if doc := s.Read(t.Context(), waiting{wait: func() { waits <- struct{}{}; <-place }})[0]; doc.Failure != nil {
			t.Error(doc.Failure)
		}
	}()
	<-waits
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if doc := s.Read(ctx, documenttest.Free{})[0]; doc.Failure != nil {
		t.Error(doc.Failure)
	}
	close(place)
	<-ended
}
