//go:build linux

package soak_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"status_exporter/test/faults/program"
)

// A machine tells when others had its processors: another process, or another
// machine on the same host. What waits for a processor then says nothing about the
// exporter.
type machine struct {
	exporter *program.Exporter
	seconds  int
	busy     []time.Time // ends of the seconds in which others had it
}

const (
	mostOthers = 100 * time.Millisecond // of the time of all processors, in a second; ticks are that coarse
	mostStolen = 10 * time.Millisecond
)

// watch looks once a second until ctx ends.
func (m *machine) watch(ctx context.Context, t *testing.T) {
	ticks := time.NewTicker(time.Second)
	defer ticks.Stop()
	for last := m.spent(t); ; {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		now := m.spent(t)
		m.seconds++
		if now.all-now.own-(last.all-last.own) > mostOthers || now.stolen-last.stolen > mostStolen {
			m.busy = append(m.busy, time.Now())
		}
		last = now
	}
}

// A spent is how long the processors have worked, as proc_stat(5) and
// getrusage(2) say.
type spent struct{ all, own, stolen time.Duration }

const tick = 10 * time.Millisecond // USER_HZ is 100 for all programs

func (m *machine) spent(t *testing.T) (s spent) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		t.Error(err)
		return s
	}
	var user, nice, system, idle, waiting, irq, softirq, steal int64 // ticks
	if _, err := fmt.Fscan(strings.NewReader(strings.TrimPrefix(string(text), "cpu ")), &user, &nice, &system, &idle, &waiting, &irq, &softirq, &steal); err != nil {
		t.Error(err)
	}
	s.all, s.stolen = time.Duration(user+nice+system)*tick, time.Duration(steal)*tick
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Error(err)
	}
	s.own = time.Duration(usage.Utime.Nano()+usage.Stime.Nano()) + m.exporter.Processor(t)
	return s
}

// share returns how much of a processor the exporter has used so far.
func (m *machine) share(t *testing.T) float64 {
	return m.exporter.Processor(t).Seconds() / float64(m.seconds)
}

// calm returns the samples of seconds in which nobody else had the machine.
func (m *machine) calm(all []sample) []sample {
	return slices.DeleteFunc(slices.Clone(all), func(s sample) bool {
		return slices.ContainsFunc(m.busy, func(end time.Time) bool {
			return s.at.Add(-s.took).Before(end) && s.at.After(end.Add(-time.Second))
		})
	})
}
