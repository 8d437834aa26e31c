package collector

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"status_exporter/collector/document"
	"status_exporter/collector/mapping"
	"status_exporter/config"
)

// A Source answers with the documents of a module's target: at least one, and
// each either decoded or with its failure. It returns when ctx ends.
type Source interface {
	Read(ctx context.Context) []*document.Document
}

// A Probe is one scrape of one target with one module.
type Probe struct {
	Module *config.Module
	Target string // without userinfo and query values; "" where the module takes none
	Vars   map[string]any
	Labels []mapping.Label // of the named target
	// Explain makes the result tell why rules found nothing, which takes time.
	Explain bool

	secrets []string // in the target
	names   []string // of its path: see config.Config.Secrets
	aimed   aimed
	share   share
}

// Peer returns who is asked, in one spelling: HOST:PORT, unix:FILE, or the module where
// that takes no target. Probes of it meet at the same server, whatever their paths.
func (p *Probe) Peer() string { return p.aimed.peer }

// A Result is what one probe found, and a report of what happened.
type Result struct {
	Probe     *Probe
	Start     time.Time
	Duration  time.Duration
	Success   bool
	Documents []*document.Document
	Mapping   *mapping.Result
	Failures  []Failure
	Phases    document.Phases // summed over the documents
	// EarliestCertExpiry is the earliest end of validity of the certificates that
	// the target showed; zero without TLS.
	EarliestCertExpiry time.Time

	nothing mapping.Result // until something is mapped
}

// A Failure is why a document could not be had, or why the probe failed.
type Failure struct {
	Document string
	Optional bool // it does not fail the probe
	document.Failure
}

// Release gives back what the probe uses of the Budget. The samples stay as they are.
func (r *Result) Release() { r.Probe.share.release() }

// Run makes the probe within the deadline of ctx, or that of the module where it
// is earlier. It never fails: what goes wrong stands in the result, which must be
// released.
func (p *Probe) Run(ctx context.Context) *Result {
	if p.Module.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.Module.Timeout)
		defer cancel()
	}
	r := &Result{Probe: p, Start: time.Now()}
	r.Mapping = &r.nothing
	r.guard(func() {
		r.read(ctx)
		if !r.hasDocument() {
			// The rules only note that there is nothing: no deadline is in the way.
			r.mapSamples(context.WithoutCancel(ctx))
			return
		}
		if err := p.share.goOn(ctx); err != nil {
			r.fail(p.documents()[0], document.AsFailure(ctx, document.ReasonOverloaded, err))
			return
		}
		r.mapSamples(ctx)
	})
	if !p.Explain { // a report tells what the documents were
		for _, doc := range r.Documents {
			doc.Release()
		}
	}
	r.Success = true
	for _, f := range r.Failures {
		r.Success = r.Success && f.Optional
	}
	r.Duration = time.Since(r.Start)
	return r
}

// guard turns a panic into a failure: one target's document must never end the
// scrapes of all others.
func (r *Result) guard(scrape func()) {
	defer func() {
		if p := recover(); p != nil {
			r.fail(r.Probe.documents()[0], document.Failf(document.ReasonInternal, "a defect of the exporter: %v\n%s", p, debug.Stack()))
		}
	}()
	scrape()
}

// keptBack is how much of a probe's time is at most kept for mapping where there
// are several documents: one that never comes must not cost the metrics of others.
const keptBack = 100 * time.Millisecond

// read asks the source and notes what failed.
func (r *Result) read(ctx context.Context) {
	if deadline, ok := ctx.Deadline(); ok && len(r.Probe.documents()) > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-min(keptBack, time.Until(deadline)/10)))
		defer cancel()
	}
	r.Documents = r.Probe.aimed.Read(ctx)
	for _, doc := range r.Documents {
		r.Phases.Add(doc.Phases)
		if expiry := doc.EarliestCertExpiry; !expiry.IsZero() && (r.EarliestCertExpiry.IsZero() || expiry.Before(r.EarliestCertExpiry)) {
			r.EarliestCertExpiry = expiry
		}
		if doc.Failure != nil {
			r.Failures = append(r.Failures, Failure{doc.Name, doc.Optional, *doc.Failure})
		}
	}
}

// hasDocument tells whether there is anything to work on: what failed has its
// reason already.
func (r *Result) hasDocument() bool {
	return slices.ContainsFunc(r.Documents, func(d *document.Document) bool { return d.Failure == nil })
}

// mapSamples applies the rules to the documents.
func (r *Result) mapSamples(ctx context.Context) {
	start := time.Now()
	r.Mapping = r.Probe.Module.Rules.Map(ctx, mapping.Input{
		Documents: r.Documents,
		Target:    r.Probe.Target,
		Vars:      r.Probe.Vars,
		Labels:    r.Probe.Labels,
		Limits:    r.Probe.Module.Limits.Mapping,
		Explain:   r.Probe.Explain,
	})
	r.Phases[document.PhaseMap] = time.Since(start)
	switch {
	case r.Mapping.Err != nil:
		r.fail(r.Probe.documents()[0], document.AsFailure(ctx, document.ReasonInternal, fmt.Errorf("mapping the documents to samples: %w", r.Mapping.Err)))
	case len(r.Failures) == 0 && !r.Mapping.Satisfied:
		r.fail(r.Probe.documents()[0], document.Failf(document.ReasonNoSamples, "no rule of module %s that is not optional found anything%s", r.Probe.Module.Name, r.firstDrop()))
	}
}

// firstDrop quotes the first thing that was dropped, which is most likely why
// nothing was found.
func (r *Result) firstDrop() string {
	if len(r.Mapping.Dropped) == 0 {
		return ""
	}
	d := r.Mapping.Dropped[0]
	return fmt.Sprintf("; %s: %s", d.Metric, d.Detail)
}

func (r *Result) fail(name string, f *document.Failure) {
	r.Failures = append(r.Failures, Failure{Document: name, Failure: *f})
}

// documents returns the names of the documents that the probe asks for.
func (p *Probe) documents() []string {
	if p.Module.HTTP != nil {
		return p.Module.HTTP.Documents()
	}
	return localDocuments
}

var localDocuments = []string{document.Status}
