package host

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
)

type cpuReader struct {
	window time.Duration
	perCPU bool
}

func (r cpuReader) read(ctx context.Context) (any, error) {
	before, err := cpuTimes(ctx, false)
	if err != nil {
		return nil, err
	}
	if err := sleep(ctx, r.within(ctx)); err != nil {
		return nil, fmt.Errorf("measuring over %s: %w", r.window, err)
	}
	after, err := cpuTimes(ctx, false)
	if err != nil {
		return nil, err
	}
	value := make(map[string]any)
	if usage, ok := usage(before[0], after[0]); ok {
		value["usage_percent"] = number(100 * usage)
	}
	times := after
	if r.perCPU {
		if times, err = cpuTimes(ctx, true); err != nil {
			return nil, err
		}
	}
	var byMode, guest []any
	for _, t := range times {
		byMode = append(byMode, modeSeconds(t, cpuModes())...)
		guest = append(guest, modeSeconds(t, guestModes())...)
	}
	value["seconds"], value["guest_seconds"] = byMode, guest
	return value, nil
}

// within returns the window, or half of the time left where that is less.
func (r cpuReader) within(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return min(r.window, time.Until(deadline)/2)
	}
	return r.window
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func cpuTimes(ctx context.Context, perCPU bool) ([]cpu.TimesStat, error) {
	times, err := cpu.TimesWithContext(ctx, perCPU)
	if err != nil {
		return nil, err
	}
	// What cannot be read is no error to the library.
	if len(times) == 0 {
		return nil, errors.New("the system tells no CPU times")
	}
	return times, nil
}

// usage returns which part of the time between two readings was spent with work,
// from 0 to 1; not ok where no time passed. Waiting for a disk is idling. The
// time of guests is part of user and nice: see proc_stat(5).
func usage(before, after cpu.TimesStat) (ratio float64, ok bool) {
	idle := elapsed(before.Idle, after.Idle) + elapsed(before.Iowait, after.Iowait)
	busy := elapsed(before.User, after.User) + elapsed(before.Nice, after.Nice) +
		elapsed(before.System, after.System) + elapsed(before.Irq, after.Irq) +
		elapsed(before.Softirq, after.Softirq) + elapsed(before.Steal, after.Steal)
	if busy+idle == 0 {
		return 0, false
	}
	return busy / (busy + idle), true
}

// elapsed returns how far a counter went; Linux may count idle and iowait back.
func elapsed(before, after float64) float64 { return max(0, after-before) }

type cpuMode struct {
	name    string
	seconds func(*cpu.TimesStat) float64
}

// cpuModes returns the modes that the platform counts; together they are all the
// time there was. user and nice hold the time of guests.
func cpuModes() []cpuMode {
	modes := []cpuMode{
		{"user", func(t *cpu.TimesStat) float64 { return t.User }},
		{"system", func(t *cpu.TimesStat) float64 { return t.System }},
		{"idle", func(t *cpu.TimesStat) float64 { return t.Idle }},
	}
	if runtime.GOOS == "windows" {
		return modes // its interrupt time is part of system
	}
	modes = append(modes, cpuMode{"nice", func(t *cpu.TimesStat) float64 { return t.Nice }})
	if runtime.GOOS != "linux" {
		return modes
	}
	return append(modes,
		cpuMode{"iowait", func(t *cpu.TimesStat) float64 { return t.Iowait }},
		cpuMode{"irq", func(t *cpu.TimesStat) float64 { return t.Irq }},
		cpuMode{"softirq", func(t *cpu.TimesStat) float64 { return t.Softirq }},
		cpuMode{"steal", func(t *cpu.TimesStat) float64 { return t.Steal }},
	)
}

// guestModes returns the modes of which a part is the time of guests.
func guestModes() []cpuMode {
	if runtime.GOOS != "linux" {
		return nil
	}
	return []cpuMode{
		{"user", func(t *cpu.TimesStat) float64 { return t.Guest }},
		{"nice", func(t *cpu.TimesStat) float64 { return t.GuestNice }},
	}
}

func modeSeconds(t cpu.TimesStat, modes []cpuMode) []any {
	name := strings.TrimPrefix(strings.TrimPrefix(t.CPU, "cpu"), "-")
	if name == "total" {
		name = "all"
	}
	var items []any
	for _, m := range modes {
		items = append(items, map[string]any{"cpu": name, "mode": m.name, "seconds": number(m.seconds(&t))})
	}
	return items
}
