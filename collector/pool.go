package collector

import (
	"fmt"
	"maps"
	"runtime"
	"sync"

	"status_exporter/config"
)

// A Pool holds the configuration in force and what honestly survives a scrape:
// one source for each module and credentials, with its connections, TLS
// sessions, tokens and positions in logs. It is safe for concurrent use.
type Pool struct {
	settings Settings

	mu      sync.Mutex // held while sources are looked up, never while one is made or asked: both may wait for files
	current *generation
}

// A generation is one configuration with the sources that its scrapes use. It
// ends when another configuration took its place and its last scrape is done.
type generation struct {
	config *config.Config
	leases int
	kept   map[sourceKey]*keptSource
	named  map[moduleAuth]*keptSource // some of kept, by a key that takes less to make
}

// A moduleAuth tells the sources of one configuration apart.
type moduleAuth struct{ module, auth string }

// A sourceKey tells the sources apart. Two configurations that agree in all of
// it share the source.
type sourceKey struct {
	module, fingerprint   string
	auth, authFingerprint string
	trusted               string
}

// A keptSource is a source, which the first that opens it makes, and the number of
// generations that hold it.
type keptSource struct {
	open        func() (source, error)
	generations int
}

// NewPool returns a Pool that scrapes by cfg.
func NewPool(cfg *config.Config, s Settings) *Pool {
	if s.Budget == nil {
		s.Budget = NewBudget(runtime.GOMAXPROCS(0), DefaultMemory)
	}
	return &Pool{settings: s, current: newGeneration(cfg)}
}

func newGeneration(cfg *config.Config) *generation {
	return &generation{config: cfg, kept: make(map[sourceKey]*keptSource), named: make(map[moduleAuth]*keptSource)}
}

// Replace puts cfg in force. Scrapes in flight end with the configuration that
// they began with; sources of modules that did not change are kept, the others
// are closed when their last scrape has ended.
func (p *Pool) Replace(cfg *config.Config) {
	p.mu.Lock()
	old, next := p.current, newGeneration(cfg)
	for key, kept := range old.kept {
		m, err := cfg.Module(key.module)
		if err == nil && key == p.settings.key(cfg, m, key.auth) {
			kept.generations++
			next.kept[key] = kept
		}
	}
	p.current = next
	closing := p.ended(old)
	p.mu.Unlock()
	closeAll(closing)
}

// Close closes every source once its last scrape has ended.
func (p *Pool) Close() { p.Replace(&config.Config{}) }

// Config returns the configuration in force.
func (p *Pool) Config() *config.Config {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current.config
}

// A Lease keeps one configuration, and what it needs, for one scrape.
type Lease struct {
	pool       *Pool
	generation *generation
}

// Lease begins a scrape. It must be released when the scrape has ended.
func (p *Pool) Lease() *Lease {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current.leases++
	return &Lease{p, p.current}
}

// Release ends the scrape.
func (l *Lease) Release() {
	l.pool.mu.Lock()
	l.generation.leases--
	closing := l.pool.ended(l.generation)
	l.pool.mu.Unlock()
	closeAll(closing)
}

// Config returns the configuration of this scrape.
func (l *Lease) Config() *config.Config { return l.generation.config }

// ended returns the sources that nobody uses any more, if g is over.
func (p *Pool) ended(g *generation) []*keptSource {
	if g == p.current || g.leases > 0 {
		return nil
	}
	var closing []*keptSource
	for _, kept := range g.kept {
		if kept.generations--; kept.generations == 0 {
			closing = append(closing, kept)
		}
	}
	g.kept, g.named = nil, nil
	return closing
}

func closeAll(sources []*keptSource) {
	for _, kept := range sources {
		if s, err := kept.open(); err == nil {
			s.close()
		}
	}
}

// keep returns the source of a module and credentials, and makes it where there
// is none yet. One that cannot be made is tried again next time.
func (l *Lease) keep(m *config.Module, auth string) (source, error) {
	kept := l.lookUp(m, auth)
	made, err := kept.open()
	if err != nil {
		l.forget(kept)
		return source{}, fmt.Errorf("module %s: %w", m.Name, err)
	}
	return made, nil
}

func (l *Lease) lookUp(m *config.Module, auth string) *keptSource {
	p, g, name := l.pool, l.generation, moduleAuth{m.Name, auth}
	p.mu.Lock()
	defer p.mu.Unlock()
	if kept := g.named[name]; kept != nil {
		return kept
	}
	key := p.settings.key(g.config, m, auth)
	kept, ok := g.kept[key]
	if !ok && g != p.current { // a scrape that began before a reload may share what came after it
		if kept, ok = p.current.kept[key]; ok {
			kept.generations++
			g.kept[key] = kept
		}
	}
	if !ok {
		kept = &keptSource{generations: 1, open: sync.OnceValues(func() (source, error) {
			return p.settings.open(g.config, m, auth)
		})}
		g.kept[key] = kept
	}
	g.named[name] = kept
	return kept
}

// forget drops a source that could not be made.
func (l *Lease) forget(failed *keptSource) {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	for _, g := range []*generation{l.generation, l.pool.current} {
		maps.DeleteFunc(g.kept, func(_ sourceKey, kept *keptSource) bool { return kept == failed })
		maps.DeleteFunc(g.named, func(_ moduleAuth, kept *keptSource) bool { return kept == failed })
	}
}
