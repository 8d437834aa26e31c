package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A cost is what one scrape takes, in the mean of a round.
type cost struct {
	cpu         time.Duration // user and system time of the process
	allocations float64
	bytes       float64 // allocated
	response    int64   // bytes on the wire
}

// A row is the result of one scenario.
type row struct {
	name           string
	exporter       []cost
	floor          []cost
	exporterMemory int64 // peak resident memory in bytes
	floorMemory    int64
}

// measure asks the exporter and the floor in turns.
func (b *servers) measure(ctx context.Context, s scenario, o options) (*row, error) {
	target := b.target
	if s.tls {
		target = b.targetTLS
	}
	query := "?module=bench-" + s.document + "&target=" + url.QueryEscape(target+s.document)
	if err := b.exporter.succeeds(ctx, query); err != nil {
		return nil, fmt.Errorf("exporter: %w", err)
	}
	out := &row{name: s.name()}
	b.exporter.resetPeak()
	b.floor.resetPeak()
	for round := -1; round < o.rounds; round++ { // the first warms up
		x, err := b.exporter.ask(ctx, query, s.gzip, o.roundTime)
		if err != nil {
			return nil, fmt.Errorf("exporter: %w", err)
		}
		f, err := b.floor.ask(ctx, query, s.gzip, o.roundTime)
		if err != nil {
			return nil, fmt.Errorf("floor: %w", err)
		}
		if round >= 0 {
			out.exporter, out.floor = append(out.exporter, x), append(out.floor, f)
		}
	}
	out.exporterMemory, out.floorMemory = b.exporter.peak(), b.floor.peak()
	return out, nil
}

var scraper = &http.Client{Transport: &http.Transport{DisableCompression: true}}

// ask scrapes one after the other for a while.
func (p *process) ask(ctx context.Context, query string, gzip bool, most time.Duration) (cost, error) {
	allocations, bytes, err := p.allocated(ctx)
	if err != nil {
		return cost{}, err
	}
	cpu, err := p.cpu()
	if err != nil {
		return cost{}, err
	}
	var c cost
	scrapes := 0
	for begun := time.Now(); time.Since(begun) < most || scrapes < 3; scrapes++ {
		if c.response, err = scrape(ctx, p.url+query, gzip); err != nil {
			return cost{}, err
		}
	}
	after, err := p.cpu()
	if err != nil {
		return cost{}, err
	}
	c.cpu = (after - cpu) / time.Duration(scrapes)
	allocationsAfter, bytesAfter, err := p.allocated(ctx)
	if err != nil {
		return cost{}, err
	}
	// Asking for the allocations allocates as well: ask twice to know how much.
	again, bytesAgain, err := p.allocated(ctx)
	if err != nil {
		return cost{}, err
	}
	c.allocations = (allocationsAfter - allocations - (again - allocationsAfter)) / float64(scrapes)
	c.bytes = (bytesAfter - bytes - (bytesAgain - bytesAfter)) / float64(scrapes)
	return c, nil
}

func scrape(ctx context.Context, url string, gzip bool) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "60")
	if gzip {
		req.Header.Set("Accept-Encoding", "gzip")
	}
	resp, err := scraper.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		return 0, fmt.Errorf("%s answered %s: %s", url, resp.Status, text)
	}
	return io.Copy(io.Discard, resp.Body)
}

// succeeds makes sure that what is measured is not a failure.
func (p *process) succeeds(ctx context.Context, query string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+query, nil)
	if err != nil {
		return err
	}
	resp, err := scraper.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && !strings.Contains(string(text), "\nprobe_success 1\n") {
		err = fmt.Errorf("the probe failed: %s", text[:min(len(text), 2000)])
	}
	return err
}

// allocated returns how many objects and bytes the process has allocated.
func (p *process) allocated(ctx context.Context) (objects, bytes float64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.stats, nil)
	if err != nil {
		return 0, 0, err
	}
	resp, err := scraper.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		switch name {
		case "go_memstats_mallocs_total":
			objects, err = strconv.ParseFloat(value, 64)
		case "go_memstats_alloc_bytes_total":
			bytes, err = strconv.ParseFloat(value, 64)
		}
		if err != nil {
			return 0, 0, err
		}
	}
	if objects == 0 {
		return 0, 0, errors.New(p.stats + " does not tell allocations")
	}
	return objects, bytes, lines.Err()
}

// cpu returns the processor time of all threads, from /proc/PID/task/*/schedstat
// (proc(5)): in nanoseconds, where /proc/PID/stat counts ticks of 10 ms.
func (p *process) cpu() (time.Duration, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.pid))
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("process %d has no schedstat: %w", p.pid, err)
	}
	var sum time.Duration
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has just ended
		}
		ns, _, _ := strings.Cut(string(text), " ")
		n, err := strconv.ParseInt(ns, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n)
	}
	return sum, nil
}

// resetPeak makes the kernel forget the peak of resident memory (proc(5), clear_refs).
func (p *process) resetPeak() {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.pid), []byte("5"), 0)
}

// peak returns the peak of resident memory in bytes.
func (p *process) peak() int64 { return p.memory("VmHWM:") }

// resident returns the resident memory in bytes.
func (p *process) resident() int64 { return p.memory("VmRSS:") }

func (p *process) memory(field string) int64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field); ok {
			kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10
		}
	}
	return 0
}

// sockets returns how many connections are open.
func (p *process) sockets() (n int) {
	names, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.pid))
	for _, name := range names {
		if to, err := os.Readlink(name); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

// mostFiles returns how many files and connections may be open.
func (p *process) mostFiles() int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/limits", p.pid))
	_, rest, _ := strings.Cut(string(text), "Max open files")
	soft, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, err := strconv.Atoi(soft)
	if err != nil {
		return math.MaxInt // unlimited
	}
	return n
}

// String returns the row of the table.
func (r *row) String() string {
	ratios := make([]float64, len(r.exporter))
	for i := range ratios {
		ratios[i] = float64(r.exporter[i].cpu) / float64(r.floor[i].cpu)
	}
	of := func(costs []cost, f func(cost) float64) float64 {
		values := make([]float64, len(costs))
		for i, c := range costs {
			values[i] = f(c)
		}
		return median(values)
	}
	cpu := func(c cost) float64 { return float64(c.cpu) }
	return fmt.Sprintf("| %s | %s | %s | **%.2f** | %.2f–%.2f | %.0f | %s | %s | %s |",
		r.name, milliseconds(of(r.exporter, cpu)), milliseconds(of(r.floor, cpu)),
		median(ratios), slices.Min(ratios), slices.Max(ratios),
		of(r.exporter, func(c cost) float64 { return c.allocations }),
		size(of(r.exporter, func(c cost) float64 { return c.bytes })),
		size(float64(r.exporterMemory)), size(float64(r.exporter[0].response)))
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func milliseconds(ns float64) string { return fmt.Sprintf("%.3g ms", ns/1e6) }

func size(bytes float64) string {
	switch {
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1f MiB", bytes/(1<<20))
	case bytes >= 1<<10:
		return fmt.Sprintf("%.1f KiB", bytes/(1<<10))
	default:
		return fmt.Sprintf("%.0f B", bytes)
	}
}
