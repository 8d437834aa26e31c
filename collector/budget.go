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

// A share is what one probe uses of the Budget. It implements fetch.Share.
type share struct {
	budget *Budget

	mu       sync.Mutex
	bodies   int64 // bytes read
	reserved int64
	working  bool
}

// Reserve asks for memory for n more bytes of a body.
func (s *share) Reserve(n int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bodies += n
	return s.reserve(n)
}

func (s *share) reserve(n int64) error {
	if used := s.budget.used.Add(n); used > s.budget.memory {
		s.budget.used.Add(-n)
		return fmt.Errorf("all probes together would take about %d MiB of memory, the limit is %d MiB (--probe.memory-budget)", used>>20, s.budget.memory>>20)
	}
	s.reserved += n
	return nil
}

// Wait returns when the probe may work on what it has read. A probe that works
// already, on another of its documents, goes on. Only who works needs the memory
// for it, so that many probes wait for each other where they would not fit at once.
func (s *share) Wait(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.working {
		select {
		case s.budget.places <- struct{}{}:
			s.working = true
		case <-ctx.Done():
			return fmt.Errorf("waiting for one of the %d probes that work at the same time: %w", cap(s.budget.places), context.Cause(ctx))
		}
	}
	return s.reserve(s.bodies*perByte - s.reserved)
}

// aside gives the place of the probe to others while f waits for a client.
func (s *share) aside(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.working {
		f()
		return
	}
	<-s.budget.places
	defer func() { s.budget.places <- struct{}{} }()
	f()
}

// release gives everything back.
func (s *share) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.budget.used.Add(-s.reserved)
	s.bodies, s.reserved = 0, 0
	if s.working {
		<-s.budget.places
		s.working = false
	}
}
