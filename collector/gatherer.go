package collector

import (
	"context"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// A Gatherer makes one probe each time it gathers, as a registry with a
// Collector in it does, and with the same result: it shares Probe.Run and the
// samples, which are sorted and free of duplicates already. What it saves is the
// registry's work of finding that out again, a goroutine and a channel, and, by
// reusing its messages, an allocation for every message of every series: in a
// profile of 20,000 series these were more than half of a scrape.
type Gatherer struct {
	ctx     context.Context
	probe   *Probe
	observe func(context.Context, *Result)
}

var (
	_ prometheus.TransactionalGatherer = (*Gatherer)(nil)
	_ prometheus.TransactionalGatherer = (*Result)(nil)
)

// NewGatherer returns a Gatherer that makes a probe within the deadline of ctx
// and hands its result to observe.
func NewGatherer(ctx context.Context, probe *Probe, observe func(context.Context, *Result)) *Gatherer {
	return &Gatherer{ctx, probe, observe}
}

// Gather asks the target and returns what it said. The families may be used
// until done is called.
func (g *Gatherer) Gather() (families []*dto.MetricFamily, done func(), err error) {
	result := g.probe.Run(g.ctx)
	g.observe(g.ctx, result)
	families, used, err := result.Gather()
	return families, func() {
		used()
		result.Mapping.Release()
		result.Release()
	}, err
}

// Aside runs f, which waits for the client, while others may work in the place
// of this probe.
func (g *Gatherer) Aside(f func()) { g.probe.share.aside(f) }

// Gather returns the families of a probe that was made already.
func (r *Result) Gather() (families []*dto.MetricFamily, done func(), err error) {
	m := messagePool.Get().(*messages)
	return m.families(r.families()), func() { messagePool.Put(m) }, nil
}

var messagePool = sync.Pool{New: func() any { return new(messages) }}
