package query

import (
	"context"
	"fmt"
	"runtime"
	"sync"
)

// The heap tells what all evaluations have taken together, not which of them took it.
// If each could grow by as much as one may, a few that come one after the other, each
// on top of what the one before has left as garbage, would fill any memory. So once
// the heap is large only one probe at a time may make it grow by much: its evaluation
// waits for its turn, and begins from a heap without garbage.

// turn is had by the evaluations of one probe. The heap is the process's, and so is
// this.
var turn = struct {
	taken chan struct{} // has an item while somebody has the turn

	mu      sync.Mutex
	holder  any // the context of the evaluations that share the turn
	sharers int
}{taken: make(chan struct{}, 1)}

// takeTurn waits until an evaluation in ctx may grow by much, and collects what others
// have left. It shares the turn of another evaluation in ctx, as those of labels do
// that run while the one of each goes on. The error is that of ctx.
func takeTurn(ctx context.Context) error {
	if shareTurn(ctx) {
		return nil
	}
	select {
	case turn.taken <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("waiting for memory that another evaluation needs: %w", ctx.Err())
	}
	turn.mu.Lock()
	turn.holder, turn.sharers = ctx, 1
	turn.mu.Unlock()
	runtime.GC()
	return nil
}

func shareTurn(ctx context.Context) bool {
	turn.mu.Lock()
	defer turn.mu.Unlock()
	if turn.holder != ctx {
		return false
	}
	turn.sharers++
	return true
}

// giveTurn lets the next probe's evaluation grow when nobody shares the turn any more.
func giveTurn() {
	turn.mu.Lock()
	defer turn.mu.Unlock()
	if turn.sharers--; turn.sharers == 0 {
		turn.holder = nil
		<-turn.taken
	}
}
