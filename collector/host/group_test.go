package host

import (
	"context"
	"strings"
	"testing"
)

// TestPanic: a defect costs its group.
func TestPanic(t *testing.T) {
	g := &group{
		name:    "disks",
		read:    func(context.Context) (any, error) { panic("an accident") },
		readers: make(chan struct{}, 1),
	}
	for range 2 { // the first is in nobody's way
		if r := g.readOnce(t.Context()); r.name != "disks" || r.err == nil || !strings.Contains(r.err.Error(), "an accident") {
			t.Errorf("%s ends with %v, want the panic", r.name, r.err)
		}
	}
}
