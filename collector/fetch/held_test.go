package fetch_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"status_exporter/collector/document"
	"status_exporter/collector/fetch"
)

// isGone waits until the client has let go of a connection.
func isGone(t *testing.T, gone <-chan struct{}) {
	t.Helper()
	select {
	case <-gone:
	case <-time.After(5 * time.Second):
		t.Error("the client still keeps the connection")
	}
}

// probe probes a target that may take its time.
func probe(t *testing.T, c *fetch.Client, target string, deadline time.Duration) []*document.Document {
	t.Helper()
	p, err := c.Probe(fetch.Request{Target: target})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	return p.Read(ctx)
}

// TestFloods asks targets that send without end what net/http answers or drops by
// itself: nothing of it is read once the probe is over.
func TestFloods(t *testing.T) {
	ping := func(s stream) { repeated(func() error { return s.WritePing(false, [8]byte{1}) }) }
	settings := func(s stream) { repeated(func() error { return s.WriteSettings() }) }
	good := func(s stream) {
		s.head(false, ":status", "200")
		_ = s.WriteData(s.id, true, []byte("{}"))
	}
	for name, test := range map[string]struct {
		answer func(stream)
		reason document.Reason // "": the probe succeeds
	}{
		"PING in the place of an answer":     {ping, document.ReasonTimeout},
		"SETTINGS in the place of an answer": {settings, document.ReasonTimeout},
		"PING within an answer": {func(s stream) {
			s.head(false, ":status", "200")
			ping(s)
		}, document.ReasonTimeout},
		"PING after an answer": {func(s stream) {
			good(s)
			ping(s)
		}, ""},
		"SETTINGS after an answer": {func(s stream) {
			good(s)
			settings(s)
		}, ""},
		"silence": {func(stream) {}, document.ReasonTimeout},
		"a body that is too large": {func(s stream) {
			s.head(false, ":status", "200")
			_ = s.WriteData(s.id, false, bytes.Repeat([]byte(" "), 2000))
			ping(s)
		}, document.ReasonTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			target, gone := speaksH2(t, test.answer)
			c := newClient(t, strings.Replace(insecure, "{", "{body_size_limit: 1KiB, ", 1), fetch.Settings{})
			checkLeaks(t, c)
			if docs := probe(t, c, target, 300*time.Millisecond); test.reason != "" {
				failure(t, docs, test.reason)
			} else {
				one(t, docs)
			}
			isGone(t, gone)
		})
	}
}

// TestFloodAfterAnswer asks targets that speak HTTP/1.1 and go on after their answer.
func TestFloodAfterAnswer(t *testing.T) {
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			certificate, key := makeCertificate(t, time.Now().Add(time.Hour))
			config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}}}
			goOn, gone := make(chan struct{}), make(chan struct{})
			target := scheme + "://" + listen(t, false, func(c net.Conn) {
				defer close(gone)
				if scheme == "https" {
					c = tls.Server(c, config)
				}
				if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
					return
				}
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
				<-goOn
				repeated(func() error {
					_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\n")
					return err
				})
			})
			c := newClient(t, insecure, fetch.Settings{})
			checkLeaks(t, c)
			one(t, read(t, c, target))
			close(goOn)
			isGone(t, gone)
		})
	}
}

// TestFailureBesideOthers has one of two documents fail that share a connection of
// HTTP/2: it is not closed under the other one, but afterwards.
func TestFailureBesideOthers(t *testing.T) {
	var fails atomic.Bool
	asked, broken := make(chan struct{}), make(chan struct{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !fails.Load():
		case r.URL.Path == "/large":
			<-asked
			_, _ = w.Write(make([]byte, 2000))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			close(broken)
			return
		default:
			close(asked)
			<-broken
		}
		_, _ = io.WriteString(w, "{}")
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	c := newClient(t, `
http: {body_size_limit: 1KiB, client: {tls_config: {insecure_skip_verify: true}}}
documents: {large: {path: /large}, late: {path: /late}}`, fetch.Settings{})
	reused := func(fail bool) bool {
		t.Helper()
		fails.Store(fail)
		docs := read(t, c, s.URL)
		if fail {
			failure(t, docs[:1], document.ReasonTooLarge)
		} else {
			one(t, docs[:1])
		}
		large, late := docs[0].Exchanges, one(t, docs[1:]).Exchanges
		return large[len(large)-1].Reused && late[len(late)-1].Reused // the last one: a request may be sent again
	}
	reused(false)
	if !reused(true) {
		t.Error("the documents did not share the connection of the probe before")
	}
	if reused(false) {
		t.Error("the connection of a failed exchange was used again")
	}
}

// TestUnreadBodies asks a target of HTTP/2 whose answers end before their bodies are read:
// its connection stays.
func TestUnreadBodies(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   int
		reason document.Reason // "": the probe succeeds
	}{
		"a large page for an error": {http.StatusNotFound, 400 << 10, document.ReasonStatus},
		"an error that goes on":     {http.StatusNotFound, 10, document.ReasonStatus},
		"a large redirect":          {http.StatusFound, 400 << 10, ""},
		"a redirect that goes on":   {http.StatusFound, 10, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var conns atomic.Int32
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/good" {
					_, _ = io.WriteString(w, "{}")
					return
				}
				w.Header().Set("Location", "/good")
				w.WriteHeader(test.status)
				_, _ = w.Write(make([]byte, test.body))
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			}))
			s.EnableHTTP2 = true
			s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					conns.Add(1)
				}
			}
			s.StartTLS()
			t.Cleanup(s.Close)
			c := newClient(t, insecure, fetch.Settings{})
			for range 20 {
				if docs := probe(t, c, s.URL, 5*time.Second); test.reason != "" {
					failure(t, docs, test.reason)
				} else {
					one(t, docs)
				}
			}
			if n := conns.Load(); n != 1 {
				t.Errorf("20 probes took %d connections, want 1", n)
			}
		})
	}
}
