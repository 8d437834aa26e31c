package host

import (
	"testing"

	"github.com/shirou/gopsutil/v4/cpu"
)

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		name   string
		before cpu.TimesStat
		after  cpu.TimesStat
		want   float64
		ok     bool
	}{
		{"no time passed", cpu.TimesStat{User: 5}, cpu.TimesStat{User: 5}, 0, false},
		{"idle", cpu.TimesStat{Idle: 5}, cpu.TimesStat{Idle: 6}, 0, true},
		{"busy", cpu.TimesStat{User: 5}, cpu.TimesStat{User: 6}, 1, true},
		{"iowait is idle", cpu.TimesStat{}, cpu.TimesStat{User: 1, Iowait: 2, Idle: 1}, 0.25, true},
		{"every kind of work", cpu.TimesStat{}, cpu.TimesStat{User: 1, Nice: 1, System: 1, Irq: 1, Softirq: 1, Steal: 1, Idle: 6}, 0.5, true},
		{"guests are in user and nice", cpu.TimesStat{}, cpu.TimesStat{User: 2, Nice: 1, Guest: 2, GuestNice: 1, Idle: 3}, 0.5, true},
		{"idle counted back", cpu.TimesStat{Iowait: 5}, cpu.TimesStat{Iowait: 4, User: 1, Idle: 1}, 0.5, true},
	} {
		if got, ok := usage(test.before, test.after); got != test.want || ok != test.ok {
			t.Errorf("%s: got %v, %t, want %v, %t", test.name, got, ok, test.want, test.ok)
		}
	}
}
