//go:build linux

// Package live_test proves the built-in modules against the real programs.
//
// Each test starts a program that a Debian package brings, on free ports of the
// loopback address and with a configuration in a directory of its own, makes
// some traffic, probes it with its module through the exporter, and compares
// the metrics with what the program itself says. Where Debian has a dedicated
// exporter for the program, it runs beside ours and everything that it says of
// the program must be found in ours.
//
// A test whose program is not installed is skipped and names the package; it
// fails instead where the environment variable CI is set.
package live_test

import (
	"context"
	"errors"
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

const (
	readyWithin = 30 * time.Second // from its start to its first answer
	stopWithin  = 10 * time.Second // from SIGTERM to its end
	pollEvery   = 20 * time.Millisecond
)

// find returns the path of the first of the named executables that is
// installed. Where none is, the test is skipped, or fails in CI; either way it
// says which Debian package brings it.
func find(t *testing.T, debianPackage string, names ...string) string {
	t.Helper()
	for _, name := range names {
		// Daemons live where an ordinary user's PATH does not look.
		for _, candidate := range []string{name, filepath.Join("/usr/sbin", name), filepath.Join("/sbin", name)} {
			if path, err := exec.LookPath(candidate); err == nil {
				return path
			}
		}
	}
	report := t.Skipf
	if os.Getenv("CI") != "" {
		report = t.Fatalf
	}
	report("%s is not installed; Debian package %s brings it", strings.Join(names, " or "), debianPackage)
	return ""
}

// handedOut are the ports that freePort has returned.
var handedOut sync.Map

// freePort returns a port of 127.0.0.1 that nobody uses for TCP or UDP, and that
// was not returned before.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		u, err := net.ListenPacket("udp", l.Addr().String())
		l.Close()
		if err != nil {
			continue
		}
		u.Close()
		if _, again := handedOut.LoadOrStore(port, true); !again {
			return port
		}
	}
	t.Fatal("127.0.0.1 has no free port")
	return 0
}

// workdir returns a directory that is removed after the test. Unlike that of
// t.TempDir, a program can still read it after it has given up root's rights,
// and its name is short enough for unix sockets.
func workdir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "live") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// writeFile writes a file below dir and returns its path.
func writeFile(t *testing.T, dir, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// asRoot returns text where the test runs as root, else nothing: for the lines
// of a configuration that say as whom a program shall run.
func asRoot(text string) string {
	if os.Geteuid() == 0 {
		return text
	}
	return ""
}

// A process is a program that runs in the foreground.
type process struct {
	name  string
	cmd   *exec.Cmd
	log   string // path of what it prints
	ended chan struct{}
	err   error // of Wait, once ended is closed
}

// start starts a program, which must not fork into the background. It gets
// SIGTERM when the test ends, however it ends, and SIGKILL where that does not
// help. If the test failed, what the program printed becomes part of its output.
func start(t *testing.T, path string, args ...string) *process {
	t.Helper()
	return startWith(t, func(*exec.Cmd) {}, path, args...)
}

// startWith is start for a program that needs an environment or a directory.
func startWith(t *testing.T, set func(*exec.Cmd), path string, args ...string) *process {
	t.Helper()
	p := &process{name: filepath.Base(path), ended: make(chan struct{})}
	log, err := os.CreateTemp(workdir(t), "log")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p.log = log.Name()
	p.cmd = exec.CommandContext(t.Context(), path, args...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	// The signal also reaches it if the test binary dies of a panic or a timeout.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = stopWithin
	set(p.cmd)
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		<-p.ended
		if t.Failed() {
			t.Logf("%s %s printed:\n%s", path, strings.Join(args, " "), p.printed())
		}
	})
	return p
}

// printed returns what the program has printed, or the end of it.
func (p *process) printed() string {
	const limit = 8 << 10
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	if len(text) > limit {
		text = append([]byte("…"), text[len(text)-limit:]...)
	}
	return string(text)
}

// await polls until ready returns no error. The test fails when that takes too
// long or the program ends before.
func (p *process) await(t *testing.T, ready func(context.Context) error) {
	t.Helper()
	eventually(t, p.name+" to be ready", func(ctx context.Context) error {
		select {
		case <-p.ended:
			t.Fatalf("%s ended before it was ready: %v", p.name, p.err)
		default:
		}
		return ready(ctx)
	})
}

// says returns a check that the program has printed a text.
func (p *process) says(text string) func(context.Context) error {
	return func(context.Context) error {
		if !strings.Contains(p.printed(), text) {
			return fmt.Errorf("it has not printed %q", text)
		}
		return nil
	}
}

// eventually polls until check returns no error; the test fails with its last
// error when that takes too long.
func eventually(t *testing.T, what string, check func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), readyWithin)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited %v for %s: %v", readyWithin, what, err)
		}
	}
}

// answers returns a check that url answers with status 200.
func answers(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := fetch(ctx, url)
		return err
	}
}

// listens returns a check that a TCP port of 127.0.0.1 takes connections.
func listens(port int) func(context.Context) error {
	return func(ctx context.Context) error {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

// get returns what url answers with status 200.
func get(t *testing.T, url string) string {
	t.Helper()
	body, err := fetch(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// visit asks for url n times, whatever it answers, each time with a new
// connection.
func visit(t *testing.T, url string, n int) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for range n {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(drain(answer.Body), answer.Body.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func drain(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// fetch asks with a connection of its own, so that it leaves none behind in the
// program's counts.
func fetch(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	request.Close = true
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s", url, answer.Status)
	}
	return string(body), err
}
