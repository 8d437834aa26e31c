//go:build linux

package program

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
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// build makes the binary once for all tests of a package, with the race detector
// where the tests have it.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "status_exporter")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "status_exporter")
	args := []string{"build", "-o", path}
	if Race {
		args = append(args, "-race")
	}
	out, err := exec.CommandContext(context.Background(), "go", append(args, "status_exporter")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building the exporter: %w\n%s", err, out)
	}
	return path, nil
})

// Main runs the tests of a package and removes the binary afterwards.
func Main(m *testing.M) {
	code := m.Run()
	if path, err := build(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// An Exporter is a running one.
type Exporter struct {
	URL string

	cmd    *exec.Cmd
	log    buffer
	exited chan struct{}
	client *http.Client
}

// Start runs the exporter on a free port of the loopback interface, with
// additional variables in its environment, until the test ends. A data race that
// the detector finds in it fails the test.
func Start(t testing.TB, env []string, args ...string) *Exporter {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	e := &Exporter{
		URL:    "http://" + address,
		cmd:    exec.CommandContext(context.Background(), path, append(args, "--web.listen-address="+address)...),
		exited: make(chan struct{}),
		client: &http.Client{Timeout: 5 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	e.cmd.Env = append(os.Environ(), env...)
	e.cmd.Stdout, e.cmd.Stderr = &e.log, &e.log
	if err := e.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = e.cmd.Wait()
		close(e.exited)
	}()
	t.Cleanup(func() { e.stop(t) })
	Eventually(t, 30*time.Second, func() error {
		if e.Ended() {
			t.Fatalf("the exporter ended:\n%s", e.Log())
		}
		_, err := e.Get("/-/ready")
		return err
	})
	return e
}

// Run runs a command of the exporter to its end. It returns what it wrote and its
// exit code.
func Run(t testing.TB, env []string, args ...string) (said string, code int) {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.Background(), path, args...)
	cmd.Env = append(os.Environ(), env...)
	out, _ := cmd.CombinedOutput()
	return string(out), cmd.ProcessState.ExitCode()
}

func (e *Exporter) stop(t testing.TB) {
	e.client.CloseIdleConnections()
	_ = e.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-e.exited:
	case <-time.After(20 * time.Second):
		t.Error("the exporter does not end")
		_ = e.cmd.Process.Kill()
		<-e.exited
	}
	if strings.Contains(e.Log(), "WARNING: DATA RACE") || strings.Contains(e.Log(), "\npanic: ") {
		t.Error("the exporter has a data race or a panic")
	}
	if t.Failed() {
		log := e.Log()
		t.Logf("the exporter said, at the end:\n%s", log[max(0, len(log)-8000):])
	}
}

// Ended tells whether the exporter is no longer there.
func (e *Exporter) Ended() bool {
	select {
	case <-e.exited:
		return true
	default:
		return false
	}
}

// Log returns what the exporter has written.
func (e *Exporter) Log() string { return e.log.String() }

// Signal sends a signal.
func (e *Exporter) Signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := e.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// An Answer is one of the exporter.
type Answer struct {
	Status int
	Header http.Header
	Body   string
	Took   time.Duration
}

// Line returns the value of the series written as name, and whether it is there.
func (a Answer) Line(name string) (string, bool) {
	for line := range strings.Lines(a.Body) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value), true
		}
	}
	return "", false
}

// Number returns the value of the series written as name; -1 where it is not there.
func (a Answer) Number(name string) float64 {
	text, _ := a.Line(name)
	if value, err := strconv.ParseFloat(text, 64); err == nil {
		return value
	}
	return -1
}

// Get asks the exporter. Headers are given as pairs.
func (e *Exporter) Get(path string, headers ...string) (Answer, error) {
	return e.Do(context.Background(), http.MethodGet, path, headers...)
}

// Do does the same with another method, until ctx ends.
func (e *Exporter) Do(ctx context.Context, method, path string, headers ...string) (Answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, e.URL+path, nil)
	if err != nil {
		return Answer{}, err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	began := time.Now()
	resp, err := e.client.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return Answer{resp.StatusCode, resp.Header, string(body), time.Since(began)}, err
}

// Use is what the exporter holds when nothing is asked of it.
type Use struct {
	Goroutines int
	Files      int // descriptors: files and connections
}

// Use counts after the connections of the tests are closed.
func (e *Exporter) Use() (Use, error) {
	e.client.CloseIdleConnections()
	a, err := e.Get("/metrics")
	if err != nil {
		return Use{}, err
	}
	entries, err := os.ReadDir(e.proc("fd"))
	if err != nil {
		return Use{}, err
	}
	return Use{int(a.Number("go_goroutines")), len(entries)}, nil
}

// Resident returns the resident memory in bytes, and its peak since ResetPeak.
func (e *Exporter) Resident(t testing.TB) (now, peak int64) {
	t.Helper()
	text, err := os.ReadFile(e.proc("status"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			continue
		}
		n, _ := strconv.ParseInt(fields[1], 10, 64)
		switch fields[0] {
		case "VmRSS:":
			now = n << 10
		case "VmHWM:":
			peak = n << 10
		}
	}
	return now, peak
}

// Processor returns how long processors have worked for the exporter, as
// proc_pid_stat(5) says.
func (e *Exporter) Processor(t testing.TB) time.Duration {
	t.Helper()
	text, err := os.ReadFile(e.proc("stat"))
	if err != nil {
		t.Error(err)
		return 0
	}
	_, after, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(after)
	var ticks int
	for _, field := range fields[11:13] { // utime and stime
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Error(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// ResetPeak forgets the peak of the resident memory (proc_pid_clear_refs(5)).
func (e *Exporter) ResetPeak(t testing.TB) {
	t.Helper()
	if err := os.WriteFile(e.proc("clear_refs"), []byte("5"), 0); err != nil {
		t.Log("the peak of memory cannot be reset:", err)
	}
}

func (e *Exporter) proc(name string) string {
	return fmt.Sprintf("/proc/%d/%s", e.cmd.Process.Pid, name)
}

// Eventually tries f again until it returns no error.
func Eventually(t testing.TB, most time.Duration, f func() error) {
	t.Helper()
	deadline := time.Now().Add(most)
	for {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("after %v: %v", most, err)
			t.FailNow()
		}
		time.Sleep(20 * time.Millisecond) // between tries, not in place of a condition
	}
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// A buffer is written by a process and read by a test.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
