package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// How much the heap may grow before the garbage collector works again. Go's own rule,
// by as much as is in use, makes it work after each few hundred small scrapes, and
// lets the heap double however large it is. Here it may grow by 16 MiB when it is
// small, double up to 64 MiB, and then grow by 12 %.
const (
	leastGarbage = 16 << 20 // bytes, and at most mostPercent
	mostPercent  = 200
	doubledHeap  = 64 << 20
	leastPercent = 12
)

// paceGC keeps to that rule, unless GOGC says something else.
func paceGC() {
	if os.Getenv("GOGC") == "" {
		pace(0)
	}
}

// pace sets what is right for the heap as the last collection left it, and does so
// again after the next one: what is not in use any more is cleaned up then.
func pace(before int) {
	percent := garbagePercent(liveHeap())
	if percent != before {
		debug.SetGCPercent(percent)
	}
	// A pointer, not an int: Go packs small values without pointers into blocks, and
	// cleans up none of a block before all of it is out of use. One neighbour that
	// stays would end the pacing.
	runtime.AddCleanup(new(*int), pace, percent)
}

// garbagePercent returns by how many percent a heap of some bytes may grow. It is
// rounded, as setting it stops the world.
func garbagePercent(live int) int {
	live = max(live, 1)
	garbage := max(min(leastGarbage, live*mostPercent/100), min(live, doubledHeap-live))
	return max(garbage*10/live*10, leastPercent)
}

// liveHeap returns what was in use after the last collection, in bytes.
func liveHeap() int {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return int(sample[0].Value.Uint64())
}
