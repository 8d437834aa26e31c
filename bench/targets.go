package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// targetsTable asks from 1 to 10,000 targets. Those that are asked every minute
// tell whether connections are kept that long; those that close idle connections
// sooner than they are asked again, as many servers do, tell whether TLS sessions
// are.
func targetsTable() table {
	t := table{
		title: "targets",
		head:  "| targets, scraped every | CPU | of a probe | resident | peak | per target | connections | goroutines | reused | TLS resumed | failed | p50 | p99 |",
	}
	add := func(n int, secure bool, interval, idle time.Duration) {
		name := count(n)
		if secure {
			name += " TLS"
		}
		name += ", " + interval.String()
		if idle > 0 {
			name += ", closed after " + idle.String()
		}
		t.cases = append(t.cases, scaleCase{name, idle, func(ctx context.Context, x *scaled, o options) (string, error) {
			return (&fleet{scaled: x, size: n, secure: secure, interval: interval}).run(ctx, o.measured)
		}})
	}
	for _, secure := range []bool{false, true} {
		for n := 1; n <= 10_000; n *= 10 {
			add(n, secure, 15*time.Second, 0)
		}
		for n := 1_000; n <= 10_000; n *= 10 {
			add(n, secure, time.Minute, 0)
		}
	}
	for n := 1_000; n <= 10_000; n *= 10 {
		add(n, true, 15*time.Second, 5*time.Second)
	}
	return t
}

func count(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", count(n/1000), n%1000)
}

// A fleet is many targets, each of which is scraped once in an interval.
type fleet struct {
	*scaled
	size     int
	secure   bool
	interval time.Duration
	client   *http.Client

	mu     sync.Mutex
	took   []time.Duration
	failed int
	first  string // what failed first
}

// run scrapes every target once to warm up, and then as often as is measured.
func (f *fleet) run(ctx context.Context, measured int) (string, error) {
	// As Prometheus does: one client for all targets of a job.
	f.client = &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 1000}}
	defer f.client.CloseIdleConnections()
	if err := f.scrape(ctx, 1); err != nil {
		return "", err
	}
	f.took = f.took[:0]
	before, err := stats(ctx)
	if err != nil {
		return "", err
	}
	cpu, err := f.exporter.cpu()
	if err != nil {
		return "", err
	}
	began := time.Now()
	if err := f.scrape(ctx, measured); err != nil {
		return "", err
	}
	cpuAfter, err := f.exporter.cpu()
	if err != nil {
		return "", err
	}
	lasted := time.Since(began)
	after, err := stats(ctx)
	if err != nil {
		return "", err
	}
	sockets := f.exporter.sockets()
	own, err := get(ctx, scraper, f.exporter.stats, 10*time.Second)
	if err != nil {
		return "", err
	}
	f.exhausted()
	if f.failed > 0 {
		fmt.Fprintln(os.Stderr, "bench: the first probe that failed:", f.first)
	}
	seen := after.minus(before)
	resident := f.exporter.resident()
	perTarget, resumed := "", ""
	if f.size >= 1000 {
		perTarget = size(float64(resident-f.start) / float64(f.size))
	}
	if f.secure {
		resumed = share(seen.Resumed, seen.Handshakes)
	}
	slices.Sort(f.took)
	return fmt.Sprintf("%.2f %% | %.0f µs | %s | %s | %s | %d | %.0f | %s | %s | %d | %s | %s",
		100*float64(cpuAfter-cpu)/float64(lasted), float64((cpuAfter-cpu).Microseconds())/float64(len(f.took)),
		mebibytes(resident), mebibytes(f.exporter.peak()), perTarget, sockets, number(own, "go_goroutines"),
		share(max(0, seen.Requests-seen.Connections), seen.Requests), resumed, f.failed,
		milliseconds(float64(f.took[len(f.took)/2])), milliseconds(float64(f.took[len(f.took)*99/100]))), nil
}

// scrape scrapes every target so many times, spread evenly over each interval.
func (f *fleet) scrape(ctx context.Context, times int) error {
	var group sync.WaitGroup
	defer group.Wait()
	begun := time.Now()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for i := range times * f.size {
		pause.Reset(time.Until(begun.Add(f.interval / time.Duration(f.size) * time.Duration(i))))
		select {
		case <-pause.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		group.Go(func() { f.probe(ctx, i%f.size) })
	}
	pause.Reset(time.Until(begun.Add(f.interval * time.Duration(times))))
	select {
	case <-pause.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// probe scrapes one target, whose value is its number.
func (f *fleet) probe(ctx context.Context, i int) {
	target := "http://" + manyAddress(i) + ":" + port(manyListen)
	if f.secure {
		target = "https://" + manyAddress(i) + ":" + port(secureAddress(manyListen))
	}
	began := time.Now()
	text, err := get(ctx, f.client, f.exporter.url+"?module=value&target="+url.QueryEscape(target), 10*time.Second)
	took := time.Since(began)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.took = append(f.took, took)
	if err != nil || number(text, "probe_success") != 1 || number(text, "value") != float64(i) {
		if f.failed++; f.failed == 1 {
			f.first = fmt.Sprintf("%s: %v\n%s", target, err, text)
		}
	}
}

// exhausted says so where the machine, not the exporter, is what bounds a run.
func (f *fleet) exhausted() {
	read := func(name string) int {
		text, _ := os.ReadFile("/proc/sys/net/netfilter/nf_conntrack_" + name)
		n, _ := strconv.Atoi(strings.TrimSpace(string(text)))
		return n
	}
	if used, most := read("count"), read("max"); most > 0 && used > most*9/10 {
		fmt.Fprintf(os.Stderr, "bench: %d of %d connections are tracked (nf_conntrack_max): the kernel drops more\n", used, most)
	}
	if files, most := f.exporter.sockets(), f.exporter.mostFiles(); files > most/10*9 {
		fmt.Fprintf(os.Stderr, "bench: the exporter has %d connections of %d files that it may open (ulimit -n)\n", files, most)
	}
}

// number returns the value of a series in an exposition; -1 where it is not there.
func number(text []byte, series string) float64 {
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte(series+" ")); ok {
			if v, err := strconv.ParseFloat(string(bytes.TrimSpace(rest)), 64); err == nil {
				return v
			}
		}
	}
	return -1
}

func share(part, of int64) string {
	if of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(of))
}

func port(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }
