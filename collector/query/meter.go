package query

import (
	"context"
	"errors"
	"runtime/metrics"
	"time"
)

// ErrMemory ends an evaluation when the heap has grown by more than 384 MiB, or by
// more than two fifths of the process's memory limit (GOMEMLIMIT), or what is in use
// of it by more than a fifth, since the evaluation took its turn.
var ErrMemory = errors.New("the expression needs more memory than one evaluation may take")

const (
	heapGrowth    = 384 << 20        // what an evaluation may add to the heap, in bytes
	freeGrowth    = 128 << 20        // what all may allocate, in bytes, before it takes its turn
	freeHeap      = 128 << 20        // how large the heap may be, in bytes, before it takes its turn
	sampling      = time.Millisecond // how often the heap is looked at
	stepsPerClock = 64               // how often the clock is looked at, in instructions of the machine
	large         = 256 << 10        // bytes that are not made without asking for room
)

// A meter is the context of one evaluation. It ends with the context that it
// is made from, and with ErrMemory when the heap grows by more than an
// evaluation may need.
//
// The machine asks for Done before each instruction, and that is what drives
// the meter: no timer and no goroutine is needed, and an evaluation that is
// over within a millisecond never reads the heap. The heap is that of the whole
// process; what other probes take meanwhile counts as well, and so the limit
// is a generous one.
type meter struct {
	context.Context
	done  <-chan struct{}
	steps int
	next  time.Time // when to look at the heap again
	heap  *heap

	free           uint64 // what all may have allocated before the evaluation takes its turn
	turn           bool   // it has taken it
	most, mostLive uint64 // what the heap may grow to then, and what may be in use of it
	nested         int    // when a value was looked at for how deep it is, in steps
	err            error
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
	switch {
	case m.next.IsZero(): // most evaluations never see the end of the first interval
		m.next = now.Add(sampling)
	case !now.Before(m.next):
		m.next = now.Add(sampling)
		m.weigh(0)
	}
}

// room is asked before something large is made: it returns ErrMemory, and ends
// the evaluation, if the heap has no room for that many bytes.
func (m *meter) room(bytes int) error {
	if bytes >= large {
		m.weigh(uint64(bytes))
	}
	return m.err
}

// weigh looks at the heap, and at what is about to be added to it.
func (m *meter) weigh(more uint64) {
	if m.err != nil {
		return
	}
	if m.heap == nil {
		m.heap = newHeap()
		m.free = m.heap.get(allocated) + min(freeGrowth, m.heap.get(limit)/8)
	} else {
		m.heap.read()
	}
	isLarge := m.heap.get(objects)+more > min(freeHeap, m.heap.get(limit)/4)
	if !m.turn && isLarge && m.heap.get(allocated)+more > m.free {
		if m.err = takeTurn(m.Context); m.err != nil {
			return
		}
		m.turn = true
		m.heap.read()
		m.most = min(m.heap.get(objects)+min(heapGrowth, m.heap.get(limit)*2/5), m.heap.get(limit))
		m.mostLive = m.heap.get(live) + min(heapGrowth, m.heap.get(limit)/5)
	}
	if m.turn && (m.heap.get(objects)+more > m.most || m.heap.get(live)+more > m.mostLive) {
		m.err = ErrMemory
		ended := make(chan struct{})
		close(ended)
		m.done = ended
	}
}

// end lets the next evaluation take its turn.
func (m *meter) end() {
	if m.turn {
		giveTurn()
	}
}

// String keeps the meter's inner life out of errors.
func (m *meter) String() string { return "the meter of the evaluation" }

// A heap is what the runtime says of it, in bytes.
type heap [4]metrics.Sample

const (
	objects   = iota // what is on it, with what has been thrown away
	live             // what was in use after the last collection
	allocated        // what was ever put on it
	limit            // what the process may use
)

func newHeap() *heap {
	h := &heap{
		objects:   {Name: "/memory/classes/heap/objects:bytes"},
		live:      {Name: "/gc/heap/live:bytes"},
		allocated: {Name: "/gc/heap/allocs:bytes"},
		limit:     {Name: "/gc/gomemlimit:bytes"},
	}
	h.read()
	return h
}

func (h *heap) read()            { metrics.Read(h[:]) }
func (h *heap) get(i int) uint64 { return h[i].Value.Uint64() }
