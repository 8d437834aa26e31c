package collector

import (
	"context"
	"math"

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
	_ prometheus.TransactionalGatherer = (*Parts)(nil)
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

// Parts gathers what the Gatherer does in several parts, whose families take
// turns in the same memory: each is to be encoded before the next is gathered.
type Parts struct {
	result   *Result
	messages *messages
}

// seriesInPart is how many series a part has at most, unless they are of one family:
// their messages fit into the cache of a processor.
const seriesInPart = 10_000

// Parts makes the probe and begins to gather in parts.
func (g *Gatherer) Parts() *Parts {
	p := &Parts{result: g.probe.Run(g.ctx)}
	g.observe(g.ctx, p.result)
	p.messages = messagePool.Get()
	p.messages.begin(p.result.families(), seriesInPart)
	return p
}

// Gather returns the families that come next. They may be used until Gather or Close
// is called.
func (p *Parts) Gather() (families []*dto.MetricFamily, done func(), err error) {
	return p.messages.part(), func() {}, nil
}

// More tells whether there are families that were not gathered yet.
func (p *Parts) More() bool { return p.messages.more() }

// Close gives back what gathering took.
func (p *Parts) Close() {
	p.messages.release()
	p.result.Mapping.Release()
	p.result.Release()
}

// Gather returns the families of a probe that was made already.
func (r *Result) Gather() (families []*dto.MetricFamily, done func(), err error) {
	m := messagePool.Get()
	m.begin(r.families(), math.MaxInt)
	return m.part(), m.release, nil
}
