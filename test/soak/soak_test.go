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
	fewest      = 500                     // direct fetches that tell a 99th percentile
	slowDirect  = 1200 * time.Microsecond // a direct fetch at the 99th percentile; on a machine of its own it takes 0.6 to 0.9 ms
	mostShare   = 0.5                     // of a processor, that the exporter uses on a slow machine; else it uses 0.2 to 0.3
	directEvery = 4                       // one of so many targets is also asked directly
)

// A soak is one run.
type soak struct {
	exporter *program.Exporter
	client   *http.Client // that asks targets directly
	interval time.Duration
	timeout  time.Duration // that a scrape names
	warm     time.Time     // until then latencies are not counted

	mu       sync.Mutex
	scrapes  [3]int   // by what the target does
	through  []sample // scrapes of healthy targets, as the scraper sees them
	probes   []sample // the same, as the exporter says
	direct   []sample
	wrong    int
	first    string // what was wrong first
	overtime time.Duration
	reloads  [2]int // good, bad
}

// A sample is how long something took that ended at a time.
type sample struct {
	at   time.Time
	took time.Duration
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
		// 380 scrapes of targets that hang are in flight at any time.
		exporter: program.Start(t, nil, "--config.file="+file, "--web.enable-lifecycle", "--log.level=error", "--web.max-requests=1024"),
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
			group.Go(func() { s.every(ctx, delay, func(counted bool) { s.scrape(targets[i], counted) }) })
		}
		// Direct fetches have times of their own between the scrapes: one that followed
		// a scrape would come when what delayed the scrape is over.
		if i%directEvery == 0 && targets[i].does == healthy {
			delay := s.interval * time.Duration(4*i+1) / time.Duration(4*len(targets))
			group.Go(func() { s.every(ctx, delay, func(counted bool) { s.ask(targets[i], counted) }) })
		}
	}
	group.Go(func() { s.reload(ctx, t, file) })
	machine := &machine{exporter: s.exporter}
	group.Go(func() { machine.watch(ctx, t) })
	time.Sleep(time.Until(s.warm) + s.interval) // the load goes on meanwhile
	before, _ := s.exporter.Resident(t)
	group.Wait()
	after, peak := s.exporter.Resident(t)
	s.report(t, strict, machine)
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

// every calls f once in each interval, and tells it whether the run has warmed up.
func (s *soak) every(ctx context.Context, delay time.Duration, f func(counted bool)) {
	next := time.NewTimer(delay)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		next.Reset(s.interval)
		f(time.Now().After(s.warm))
	}
}

// scrape scrapes a target.
func (s *soak) scrape(of target, counted bool) {
	a, err := s.exporter.Get("/probe?module=shop&target="+of.address,
		"X-Prometheus-Scrape-Timeout-Seconds", strconv.FormatFloat(s.timeout.Seconds(), 'f', -1, 64))
	s.judge(of, a, err, counted)
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
			now := time.Now()
			s.through = append(s.through, sample{now, a.Took})
			s.probes = append(s.probes, sample{now, time.Duration(a.Number("probe_duration_seconds") * float64(time.Second))})
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
		s.direct = append(s.direct, sample{time.Now(), time.Since(began)})
	}
}

// reload reloads every second. Every fifth configuration is bad; once a minute one
// changes the module that is scraped, and all targets are connected to anew: first after
// 15 seconds, so that what that takes counts as warming up.
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
`, (round+45)/60, round)
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

func (s *soak) report(t *testing.T, strict bool, m *machine) {
	t.Logf("%d scrapes of healthy targets, %d of such that hang, %d of dead ones; %d good reloads, %d bad ones",
		s.scrapes[healthy], s.scrapes[hangs], s.scrapes[dead], s.reloads[0], s.reloads[1])
	t.Logf("the whole run: %s", s.latency())
	t.Logf("longest overrun of a deadline: %v; the exporter used %.0f %% of a processor", s.overtime, 100*m.share(t))
	if s.wrong > 0 {
		t.Errorf("%d answers were wrong; the first: %s", s.wrong, s.first)
	}
	// What most scrapes take does not depend on who else has the machine for a moment.
	if added := percentile(s.through, 50) - percentile(s.direct, 50); strict && added > mostDelay {
		t.Errorf("the exporter adds %v in the median, expected at most %v", added, mostDelay)
	}
	s.through, s.probes, s.direct = m.calm(s.through), m.calm(s.probes), m.calm(s.direct)
	t.Logf("the machine was the run's alone in %d of %d seconds: %s", m.seconds-len(m.busy), m.seconds, s.latency())
	switch added := percentile(s.through, 99) - percentile(s.direct, 99); {
	case !strict:
	case len(s.direct) < fewest:
		t.Log("the latency cannot be judged: others had the machine too")
	case percentile(s.direct, 99) > slowDirect && m.share(t) < mostShare:
		// What slows a fetch that the exporter has no part in, and is not its work either,
		// slows the exporter more: a scrape waits for a processor twice as often.
		t.Logf("the latency cannot be judged: a direct fetch takes %v at the 99th percentile, and the exporter has used %.0f %% of a processor only",
			percentile(s.direct, 99), 100*m.share(t))
	case added > mostDelay:
		t.Errorf("the exporter adds %v at the 99th percentile, expected at most %v", added, mostDelay)
	}
	if strict && len(m.busy) == 0 && s.overtime > overrun {
		t.Errorf("a probe ended %v after its deadline, expected at most %v", s.overtime, overrun)
	}
}

func (s *soak) latency() string {
	line := func(p int) string {
		return fmt.Sprintf("%v through the exporter, of which its probe took %v, and %v directly", percentile(s.through, p), percentile(s.probes, p), percentile(s.direct, p))
	}
	return fmt.Sprintf("the 99th percentile of %d scrapes is %s; the median %s", len(s.through), line(99), line(50))
}

// percentile returns how long p of 100 samples took at most.
func percentile(all []sample, p int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	took := make([]time.Duration, len(all))
	for i, s := range all {
		took[i] = s.took
	}
	slices.Sort(took)
	return took[len(took)*p/100]
}
