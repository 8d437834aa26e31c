// Package spare keeps for the next who needs it what is not in use, memory (Pool), and
// what would be made once more, values by a key (Map). Both are bounded.
package spare

import (
	"runtime/debug"
	"sync"
	"time"
)

// A Pool keeps values for the next who needs one, as sync.Pool does, but lets go of
// them by the clock and not by garbage collections: memory that is given away in one
// scrape and made again in the next is what causes most of these.
type Pool[T Sizer] struct {
	New func() T // nil: the zero value is new

	idle []kept[T]
	old  []kept[T] // was idle for an interval already
}

// A Sizer tells how many bytes of memory it holds.
type Sizer interface{ Size() int }

type kept[T any] struct {
	value T
	size  int64
}

// interval is how often the pools look for what nobody needed. It is above the usual
// times between two scrapes: what is not used again is gone after two of them.
const interval = time.Minute

// mostKept is how much all pools together keep, in bytes, unless a sixteenth of
// the process's memory limit is less.
const mostKept = 512 << 20

// limit returns mostKept for this process.
var limit = sync.OnceValue(func() int64 { return min(mostKept, debug.SetMemoryLimit(-1)/16) })

// The state of all pools.
var (
	mu    sync.Mutex
	size  int64                     // of what is kept
	pools = make(map[ager]struct{}) // that keep something
	clock *time.Timer               // runs while there are such pools
)

// An ager is a Pool of any type.
type ager interface{ age() (empty bool) }

// Get returns a value that was kept, or a new one.
func (p *Pool[T]) Get() (v T) {
	mu.Lock()
	for _, from := range []*[]kept[T]{&p.idle, &p.old} {
		if last := len(*from) - 1; last >= 0 {
			k := (*from)[last]
			(*from)[last] = kept[T]{}
			*from = (*from)[:last]
			size -= k.size
			mu.Unlock()
			return k.value
		}
	}
	mu.Unlock()
	if p.New != nil {
		v = p.New()
	}
	return v
}

// Put keeps a value that is not in use any more, if there is room for it.
func (p *Pool[T]) Put(v T) {
	k := kept[T]{v, int64(v.Size())}
	mu.Lock()
	defer mu.Unlock()
	if size+k.size > limit() {
		return
	}
	size += k.size
	p.idle = append(p.idle, k)
	switch {
	case clock == nil:
		clock = time.AfterFunc(interval, age)
	case len(pools) == 0:
		clock.Reset(interval)
	}
	pools[p] = struct{}{}
}

// age lets all pools go of what nobody needed for an interval.
func age() {
	mu.Lock()
	defer mu.Unlock()
	for p := range pools {
		if p.age() {
			delete(pools, p)
		}
	}
	if len(pools) > 0 {
		clock.Reset(interval)
	}
}

func (p *Pool[T]) age() (empty bool) {
	for _, k := range p.old {
		size -= k.size
	}
	p.old, p.idle = p.idle, nil
	return len(p.old) == 0
}
