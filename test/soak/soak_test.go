//go:build linux

package soak_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"status_exporter/test/faults/program"
)

func TestMain(m *testing.M) { program.Main(m) }

const (
	scrapers    = 2
	mostMemory  = 300 << 20 // resident, in bytes
	mostGrowth  = 1.2       // of resident memory, from warm-up to the end
	mostDelay   = 5 * time.Millisecond
	overrun     = 250 * time.Millisecond
	realistic   = 15 * time.Second // between two scrapes of a target by one scraper
	offset      = 500 * time.Millisecond
	directEvery = 4 // one of so many scrapes is followed by a direct fetch
)

// A soak is one run.
type soak struct {
	exporter *program.Exporter
	client   *http.Client // that asks targets directly
	interval time.Duration
	timeout  time.Duration // that a scrape names
	warm     time.Time     // until then latencies are not counted

	mu       sync.Mutex
	scrapes  [3]int          // by what the target does
	through  []time.Duration // of scrapes of healthy targets, as the scraper sees them
	probes   []time.Duration // of the same, as the exporter says
	direct   []time.Duration
	wrong    int
	first    string // what was wrong first
	overtime time.Duration
	reloads  [2]int // good, bad
}

// TestSoak runs for 5 seconds, or as SOAK_DURATION says. Only a run of a minute
// or more is held to the limits of time and memory: a shorter one measures how
// busy the machine is.
func TestSoak(t *testing.T) {
	duration, count := setting(t, "SOAK_DURATION", 5*time.Second, time.ParseDuration), setting(t, "SOAK_TARGETS", 150, strconv.Atoi)
	strict := duration >= time.Minute && !program.Race
	targets, stop := newTargets(t, count)
	defer stop()
	file := filepath.Join(t.TempDir(), "config.yml")
	configure(t, file, 0)
	s := &soak{
		exporter: program.Start(t, nil, "--config.file="+file, "--web.enable-lifecycle", "--log.level=error"),
		client:   &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConns: 2 * count, MaxIdleConnsPerHost: 4}},
		interval: min(realistic, duration/4),
	}
	// A busy machine must not make a short run's healthy targets late.
	s.timeout = max(s.interval*2/3, 5*time.Second)
	start := s.use(t, program.Use{})

	ctx, cancel := context.WithTimeout(context.Background(), duration)
	defer cancel()
	s.warm = time.Now().Add(s.interval)
	s.exporter.ResetPeak(t)
	var group sync.WaitGroup
	for i := range targets {
		for scraper := range scrapers {
			// Scrapes are spread evenly over the interval, as Prometheus does.
			delay := s.interval * time.Duration(i*scrapers+scraper) / time.Duration(len(targets)*scrapers)
			group.Go(func() { s.scrape(ctx, targets[i], delay, i%directEvery == 0) })
		}
	}
	group.Go(func() { s.reload(ctx, t, file) })
	time.Sleep(time.Until(s.warm) + s.interval/2) // the load goes on meanwhile
	before, _ := s.exporter.Resident(t)
	group.Wait()
	after, peak := s.exporter.Resident(t)
	s.report(t, strict)
	t.Logf("resident memory: %d MiB after warm-up, %d MiB at the end, %d MiB at most", before>>20, after>>20, peak>>20)
	if !program.Race && peak > mostMemory {
		t.Errorf("resident memory reached %d MiB, expected at most %d", peak>>20, mostMemory>>20)
	}
	if strict && float64(after) > mostGrowth*float64(before) {
		t.Errorf("resident memory grew from %d to %d MiB", before>>20, after>>20)
	}
	stop()
	s.client.CloseIdleConnections()
	end := s.use(t, start)
	t.Logf("at the start %+v, at the end %+v", start, end)
}

// setting reads an environment variable; without a value it is def.
func setting[T any](t *testing.T, name string, def T, parse func(string) (T, error)) T {
	text := os.Getenv(name)
	if text == "" {
		return def
	}
	value, err := parse(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return value
}

// use returns what the exporter holds, once that is no more than most; anything
// where that is zero.
func (s *soak) use(t *testing.T, most program.Use) (now program.Use) {
	program.Eventually(t, 15*time.Second, func() (err error) {
		now, err = s.exporter.Use()
		if err == nil && most.Goroutines > 0 && (now.Goroutines > most.Goroutines || now.Files > most.Files) {
			err = fmt.Errorf("the exporter holds %+v, at the start it held %+v", now, most)
		}
		return err
	})
	return now
}

// scrape scrapes a target once in each interval.
func (s *soak) scrape(ctx context.Context, of target, delay time.Duration, direct bool) {
	next := time.NewTimer(delay)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		next.Reset(s.interval)
		counted := time.Now().After(s.warm)
		a, err := s.exporter.Get("/probe?module=shop&target="+of.address,
			"X-Prometheus-Scrape-Timeout-Seconds", strconv.FormatFloat(s.timeout.Seconds(), 'f', -1, 64))
		s.judge(of, a, err, counted)
		if direct && of.does == healthy {
			s.ask(of, counted)
		}
	}
}

// judge holds an answer against what the target does.
func (s *soak) judge(of target, a program.Answer, err error, counted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scrapes[of.does]++
	ok := err == nil && a.Status == http.StatusOK
	switch of.does {
	case healthy:
		ok = ok && a.Number("probe_success") == 1 && a.Number("shop_value") == float64(of.number)
		if counted {
			s.through = append(s.through, a.Took)
			s.probes = append(s.probes, time.Duration(a.Number("probe_duration_seconds")*float64(time.Second)))
		}
	case hangs:
		late := a.Took - s.deadline()
		s.overtime = max(s.overtime, late)
		ok = ok && a.Number("probe_success") == 0 && a.Number(`status_probe_failure_info{document="status",reason="timeout"}`) == 1
	case dead:
		ok = ok && a.Number("probe_success") == 0 && a.Number(`status_probe_failure_info{document="status",reason="connect"}`) == 1
	}
	if !ok {
		s.complain(fmt.Sprintf("target %d, which does %d: %v, status %d\n%s", of.number, of.does, err, a.Status, a.Body))
	}
}

func (s *soak) deadline() time.Duration {
	if s.timeout > offset {
		return s.timeout - offset
	}
	return s.timeout / 2
}

func (s *soak) complain(text string) {
	if s.wrong++; s.wrong == 1 {
		s.first = text
	}
}

// ask asks a target directly, for comparison.
func (s *soak) ask(of target, counted bool) {
	began := time.Now()
	resp, err := s.client.Get("http://" + of.address + "/")
	if err != nil {
		return // the test has ended, or the machine is out of ports
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if counted {
		s.direct = append(s.direct, time.Since(began))
	}
}

// reload reloads every second. Every fifth configuration is bad; every tenth
// changes the module that is scraped.
func (s *soak) reload(ctx context.Context, t *testing.T, file string) {
	ticks := time.NewTicker(time.Second)
	defer ticks.Stop()
	for round := 1; ; round++ {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		want := http.StatusOK
		if bad := configure(t, file, round); bad {
			want = http.StatusInternalServerError
		}
		a, err := s.exporter.Do(context.Background(), http.MethodPost, "/-/reload")
		s.mu.Lock()
		s.reloads[(want-http.StatusOK)/300]++
		if err != nil || a.Status != want {
			s.complain(fmt.Sprintf("reload %d: %v, status %d, expected %d\n%s", round, err, a.Status, want, a.Body))
		}
		s.mu.Unlock()
	}
}

// configure writes the configuration of a round, and tells whether it is bad.
func configure(t *testing.T, file string, round int) (bad bool) {
	text := fmt.Sprintf(`
modules:
  shop:
    http: {headers: {X-Round: "%d"}}
    metrics: [{name: shop_value, value: .value}]
  other:
    http: {headers: {X-Round: "%d"}}
    metrics: [{name: other_value, value: .value}]
`, round/10, round)
	if bad = round%5 == 4; bad {
		text += "  worse: {metrics: 1}\n"
	}
	// As a whole, as an editor would: the exporter must never read half of it.
	if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
		t.Error(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Error(err)
	}
	return bad
}

func (s *soak) report(t *testing.T, strict bool) {
	t.Logf("%d scrapes of healthy targets, %d of such that hang, %d of dead ones; %d good reloads, %d bad ones",
		s.scrapes[healthy], s.scrapes[hangs], s.scrapes[dead], s.reloads[0], s.reloads[1])
	through, direct := p99(s.through), p99(s.direct)
	t.Logf("99th percentile: %v through the exporter, of which its probe took %v; %v directly", through, p99(s.probes), direct)
	t.Logf("median: %v and %v; %v", s.through[len(s.through)/2], s.probes[len(s.probes)/2], s.direct[len(s.direct)/2])
	t.Logf("longest overrun of a deadline: %v", s.overtime)
	if s.wrong > 0 {
		t.Errorf("%d answers were wrong; the first: %s", s.wrong, s.first)
	}
	if strict && through > direct+mostDelay {
		t.Errorf("the exporter adds %v at the 99th percentile, expected at most %v", through-direct, mostDelay)
	}
	if strict && s.overtime > overrun {
		t.Errorf("a probe ended %v after its deadline, expected at most %v", s.overtime, overrun)
	}
}

func p99(took []time.Duration) time.Duration {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[len(took)*99/100]
}
