package main

import (
	"errors"
	"log/slog"
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"status_exporter/collector"
)

// memoryShare is the part of the container's limit that the Go runtime keeps to.
// The rest is for what it does not count, and for what is allocated while the
// collector that the limit started is still at work: with 0.9, large documents
// made the kernel end an exporter with 256 MiB.
const memoryShare = 0.8

// limitMemory makes the runtime keep to the memory limit of the container, as
// GOMEMLIMIT would, where that is not set and there is one.
func limitMemory(logger *slog.Logger) {
	_, err := memlimit.Set(memlimit.WithProvider(memlimit.FromCgroup), memlimit.WithRatio(memoryShare))
	if err != nil && !errors.Is(err, memlimit.ErrNoLimit) && !errors.Is(err, memlimit.ErrNoCgroup) {
		logger.Debug("the memory limit of the container cannot be read", "error", err)
	}
}

// budget returns what all probes together may use: the memory that the flag says
// or, without one, half of what the runtime keeps to.
func budget(memory int64) *collector.Budget {
	if memory <= 0 {
		memory = collector.DefaultMemory
		if limit := debug.SetMemoryLimit(-1); limit < math.MaxInt64 {
			memory = limit / 2
		}
	}
	return collector.NewBudget(runtime.GOMAXPROCS(0), memory)
}

// worthGivingBack is how much of the heap must be resident for the 4 ms of a
// garbage collection to be worth it; it is twice what the exporter needs idle.
const worthGivingBack = 6 << 20

// giveBack returns to the system what a large configuration took while it was
// read: many times what stays of it. By itself the runtime gives it back slowly,
// and may keep it for good.
func giveBack() {
	heap := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(heap)
	resident := uint64(0)
	for _, class := range heap {
		resident += class.Value.Uint64()
	}
	if resident >= worthGivingBack {
		debug.FreeOSMemory()
	}
}
