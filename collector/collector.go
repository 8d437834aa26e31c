// Package collector is one scrape, as a prometheus.Collector: it reads the
// documents of a target from the module's source, maps them to samples and
// emits these as const metrics, together with what is to tell about the probe.
//
// The way of a scrape: Pool.Lease → Lease.Probe → NewGatherer → Probe.Run (source,
// mapping) → Result → const metrics. Nothing is cached between scrapes but what
// a Source keeps: connections, TLS sessions, tokens, and how far an access log
// has been read.
//
// New returns the same as a plain prometheus.Collector, for programs that have a
// registry; the exporter's own handler goes without one.
package collector

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

// A Collector makes one probe each time it is collected. There is one for each
// request: its context carries the request's deadline.
type Collector struct {
	ctx     context.Context
	probe   *Probe
	observe func(context.Context, *Result)
}

var (
	_ prometheus.Collector = (*Collector)(nil)
	_ prometheus.Collector = (*Result)(nil)
)

// New returns a Collector that makes a probe within the deadline of ctx and
// hands its result to observe before the metrics are emitted.
func New(ctx context.Context, probe *Probe, observe func(context.Context, *Result)) *Collector {
	return &Collector{ctx, probe, observe}
}

// Describe sends nothing, which makes the Collector an unchecked one: the label
// sets are known only when the target has answered.
func (c *Collector) Describe(chan<- *prometheus.Desc) {}

// Collect asks the target and emits what it said.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	result := c.probe.Run(c.ctx)
	defer result.Release()
	c.observe(c.ctx, result)
	result.Collect(ch)
}

// Describe sends nothing, as that of Collector.
func (r *Result) Describe(chan<- *prometheus.Desc) {}
