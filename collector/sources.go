package collector

import (
	"strings"

	"status_exporter/collector/accesslog"
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
	// probe returns what one request reads from, and the target as it may be shown.
	probe func(fetch.Request) (Source, string, error)
	close func()
}

func (s Settings) key(cfg *config.Config, m *config.Module, auth string) sourceKey {
	key := sourceKey{
		module: m.Name, fingerprint: m.Fingerprint, auth: auth,
		trusted: strings.Join(cfg.TrustedTargets(m.Name, auth), " "),
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
		return local(src, err)
	case m.Host != nil:
		src, err := host.New(m.Host)
		return local(src, err)
	case m.AccessLog != nil:
		src, err := accesslog.New(m.AccessLog)
		return local(src, err)
	}
	settings := fetch.Settings{
		Module:    m.Name,
		Trusted:   cfg.TrustedTargets(m.Name, auth),
		Policy:    s.Policy,
		UserAgent: s.UserAgent,
		Limits:    m.Limits.Document,
	}
	if a := cfg.Auths[auth]; a != nil {
		settings.Auth = a.Auth
	}
	client, err := fetch.New(m.HTTP, settings)
	if err != nil {
		return source{}, err
	}
	return source{
		probe: func(r fetch.Request) (Source, string, error) {
			p, err := client.Probe(r)
			if err != nil {
				return nil, "", err
			}
			return p, p.Target(), nil
		},
		close: client.Close,
	}, nil
}

// local wraps a source that takes no target.
func local(src interface {
	Source
	Close() error
}, err error,
) (source, error) {
	if err != nil {
		return source{}, err
	}
	return source{
		probe: func(fetch.Request) (Source, string, error) { return src, "", nil },
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
