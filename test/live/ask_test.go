//go:build linux

package live_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An api is a program's HTTP interface.
type api struct {
	url    string
	client *http.Client
	set    func(*http.Request) // adds what every request needs, credentials for example
}

// newAPI returns the interface at url, whose requests all have one header more.
func newAPI(url, header, value string) api {
	return api{url, http.DefaultClient, func(r *http.Request) { r.Header.Set(header, value) }}
}

// ask sends a request and returns the body of its answer, which must have a 2xx
// status.
func (a api) ask(t *testing.T, method, path, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, a.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	a.set(request)
	answer, err := a.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode/100 != 2 {
		t.Fatalf("%s %s answered %s: %s", method, request.URL, answer.Status, text)
	}
	return string(text)
}

// decode reads a JSON text.
func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// findFile is find for what is not executable; pattern is a glob.
func findFile(t *testing.T, debianPackage, pattern string) string {
	t.Helper()
	if found, err := filepath.Glob(pattern); err == nil && len(found) > 0 {
		return found[0]
	}
	report := t.Skipf
	if os.Getenv("CI") != "" {
		report = t.Fatalf
	}
	report("there is no %s; Debian package %s brings it", pattern, debianPackage)
	return ""
}

// freeUDPPort returns a UDP port of 127.0.0.1 that nobody listens on.
func freeUDPPort(t *testing.T) int {
	t.Helper()
	conn := listenUDP(t, "127.0.0.1:0")
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).Port
}

// listenUDP returns a socket that is closed when the test ends.
func listenUDP(t *testing.T, address string) net.PacketConn {
	t.Helper()
	conn, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(readyWithin)); err != nil {
		t.Fatal(err)
	}
	return conn
}
