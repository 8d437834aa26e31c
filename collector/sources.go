package collector

import (
	"context"
	"strings"

	"status_exporter/collector/accesslog"
	"status_exporter/collector/document"
	"status_exporter/collector/fetch"
	"status_exporter/collector/file"
	"status_exporter/collector/host"
	"status_exporter/config"
)

// Settings are what the command line says about all probes.
type Settings struct {
	DefaultModule string // for requests that name none
	Policy        fetch.Policy
	UserAgent     string
	Budget        *Budget // of all probes together; nil for one of DefaultMemory
}

// DefaultMemory is how much memory all probes together may take where nothing
// else is said and the process has no limit, in bytes.
const DefaultMemory = 2 << 30

// A source is what is kept for a module and credentials between scrapes.
type source struct {
	// probe returns what one request reads from.
	probe func(fetch.Request) (aimed, error)
	close func()
}

// An aimed is a source that knows what one request asks it for.
type aimed struct {
	Source
	target string // as it may be shown; "" where there is none
	peer   string // see Probe.Peer
}

func (s Settings) key(cfg *config.Config, m *config.Module, auth string) sourceKey {
	trusted, named := cfg.TargetsOf(m.Name, auth, s.DefaultModule)
	key := sourceKey{
		module: m.Name, fingerprint: m.Fingerprint, auth: auth,
		trusted: strings.Join(trusted, "\n") + "\n\n" + strings.Join(named, "\n"),
	}
	if a := cfg.Auths[auth]; a != nil {
		key.authFingerprint = a.Fingerprint
	}
	return key
}

// open makes the source of a module. This is the place where a new kind of
// source is added.
func (s Settings) open(cfg *config.Config, m *config.Module, auth string) (source, error) {
	switch {
	case m.File != nil:
		src, err := file.New(m.File, m.Format, m.Limits.Document)
		return local(m, src, err)
	case m.Host != nil:
		src, err := host.New(m.Host)
		return local(m, src, err)
	case m.AccessLog != nil:
		src, err := accesslog.New(m.AccessLog)
		return local(m, src, err)
	}
	settings := fetch.Settings{
		Module:    m.Name,
		Policy:    s.Policy,
		UserAgent: s.UserAgent,
		Limits:    m.Limits.Document,
	}
	settings.Trusted, settings.Named = cfg.TargetsOf(m.Name, auth, s.DefaultModule)
	if a := cfg.Auths[auth]; a != nil {
		settings.Auth = a.Auth
	}
	client, err := fetch.New(m.HTTP, settings)
	if err != nil {
		return source{}, err
	}
	return source{
		probe: func(r fetch.Request) (aimed, error) {
			p, err := client.Probe(r)
			if err != nil {
				return aimed{}, err
			}
			return aimed{p, p.Target(), p.Peer()}, nil
		},
		close: client.Close,
	}, nil
}

// A localSource is a source that takes no target.
type localSource interface {
	Read(ctx context.Context, share document.Share) []*document.Document
	Close() error
}

// A localProbe is one probe of a localSource.
type localProbe struct {
	source localSource
	share  document.Share
}

func (p localProbe) Read(ctx context.Context) []*document.Document {
	return p.source.Read(ctx, p.share)
}

func local(m *config.Module, src localSource, err error) (source, error) {
	if err != nil {
		return source{}, err
	}
	return source{
		probe: func(r fetch.Request) (aimed, error) {
			return aimed{Source: localProbe{src, r.Share}, peer: "module " + m.Name}, nil
		},
		close: func() { src.Close() },
	}, nil
}

// sourceName says what a module without target reads.
func sourceName(m *config.Module) string {
	switch {
	case m.File != nil:
		return "the file " + m.File.Path
	case m.Host != nil:
		return "the machine that the exporter runs on"
	default:
		return "an access log"
	}
}
