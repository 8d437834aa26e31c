package collector

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// A Budget is what all probes together may use of the machine: how many of them
// decode, map and print at the same time, and how much memory they take.
type Budget struct {
	places chan struct{} // a probe that works holds one
	memory int64         // bytes
	used   atomic.Int64
}

// NewBudget returns a Budget for a number of probes that work at the same time,
// and an amount of memory in bytes.
func NewBudget(places int, memory int64) *Budget {
	return &Budget{places: make(chan struct{}, places), memory: memory}
}

// perByte is how much memory a byte of a body becomes until its samples are
// printed: 20 to 30 bytes were measured for objects of small numbers in JSON,
// XML and CSV.
const perByte = 32

// perValue is how much memory a decoded value becomes until its samples are
// printed: 200 bytes were measured for a list of small numbers of which each is a
// sample. Few bytes may hold many values.
const perValue = 256

// A Holding is the memory that an answer takes while it is printed, and until its
// client has taken it.
type Holding struct {
	budget *Budget
	bytes  int64
}

// Holding returns one that is empty.
func (p *Pool) Holding() Holding { return Holding{budget: p.settings.Budget} }

// Add counts n more bytes: the probes that come find so much less.
func (h *Holding) Add(n int64) {
	h.budget.used.Add(n)
	h.bytes += n
}

// Grow counts n more bytes, unless all probes together would take too much.
func (h *Holding) Grow(n int64) error {
	h.Add(n)
	if used := h.budget.used.Load(); used > h.budget.memory {
		h.Add(-n)
		return h.budget.full(used)
	}
	return nil
}

// Release gives everything back.
func (h *Holding) Release() { h.Add(-h.bytes) }

// A share is what one probe uses of the Budget. It implements document.Share.
type share struct {
	budget *Budget

	mu       sync.Mutex
	bodies   int64 // bytes read
	values   int64 // decoded
	reserved int64
	places   int // held
}

// Reserve asks for memory for n more bytes of a body. Bodies that could never be
// worked on are not read either.
func (s *share) Reserve(n int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bodies += n
	if need := s.bodies * perByte; need > s.budget.memory {
		return s.budget.full(need)
	}
	return s.reserve(n)
}

func (s *share) reserve(n int64) error {
	if used := s.budget.used.Add(n); used > s.budget.memory {
		s.budget.used.Add(-n)
		return s.budget.full(used)
	}
	s.reserved += n
	return nil
}

func (b *Budget) full(need int64) error {
	return fmt.Errorf("all probes together would take about %d MiB of memory, the limit is %d MiB (--probe.memory-budget)", need>>20, b.memory>>20)
}

// Wait returns when one more document may be worked on. Only who works needs the
// memory for it, so that many probes wait for each other where they would not fit at
// once.
func (s *share) Wait(ctx context.Context) error {
	select {
	case s.budget.places <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("waiting for one of the %d probes that work at the same time: %w", cap(s.budget.places), context.Cause(ctx))
	}
	s.mu.Lock()
	s.places++
	err := s.grow()
	s.mu.Unlock()
	if err != nil {
		s.Rest()
	}
	return err
}

// Rest gives the place of one document back. Its memory stays in use.
func (s *share) Rest() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.places--
	<-s.budget.places
}

// goOn returns when the probe may work on its documents. With the place of the last
// one it goes on at once.
func (s *share) goOn(ctx context.Context) error {
	s.mu.Lock()
	works := s.places > 0
	s.mu.Unlock()
	if works {
		return nil
	}
	return s.Wait(ctx)
}

// Decoded asks for what n values will become, which may be more than their bytes
// said. What is refused need not be given back.
func (s *share) Decoded(n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values += int64(n)
	if n < 0 {
		less := min(0, max(s.bodies*perByte, s.values*perValue)-s.reserved)
		s.budget.used.Add(less)
		s.reserved += less
		return nil
	}
	err := s.grow()
	if err != nil {
		s.values -= int64(n)
	}
	return err
}

// grow reserves what the documents take that were read and decoded.
func (s *share) grow() error {
	if more := max(s.bodies*perByte, s.values*perValue) - s.reserved; more > 0 {
		return s.reserve(more)
	}
	return nil
}

// release gives everything back.
func (s *share) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.budget.used.Add(-s.reserved)
	s.bodies, s.values, s.reserved = 0, 0, 0
	for ; s.places > 0; s.places-- {
		<-s.budget.places
	}
}
