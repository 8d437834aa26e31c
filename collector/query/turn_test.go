package query_test

import (
	"context"
	"errors"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"status_exporter/collector/query"
	"status_exporter/collector/tree"
)

func TestOneProbeGrowsAtATime(t *testing.T) {
	first, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 2 { // the second shares it
		if err := query.TakeTurn(first); err != nil {
			t.Fatal(err)
		}
	}
	hasty, cancelHasty := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancelHasty()
	if err := query.TakeTurn(hasty); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "waiting for memory that another evaluation needs") {
		t.Errorf("one whose time is up gets %v", err)
	}
	query.GiveTurn()
	if err := query.TakeTurn(hasty); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the turn was given while somebody shares it: %v", err)
	}

	second, cancelSecond := context.WithCancel(t.Context())
	defer cancelSecond()
	got := make(chan error)
	go func() { got <- query.TakeTurn(second) }()
	query.GiveTurn()
	if err := <-got; err != nil {
		t.Errorf("the next one gets %v", err)
	}
	query.GiveTurn()
}

// Whatever way an evaluation ends, the next one can grow.
func TestTurnsAreGivenBack(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(512 << 20))
	large := make([]byte, 200<<20) // the heap is; an eighth of the limit may be allocated without a turn all the same
	defer runtime.KeepAlive(large)
	const collect = `[limit(100000; repeat("x" * 800))] | length`
	for _, end := range []string{`empty`, `error("no")`, `halt`, `1, 2`} {
		hungry := false
		for result, err := range compile(t, collect+", "+end).All(t.Context(), &query.Env{}, nil) {
			if err != nil || hungry {
				break // of the last expression in its middle
			}
			hungry = true
			if result, ok := tree.Go(result).(int); !ok || result != 100_000 {
				t.Fatalf("collected %v", result)
			}
			hasty, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			if err := query.TakeTurn(hasty); err == nil {
				query.GiveTurn()
				t.Error("an evaluation collects much and does not take its turn")
			}
			cancel()
		}
		if !hungry {
			t.Errorf("%s: nothing was collected", end)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := query.TakeTurn(ctx); err != nil {
		t.Fatalf("the turn was not given back: %v", err)
	}
	query.GiveTurn()
}
