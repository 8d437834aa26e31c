package collector

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"status_exporter/collector/document"
	"status_exporter/collector/fetch"
	"status_exporter/collector/mapping"
	"status_exporter/config"
)

// A Request says what to probe, as /probe, /metrics and the command line do.
type Request struct {
	Target string // a URL, host:port, or the name of a named target; "" where the module takes none
	Module string // "": the named target's, or Settings.DefaultModule
	Auth   string // "": the named target's, or none
	// Params may set the vars that the module allows a request to set.
	Params url.Values

	Explain bool // see Probe.Explain
	Excerpt int  // how many bytes of each document to keep for a report
}

// ErrNoDefault is the error of Lease.Default where the configuration names no
// default target.
var ErrNoDefault = errors.New("there is no default target")

// Default returns the probe of the default target.
func (l *Lease) Default() (*Probe, error) {
	d := l.Config().Default
	if d == nil {
		return nil, ErrNoDefault
	}
	return l.Probe(Request{Target: d.Target, Module: d.Module, Auth: d.Auth})
}

// Probe returns the probe for a request. An error is the requester's: a
// *fetch.RefusedError where the target is not allowed, anything else where the
// request is wrong. Nothing has been asked yet.
func (l *Lease) Probe(r Request) (*Probe, error) {
	p := &Probe{Explain: r.Explain, share: share{budget: l.pool.settings.Budget}}
	if t := l.Config().Targets[r.Target]; t != nil {
		r.Target = t.URL
		if r.Module == "" {
			r.Module = t.Module
		}
		if r.Auth == "" {
			r.Auth = t.Auth
		}
		p.Labels = t.Labels
	}
	if r.Module == "" {
		r.Module = l.pool.settings.DefaultModule
	}
	m, err := l.Config().Module(r.Module)
	if err != nil {
		return nil, err
	}
	if _, err := l.Config().Auth(r.Auth); err != nil {
		return nil, err
	}
	switch {
	case m.NeedsTarget() && r.Target == "":
		return nil, fmt.Errorf("module %s needs a target, for example target=http://localhost:8000/status", m.Name)
	case !m.NeedsTarget() && r.Target != "":
		return nil, fmt.Errorf("module %s takes no target: it reads %s", m.Name, sourceName(m))
	case !m.NeedsTarget() && r.Auth != "":
		return nil, fmt.Errorf("module %s takes no auth: it reads %s", m.Name, sourceName(m))
	}
	p.Module = m
	p.secrets, p.names = l.Config().Secrets(r.Target)
	if p.Vars, err = m.Values(r.Params); err != nil {
		return nil, err
	}
	src, err := l.keep(m, r.Auth)
	if err != nil {
		return nil, err
	}
	p.aimed, err = src.probe(fetch.Request{Target: r.Target, Vars: p.Vars, Excerpt: r.Excerpt, Explain: r.Explain, Share: &p.share})
	p.Target = p.aimed.target
	return p, err
}

// DefaultFailed returns the result of a probe of the default target that could
// not begin, so that /metrics says why and still shows the exporter's own.
func (l *Lease) DefaultFailed(err error) *Result {
	d := l.Config().Default
	m, _ := l.Config().Module(d.Module)
	if m == nil {
		m = &config.Module{Name: d.Module}
	}
	reason := document.ReasonInternal
	if refused := (*fetch.RefusedError)(nil); errors.As(err, &refused) {
		reason = document.ReasonRefused
	}
	p := &Probe{Module: m, share: share{budget: l.pool.settings.Budget}}
	return p.notMade(&document.Failure{Reason: reason, Err: err})
}

// Overloaded returns the result of the probe where it is not made, as there are too
// many already.
func (p *Probe) Overloaded(err error) *Result {
	return p.notMade(&document.Failure{Reason: document.ReasonOverloaded, Err: err})
}

// Unprinted returns the result of the probe where what it found could not be printed,
// and why.
func (p *Probe) Unprinted(ctx context.Context, err error) *Result {
	return p.notMade(document.AsFailure(ctx, document.ReasonOverloaded, err))
}

func (p *Probe) notMade(f *document.Failure) *Result {
	r := &Result{Probe: p, Start: time.Now(), Mapping: &mapping.Result{}}
	r.fail(document.Status, f)
	return r
}
