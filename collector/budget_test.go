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
	if err := one.Wait(context.Background()); err != nil {
		t.Fatalf("another document of a probe that works: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := two.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a second probe does not wait: %v", err)
	}
	one.aside(func() {
		if err := two.Wait(context.Background()); err != nil {
			t.Fatalf("while the first waits for its client: %v", err)
		}
		two.release()
	})
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
