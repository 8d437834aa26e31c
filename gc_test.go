package main

import "testing"

func TestGarbagePercent(t *testing.T) {
	for _, c := range []struct{ live, want int }{
		{0, 200}, {4 << 20, 200}, {8 << 20, 200}, {10 << 20, 160}, {16 << 20, 100}, {32 << 20, 100}, {40 << 20, 60}, {48 << 20, 30}, {64 << 20, 20}, {4 << 30, 12},
	} {
		if got := garbagePercent(c.live); got != c.want {
			t.Errorf("%d bytes in use may grow by %d %%, want %d %%", c.live, got, c.want)
		}
	}
}
