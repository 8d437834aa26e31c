package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	manyListen    = "127.0.0.1:19811"
	scaleExporter = "127.0.0.1:19814"
)

// A table is one question about how the exporter grows.
type table struct {
	title, head string
	cases       []scaleCase
}

// A scaleCase is one line of a table. Each has an exporter of its own, which runs
// as it ships.
type scaleCase struct {
	name string
	idle time.Duration // after which the targets close connections; 0 is never
	run  func(ctx context.Context, x *scaled, o options) (columns string, err error)
}

// A scaled is what a case works with.
type scaled struct {
	exporter *process
	start    int64 // resident memory before the first scrape
}

func tables() []table {
	return []table{targetsTable(), seriesTable(), rulesTable(), concurrentTable(), bodiesTable()}
}

// scale runs the cases whose table or name contains o.only.
func scale(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, t := range tables() {
		begun := false
		for _, c := range t.cases {
			if !strings.Contains(t.title+": "+c.name, o.only) {
				continue
			}
			if !begun {
				fmt.Printf("\n%s\n\n%s\n%s\n", t.title, t.head, strings.Repeat("| --- ", strings.Count(t.head, "|")-1)+"|")
				begun = true
			}
			columns, err := c.measure(ctx, dir, o)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", t.title, c.name, err)
			}
			fmt.Printf("| %s | %s |\n", c.name, columns)
		}
	}
	return nil
}

// measure starts the targets and the exporter of a case, and ends them.
func (c *scaleCase) measure(ctx context.Context, dir string, o options) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithCancel(ctx)
	target, err := startProcess(ctx, nil, "http://"+manyListen+"/stats", self, "-role=many", "-address="+manyListen, "-idle="+c.idle.String())
	if err != nil {
		cancel()
		return "", err
	}
	defer target.ended()
	defer cancel()
	authority, err := get(ctx, scraper, "http://"+manyListen+"/ca", time.Second)
	if err != nil {
		return "", err
	}
	config := filepath.Join(dir, "scale.yml")
	if err := os.WriteFile(config, scaleConfig(authority), 0o600); err != nil {
		return "", err
	}
	x := &scaled{}
	x.exporter, err = startProcess(ctx, nil, "http://"+scaleExporter+"/metrics", o.exporter, "--config.file="+config, "--web.listen-address="+scaleExporter, "--log.level=error")
	if err != nil {
		return "", err
	}
	defer x.exporter.ended()
	defer cancel()
	x.start = x.exporter.resident()
	x.exporter.resetPeak()
	return c.run(ctx, x, o)
}

// scaleConfig has the modules of all cases; authority is who signs the targets'
// certificates.
func scaleConfig(authority []byte) []byte {
	var out bytes.Buffer
	out.WriteString("modules:\n")
	fmt.Fprintf(&out, "  value:\n    http: {client: {tls_config: {ca: %s}}}\n    metrics: [{name: value, value: .value}]\n", must(json.Marshal(string(authority))))
	for name, config := range scaleModules() {
		fmt.Fprintf(&out, "  %s:\n%s", name, strings.TrimPrefix(config, "\n"))
	}
	return out.Bytes()
}

// get asks client for what url answers with status 200. A scrape says that it
// takes at most timeout.
func get(ctx context.Context, client *http.Client, url string, timeout time.Duration) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", strconv.FormatFloat(timeout.Seconds(), 'f', -1, 64))
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("answered %s: %s", resp.Status, text[:min(len(text), 1000)])
	}
	return text, err
}

func stats(ctx context.Context) (s manyStats, err error) {
	text, err := get(ctx, scraper, "http://"+manyListen+"/stats", time.Second)
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	return s, err
}

func mebibytes(n int64) string { return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20)) }
