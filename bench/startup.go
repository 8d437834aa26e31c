package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// How long a process does nothing before its memory is read.
const idle = 5 * time.Second

// startUp measures how soon after exec a scrape is answered, what is resident
// when nothing happens, and how both grow with the number of modules.
func startUp(ctx context.Context, o options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`{"current_requests":10,"pending_requests":2,"total_uptime":25.99,"health":"healthy"}`))
	}))
	defer target.Close()
	scrape := "?module=app&target=" + url.QueryEscape(target.URL+"/status")
	var times []time.Duration
	var last *started
	for range o.starts {
		if last != nil {
			last.stop()
		}
		var took time.Duration
		var err error
		if last, took, err = start(ctx, o.exporter, scrape); err != nil {
			return err
		}
		times = append(times, took)
	}
	defer last.stop()
	if err := wait(ctx, idle); err != nil {
		return err
	}
	binary, err := os.Stat(o.exporter)
	if err != nil {
		return err
	}
	slices.Sort(times)
	fmt.Printf("from exec to the first answered scrape: %s (%s–%s in %d starts)\nresident, idle: %s\nbinary: %.1f MB\n\n",
		times[len(times)/2].Round(100*time.Microsecond), times[0].Round(100*time.Microsecond), times[len(times)-1].Round(100*time.Microsecond), len(times),
		megabytes(last.resident()), float64(binary.Size())/1e6)

	fmt.Println("| modules | CPU from start to the first answer | CPU of a reload | resident, idle | resident, idle after reloads |")
	fmt.Println("| --- | --- | --- | --- | --- |")
	for _, modules := range []int{0, 1, 10, 100, 1000} {
		if err := grow(ctx, o, modules, scrape); err != nil {
			return fmt.Errorf("%d modules: %w", modules, err)
		}
	}
	return nil
}

// grow prints the row of a number of modules.
func grow(ctx context.Context, o options, modules int, scrape string) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	config := filepath.Join(dir, "modules.yml")
	if err := os.WriteFile(config, manyModules(modules), 0o600); err != nil {
		return err
	}
	var starts, reloads []float64
	var resident, after int64
	for i := range 3 {
		p, _, err := start(ctx, o.exporter, scrape, "--config.file="+config, "--web.enable-lifecycle")
		if err != nil {
			return err
		}
		cpu, err := p.cpu()
		if err != nil {
			return err
		}
		starts = append(starts, float64(cpu))
		if i == 0 {
			if err := wait(ctx, idle); err != nil {
				return err
			}
			resident = p.resident()
		}
		for range 3 {
			took, err := p.reload(ctx)
			if err != nil {
				return err
			}
			reloads = append(reloads, float64(took))
		}
		if i == 0 {
			if err := wait(ctx, idle); err != nil {
				return err
			}
			after = p.resident()
		}
		p.stop()
	}
	fmt.Printf("| %d | %s | %s | %s | %s |\n", modules, milliseconds(median(starts)), milliseconds(median(reloads)), megabytes(resident), megabytes(after))
	return nil
}

// manyModules has modules of five rules each, with expressions that no other
// module has beside those that all have.
func manyModules(modules int) []byte {
	if modules == 0 {
		return nil
	}
	var out bytes.Buffer
	out.WriteString("modules:\n")
	for m := range modules {
		fmt.Fprintf(&out, "  module%d:\n    http: {path: /status}\n    metrics:\n", m)
		for r := range 5 {
			fmt.Fprintf(&out, "      - name: module%d_metric_%d\n        help: A metric.\n        each: .items%d[]\n        labels: {name: .name}\n        value: .value%d_%d\n", m, r, r, m, r)
		}
	}
	return out.Bytes()
}

// start runs the exporter with nothing else configured than the arguments say,
// and returns how long it took until it answered the scrape.
func start(ctx context.Context, exporter, scrape string, args ...string) (*started, time.Duration, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, 0, err
	}
	cmd := exec.CommandContext(ctx, exporter, append(args, "--web.listen-address="+address, "--log.level=error")...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=2")
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // no server outlives the run
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, 0, err
	}
	p := &started{&process{url: "http://" + address + "/probe", pid: cmd.Process.Pid}, func() {
		cmd.Process.Kill()
		cmd.Wait()
	}}
	for time.Since(begun) < 10*time.Second {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			time.Sleep(200 * time.Microsecond)
			continue
		}
		conn.Close()
		if err := p.succeeds(ctx, scrape); err != nil {
			p.stop()
			return nil, 0, err
		}
		return p, time.Since(begun), nil
	}
	p.stop()
	return nil, 0, errors.New(exporter + " does not answer")
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// A started process is stopped by its user.
type started struct {
	*process
	stop func()
}

// reload makes the process read its configuration again and returns the CPU that took.
func (p *started) reload(ctx context.Context) (time.Duration, error) {
	before, err := p.cpu()
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(p.url, "probe")+"-/reload", nil)
	if err != nil {
		return 0, err
	}
	resp, err := scraper.Do(req)
	if err != nil {
		return 0, err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, errors.New("the reload was answered " + resp.Status)
	}
	after, err := p.cpu()
	return after - before, err
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }
