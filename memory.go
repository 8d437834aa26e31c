package main

import (
	"errors"
	"log/slog"
	"math"
	"runtime"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"status_exporter/collector"
)

// memoryShare is the part of the container's limit that the Go runtime keeps to;
// the rest is for what it does not count.
const memoryShare = 0.9

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
