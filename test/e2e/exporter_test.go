//go:build unix

// Package e2e_test runs the built binary beside real programs.
package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the exporter, built once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "status_exporter")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "status_exporter")
	out, err := exec.Command("go", "build", "-o", path, "status_exporter").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building the exporter: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// A process is a running program; its output is kept for the log of a test that fails.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	output *output
	exited chan struct{}
	err    error
}

type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// start starts a program with additional environment variables and stops it
// when the test ends.
func start(t *testing.T, env []string, name string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(name, args...), output: &output{}, exited: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.run()
	return p
}

func (p *process) run() {
	p.t.Helper()
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	p.t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.exited
		if p.t.Failed() {
			p.t.Logf("%s said:\n%s", p.cmd, p.output)
		}
	})
}

// signal sends a signal.
func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// end waits for the program to exit by itself and returns how long that took.
func (p *process) end(most time.Duration) time.Duration {
	p.t.Helper()
	begun := time.Now()
	select {
	case <-p.exited:
	case <-time.After(most):
		p.t.Fatalf("%s still runs after %v", p.cmd, most)
	}
	return time.Since(begun)
}

// exporter starts the exporter on a free port and returns it with its URL.
func exporter(t *testing.T, env []string, args ...string) (*process, string) {
	t.Helper()
	address := freeAddress(t)
	p := start(t, env, build(t), append(args, "--web.listen-address="+address)...)
	url := "http://" + address
	p.ready(url + "/-/ready")
	return p, url
}

func build(t *testing.T) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// ready waits until a URL answers.
func (p *process) ready(url string) {
	p.t.Helper()
	eventually(p.t, 20*time.Second, func() error {
		select {
		case <-p.exited:
			p.t.Fatalf("%s ended: %v", p.cmd, p.err)
		default:
		}
		status, _, err := fetch(url)
		if err == nil && status/100 != 2 && status != http.StatusUnauthorized {
			err = fmt.Errorf("%s answered %d", url, status)
		}
		return err
	})
}

// eventually tries again until f returns no error.
func eventually(t *testing.T, most time.Duration, f func() error) {
	t.Helper()
	deadline := time.Now().Add(most)
	for {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %v: %v", most, err)
		}
		time.Sleep(20 * time.Millisecond) // between tries, not in place of a condition
	}
}

var client = &http.Client{Timeout: 20 * time.Second}

func fetch(url string, headers ...string) (int, string, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

// get returns the body of an answer with status 200.
func get(t *testing.T, url string, headers ...string) string {
	t.Helper()
	status, body, err := fetch(url, headers...)
	if err != nil || status != http.StatusOK {
		t.Fatalf("GET %s: status %d, %v\n%s", url, status, err, body)
	}
	return body
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// need returns the path of a program. Where it is missing, the test is skipped,
// and fails in CI.
func need(t *testing.T, program, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		message := fmt.Sprintf("%s is missing; it comes with the Debian package %s", program, debianPackage)
		if os.Getenv("CI") != "" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	return path
}

// want checks that an exposition has lines.
func want(t *testing.T, exposition string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+exposition, "\n"+line+"\n") {
			t.Errorf("there is no line %q in\n%s", line, exposition)
		}
	}
}
