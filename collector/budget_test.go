package collector

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestBudgetPlaces(t *testing.T) {
	b := NewBudget(1, 1<<20)
	one, two := &share{budget: b}, &share{budget: b}
	if err := one.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := one.goOn(context.Background()); err != nil {
		t.Fatalf("a probe that has a place does not go on: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := two.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a second probe does not wait: %v", err)
	}
	one.Rest()
	if err := two.Wait(context.Background()); err != nil {
		t.Fatalf("one rests, and two does not work: %v", err)
	}
	if err := one.goOn(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("one goes on beside two: %v", err)
	}
	two.Rest()
	if err := one.goOn(context.Background()); err != nil {
		t.Fatal(err)
	}
	one.release()
	one.release() // twice is once
	if err := two.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	two.release()
	if used := b.used.Load(); used != 0 || len(b.places) != 0 {
		t.Errorf("%d bytes and %d places are still in use", used, len(b.places))
	}
}

func TestBudgetMemory(t *testing.T) {
	b := NewBudget(2, 64<<20)
	one, two := &share{budget: b}, &share{budget: b}
	if err := one.Reserve(1 << 20); err != nil {
		t.Fatal(err)
	}
	if err := one.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	if used := b.used.Load(); used != perByte<<20 {
		t.Errorf("%d bytes are in use, want %d", used, perByte<<20)
	}
	if err := two.Reserve(1 << 20); err != nil {
		t.Fatal(err)
	}
	if err := two.Reserve(32 << 20); err == nil {
		t.Error("more memory than there is was given out")
	}
	if err := two.Wait(context.Background()); err == nil {
		t.Error("the second probe may decode, which takes more memory than there is")
	}
	one.release()
	two.release()
	if used := b.used.Load(); used != 0 {
		t.Errorf("%d bytes are still in use", used)
	}
}

func TestBudgetOfBodiesAndValues(t *testing.T) {
	b := NewBudget(2, 64<<20)
	s := &share{budget: b}
	if err := s.Reserve(3 << 20); err == nil {
		t.Error("a body is read that there is no memory to work on")
	}
	s.release()
	if err := s.Reserve(1 << 20); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := s.Decoded(1000); err != nil || b.used.Load() != perByte<<20 {
		t.Errorf("few values take %d bytes, %v; want %d", b.used.Load(), err, perByte<<20)
	}
	if err := s.Decoded(200_000); err != nil || b.used.Load() != 201_000*perValue {
		t.Errorf("many values take %d bytes, %v; want %d", b.used.Load(), err, 201_000*perValue)
	}
	if err := s.Decoded(1_000_000); err == nil {
		t.Error("more values than there is memory for are worked on")
	}
	if err := s.Decoded(-200_000); err != nil || b.used.Load() != perByte<<20 {
		t.Errorf("%d bytes, %v, are left of many values that are given back, want %d", b.used.Load(), err, perByte<<20)
	}
	if err := s.Decoded(200_000); err != nil || b.used.Load() != 201_000*perValue {
		t.Errorf("many values take %d bytes, %v, the second time; want %d", b.used.Load(), err, 201_000*perValue)
	}
	b.used.Add(64 << 20) // others have taken the rest
	s.Rest()
	if err := s.goOn(context.Background()); err != nil || s.reserved != 201_000*perValue {
		t.Errorf("going on needs more, or leaves %d bytes, %v; want %d", s.reserved, err, 201_000*perValue)
	}
	b.used.Add(-64 << 20)
	if err := s.Decoded(100_000); err == nil {
		t.Error("more values than there is memory for are worked on")
	}
	s.release()
	if used := b.used.Load(); used != 0 {
		t.Errorf("%d bytes are still in use", used)
	}
}
