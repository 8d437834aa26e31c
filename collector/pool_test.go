package collector

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"status_exporter/config"
)

// TestPoolWhileSourceIsMade: a source whose making waits for a file is in the way of
// nothing but its module, and one that could not be made is tried again.
func TestPoolWhileSourceIsMade(t *testing.T) {
	name := filepath.Join(t.TempDir(), "config.yml")
	text := "modules: {waits: {metrics: [{name: t_n, value: .}]}, other: {metrics: [{name: t_n, value: .}]}}"
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(config.Input{Files: []string{name}})
	if err != nil {
		t.Fatal(err)
	}
	pool := NewPool(cfg, Settings{})
	asked, answer := make(chan struct{}), make(chan error)
	m, err := cfg.Module("waits")
	if err != nil {
		t.Fatal(err)
	}
	pool.current.kept[pool.settings.key(cfg, m, "")] = &keptSource{generations: 1, open: func() (source, error) {
		close(asked)
		return source{}, <-answer
	}}
	probe := func(module string) error {
		lease := pool.Lease()
		defer lease.Release()
		_, err := lease.Probe(Request{Target: "http://127.0.0.1:1", Module: module})
		return err
	}
	waits := make(chan error)
	go func() { waits <- probe("waits") }()
	<-asked

	others := make(chan error, 1)
	go func() {
		err := probe("other")
		pool.Config()
		pool.Replace(cfg)
		others <- err
	}()
	select {
	case err := <-others:
		if err != nil {
			t.Errorf("a probe of another module: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("other probes and a reload wait for a source that is made")
	}

	failed := errors.New("the file is gone")
	answer <- failed
	if err := <-waits; !errors.Is(err, failed) {
		t.Errorf("got %v, want why the source could not be made", err)
	}
	if err := probe("waits"); err != nil {
		t.Errorf("it is not tried again: %v", err)
	}
	pool.Close()
}
