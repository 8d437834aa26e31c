package spare

import (
	"runtime"
	"testing"
)

func TestPool(t *testing.T) {
	made := 0
	p := &Pool[*kilobyte]{New: func() *kilobyte { made++; return new(kilobyte) }}
	before := size
	want := func(when string, wantMade int, wantSize int64) {
		t.Helper()
		if made != wantMade || size-before != wantSize {
			t.Fatalf("%s: %d made and %d bytes kept, want %d and %d", when, made, size-before, wantMade, wantSize)
		}
	}
	one, two := p.Get(), p.Get()
	p.Put(one)
	p.Put(two)
	want("after two were used", 2, 2000)
	runtime.GC()
	runtime.GC()
	runtime.GC()
	one = p.Get()
	want("after collections", 2, 1000)
	age()
	two = p.Get()
	want("after an interval", 2, 0)
	p.Put(one)
	p.Put(two)
	age()
	age()
	want("after two intervals", 2, 0)
	if _, keeps := pools[p]; keeps {
		t.Error("a pool that keeps nothing is still known")
	}
	p.Put(p.Get())
	want("after it was empty", 3, 1000)
	age()
	age()
}

// What is larger than all pools together may keep is left to the garbage collector.
func TestPoolIsFull(t *testing.T) {
	made := 0
	p := &Pool[huge]{New: func() huge { made++; return 100 }}
	p.Put(1)
	p.Put(2)
	if got := p.Get(); got != 1 {
		t.Errorf("got %d, want what there was room for, 1", got)
	}
	if got := p.Get(); got != 100 || made != 1 {
		t.Errorf("got %d, want a new one", got)
	}
}

type kilobyte [1000]byte

func (*kilobyte) Size() int { return 1000 }

type huge int

func (huge) Size() int { return int(limit()) }
