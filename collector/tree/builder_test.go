package tree

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGathered(t *testing.T) {
	b := new(Builder)
	for range 2 { // the second object finds the shape of the first
		begin := b.Mark()
		for _, member := range [][2]string{{"a", "1"}, {"b", "2"}, {"a", "3"}, {"c", ""}, {"a", "4"}, {"b", "5"}} {
			b.Key(member[0])
			if member[1] == "" {
				b.Null()
			} else {
				b.String(member[1])
			}
		}
		b.CloseGathered(begin)
	}
	b.CloseArray(Mark{})
	object := map[string]any{"a": []any{"1", "3", "4"}, "b": []any{"2", "5"}, "c": nil}
	if diff := cmp.Diff([]any{object, object}, Go(b.Root())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A Builder that was reset knows nothing of the document before.
func TestReset(t *testing.T) {
	b := new(Builder)
	for i := range 1000 {
		begin := b.Mark()
		b.Key("key")
		b.Number("7")
		b.CloseObject(begin)
		if i%100 == 99 {
			b.CloseArray(Mark{})
		}
	}
	b.Root()
	b.reset()

	b.Key("other")
	if guess := b.Guess(&Mark{}); guess != "" {
		t.Errorf("guesses %q from a document that is gone", guess)
	}
	b.Null()
	b.CloseObject(Mark{})
	if diff := cmp.Diff(map[string]any{"other": nil}, Go(b.Root())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSteadyBuilderDoesNotAllocate(t *testing.T) {
	b := new(Builder)
	build := func() {
		all := b.Mark()
		for range 1000 {
			begin := b.Mark()
			for _, key := range []string{"jobs", "up"} {
				b.Key(key)
				b.Number("7")
			}
			b.CloseObject(begin)
		}
		b.CloseArray(all)
		b.Root()
	}
	build()
	b.reset()
	allocations := testing.AllocsPerRun(10, func() {
		build()
		b.reset()
	})
	if allocations > 5 { // one shape
		t.Errorf("%v allocations for a document that is like the one before", allocations)
	}
}

// A Builder takes no more memory for many documents, each with an array that is a bit
// longer than the one before, than for the last of them.
func TestBuilderDoesNotGrow(t *testing.T) {
	b := new(Builder)
	const longest = 9400
	for n := 9000; n < longest; n++ {
		for range n {
			b.Null()
		}
		b.CloseArray(Mark{})
		b.Root()
		b.reset()
	}
	one := new(Builder)
	for range longest {
		one.Null()
	}
	one.CloseArray(Mark{})
	one.Root()
	if got, want := b.Size(), 4*one.Size(); got > want {
		t.Errorf("it has %d bytes after many documents, want at most %d", got, want)
	}
}
