package query

import (
	"context"
	"errors"
	"runtime/metrics"
	"time"
)

// ErrMemory ends an evaluation during which the heap grew by more than 512 MiB,
// or by more than half of the process's memory limit (GOMEMLIMIT).
var ErrMemory = errors.New("the expression needs more memory than one evaluation may take")

const (
	heapGrowth    = 512 << 20             // what an evaluation may add to the heap, in bytes
	sampling      = 10 * time.Millisecond // how often the heap is looked at
	stepsPerClock = 16                    // how often the clock is looked at, in instructions of the machine
)

// A meter is the context of one evaluation. It ends with the context that it
// is made from, and with ErrMemory when the heap grows by more than an
// evaluation may need.
//
// The machine asks for Done before each instruction, and that is what drives
// the meter: no timer and no goroutine is needed, and an evaluation that is
// over within microseconds never reads the heap. The heap is that of the whole
// process; what other probes take meanwhile counts as well, and so the limit
// is a generous one.
type meter struct {
	context.Context
	done   <-chan struct{}
	steps  int
	sample [1]metrics.Sample
	next   time.Time // when to look at the heap again
	most   uint64    // what the heap may grow to
	err    error
}

func newMeter(ctx context.Context) *meter {
	return &meter{Context: ctx, done: ctx.Done()}
}

// Done is called before each instruction of the machine.
func (m *meter) Done() <-chan struct{} {
	if m.steps++; m.steps%stepsPerClock == 0 {
		m.look()
	}
	return m.done
}

// Err returns why the evaluation has to end, or nil.
func (m *meter) Err() error {
	if m.err != nil {
		return m.err
	}
	return m.Context.Err()
}

// check is for functions that take long over one instruction.
func (m *meter) check() error {
	m.look()
	return m.Err()
}

func (m *meter) look() {
	now := time.Now()
	if now.Before(m.next) || m.err != nil {
		return
	}
	if m.next.IsZero() {
		m.most = m.read("/memory/classes/heap/objects:bytes") + min(heapGrowth, m.read("/gc/gomemlimit:bytes")/2)
	} else if m.read("/memory/classes/heap/objects:bytes") > m.most {
		m.err = ErrMemory
		ended := make(chan struct{})
		close(ended)
		m.done = ended
	}
	m.next = now.Add(sampling)
}

// read returns one of the runtime's metrics.
func (m *meter) read(name string) uint64 {
	m.sample[0].Name = name
	metrics.Read(m.sample[:])
	return m.sample[0].Value.Uint64()
}

// String keeps the meter's inner life out of errors.
func (m *meter) String() string { return "the meter of the evaluation" }
