package collector

import (
	"context"
	"strings"
	"testing"

	"status_exporter/collector/document"
	"status_exporter/config"
)

type broken struct{}

func (broken) Read(context.Context) []*document.Document { panic("a defect") }

// TestPanicsAreFailures: a defect costs the probe, and nobody else's.
func TestPanicsAreFailures(t *testing.T) {
	p := &Probe{Module: &config.Module{Name: "shop"}, aimed: aimed{Source: broken{}}, share: share{budget: NewBudget(1, 1<<20)}}
	r := p.Run(context.Background())
	defer r.Release()
	if r.Success || len(r.Failures) != 1 || r.Failures[0].Reason != document.ReasonInternal || !strings.Contains(r.Failures[0].Err.Error(), "a defect") {
		t.Errorf("success %v, failures %v; want one that is internal", r.Success, r.Failures)
	}
}
