package fetch_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/document"
	"status_exporter/collector/fetch"
	"status_exporter/config/options"
)

// listen starts a target that speaks raw TCP: talk has each connection once its
// request, if wait is true, was read up to the end of the header.
func listen(t *testing.T, wait bool, talk func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if wait {
					if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
						return
					}
				}
				talk(conn)
			}()
		}
	}()
	return l.Addr().String()
}

// says answers each request with raw bytes and closes.
func says(t *testing.T, answer string) string {
	return listen(t, true, func(c net.Conn) { _, _ = io.WriteString(c, answer) })
}

// silent reads until the client goes away.
func silent(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// drip writes begin, and then a byte every 10 milliseconds.
func drip(begin string) func(net.Conn) {
	return func(c net.Conn) {
		_, err := io.WriteString(c, begin)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for err == nil {
			<-tick.C
			_, err = io.WriteString(c, "1")
		}
	}
}

func closedPort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func tlsServer(t *testing.T, h http.Handler, c *tls.Config) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = discard()
	s.TLS = c
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// garbles shakes hands, answers, and then sends what cannot be deciphered.
func garbles(t *testing.T, answer string) string {
	certificate, key := makeCertificate(t, time.Now().Add(time.Hour))
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}}}
	return "https://" + listen(t, false, func(plain net.Conn) {
		c := tls.Server(plain, config)
		if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
			return
		}
		_, _ = io.WriteString(c, answer)
		_, _ = plain.Write(append([]byte{23, 3, 3, 0, 40}, make([]byte, 40)...))
		silent(plain)
	})
}

// TestTimedOut has package net end a dial a little before its context does.
func TestTimedOut(t *testing.T) {
	early := &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
	for _, test := range []struct {
		left time.Duration
		err  error
		want bool
	}{
		{10 * time.Millisecond, early, true},
		{time.Minute, early, false},
		{-time.Minute, io.EOF, true},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), test.left)
		defer cancel()
		if got := fetch.TimedOut(ctx, test.err); got != test.want {
			t.Errorf("%v, %v before the deadline: got %v, want %v", test.err, test.left, got, test.want)
		}
	}
}

func TestFaults(t *testing.T) {
	const deadline = 300 * time.Millisecond
	tests := []struct {
		name   string
		yaml   string
		target func(t *testing.T) string
		reason document.Reason
		want   string // in the error, in which TARGET is the URL
		slow   bool   // it takes until the deadline
	}{
		{
			"refused connection", "", func(t *testing.T) string { return "http://" + closedPort(t) },
			document.ReasonConnect, "asking TARGET/: cannot connect to HOST: connection refused", false,
		},
		{
			"unknown name", "", func(*testing.T) string { return "http://no-such-name.invalid" },
			document.ReasonDNS, `asking TARGET/: cannot look up "no-such-name.invalid": `, false,
		},
		{
			"silence", "", func(t *testing.T) string { return "http://" + listen(t, false, silent) },
			document.ReasonTimeout, "asking TARGET/: the deadline passed while waiting for the answer", true,
		},
		{
			"silence instead of a TLS handshake", "", func(t *testing.T) string { return "https://" + listen(t, false, silent) },
			document.ReasonTimeout, "asking TARGET/: the deadline passed while in the TLS handshake", true,
		},
		{
			"a byte now and then, in the header", "", func(t *testing.T) string { return "http://" + listen(t, true, drip("HTTP/1.1 200 OK\r\nX: ")) },
			document.ReasonTimeout, "asking TARGET/: the deadline passed while reading the answer", true,
		},
		{
			"a byte now and then, in the body", "", func(t *testing.T) string {
				return "http://" + listen(t, true, drip("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"))
			},
			document.ReasonTimeout, "asking TARGET/: the deadline passed while reading the answer", true,
		},
		{
			"a byte now and then after a bad status", "", func(t *testing.T) string {
				return "http://" + listen(t, true, drip("HTTP/1.1 500 No\r\nContent-Length: 100000\r\n\r\n"))
			},
			document.ReasonStatus, "asking TARGET/: the target answered 500 Internal Server Error, expected 2xx", false,
		},
		{
			"closed at once", "", func(t *testing.T) string { return "http://" + listen(t, false, func(net.Conn) {}) },
			document.ReasonRead, "asking TARGET/: the target closed the connection without an answer", false,
		},
		{
			"closed without an answer", "", func(t *testing.T) string { return "http://" + says(t, "") },
			document.ReasonRead, "asking TARGET/: the target closed the connection without an answer", false,
		},
		{
			"closed in the header", "", func(t *testing.T) string { return "http://" + says(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n") },
			document.ReasonRead, "asking TARGET/: the answer ended early: the target closed the connection", false,
		},
		{
			"closed in the body", "", func(t *testing.T) string {
				return "http://" + says(t, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}")
			},
			document.ReasonRead, "asking TARGET/: the answer ended early: the target closed the connection", false,
		},
		{
			"closed in a chunk", "", func(t *testing.T) string {
				return "http://" + says(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{}")
			},
			document.ReasonRead, "asking TARGET/: the answer ended early: the target closed the connection", false,
		},
		{
			"closed in gzip", "", func(t *testing.T) string {
				body := string(gzipped(strings.Repeat("a", 1000)))
				return "http://" + says(t, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:20]))
			},
			document.ReasonRead, "asking TARGET/: the answer ended early: the target closed the connection", false,
		},
		{
			"a bad chunk", "", func(t *testing.T) string {
				return "http://" + says(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}")
			},
			document.ReasonProtocol, "asking TARGET/: the answer is not HTTP (RFC 9112, RFC 9113)", false,
		},
		{
			"not HTTP", "", func(t *testing.T) string { return "http://" + says(t, "220 mail.example ESMTP s3cret\r\n") },
			document.ReasonProtocol, "asking TARGET/: the answer is not HTTP (RFC 9112, RFC 9113)", false,
		},
		{
			"no HTTP header", "", func(t *testing.T) string { return "http://" + says(t, "HTTP/1.1 200 OK\r\ns3cret\r\n\r\n{}") },
			document.ReasonProtocol, "asking TARGET/: the answer is not HTTP (RFC 9112, RFC 9113)", false,
		},
		{
			"a header that is too large", "", func(t *testing.T) string {
				return "http://" + says(t, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("a", 300<<10)+"\r\n\r\n{}")
			},
			document.ReasonTooLarge, "asking TARGET/: the header of the answer is larger than its limit", false,
		},
		{
			"a header without end", "", func(t *testing.T) string {
				return "http://" + listen(t, true, func(c net.Conn) {
					_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\n")
					for err == nil {
						_, err = io.WriteString(c, "X: "+strings.Repeat("a", 1000)+"\r\n")
					}
				})
			},
			document.ReasonTooLarge, "asking TARGET/: the header of the answer is larger than its limit", false,
		},
		{
			"a header that is too large over HTTP/2", insecure, func(t *testing.T) string {
				s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					for i := range 27 {
						w.Header().Set(fmt.Sprint("X-", i), strings.Repeat("a", 10<<10))
					}
				}))
				s.EnableHTTP2 = true
				s.StartTLS()
				t.Cleanup(s.Close)
				return s.URL
			},
			document.ReasonTooLarge, "asking TARGET/: the header of the answer is larger than its limit", false,
		},
		{
			"an HTTP/2 stream that is reset", insecure, func(t *testing.T) string {
				s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
				s.EnableHTTP2 = true
				s.StartTLS()
				t.Cleanup(s.Close)
				return s.URL
			},
			document.ReasonRead, "asking TARGET/: the target broke the HTTP/2 exchange off", false,
		},
		{
			"an HTTP/2 stream that is reset in the body", insecure, func(t *testing.T) string {
				s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					_, _ = io.WriteString(w, "{")
					w.(http.Flusher).Flush()
					panic(http.ErrAbortHandler)
				}))
				s.EnableHTTP2 = true
				s.StartTLS()
				t.Cleanup(s.Close)
				return s.URL
			},
			document.ReasonRead, "asking TARGET/: the target broke the HTTP/2 exchange off", false,
		},
		{
			"TLS to a plain port", "", func(t *testing.T) string { return "https" + strings.TrimPrefix(serve(t, text("{}")).URL, "http") },
			document.ReasonTLS, "asking TARGET/: the target speaks plain HTTP on this port, expected TLS; ask it with http://", false,
		},
		{
			"plain HTTP to a port for TLS", "", func(t *testing.T) string {
				return "http" + strings.TrimPrefix(tlsServer(t, text("{}"), nil).URL, "https")
			},
			document.ReasonProtocol, "asking TARGET/: the target speaks TLS on this port, expected plain HTTP; ask it with https://", false,
		},
		{
			"a TLS alert", "", func(t *testing.T) string { return "http://" + says(t, "\x15\x03\x01\x00\x02\x02\x46") },
			document.ReasonProtocol, "asking TARGET/: the target speaks TLS on this port, expected plain HTTP; ask it with https://", false,
		},
		{
			"neither TLS nor HTTP", "", func(t *testing.T) string {
				return "https://" + listen(t, false, func(c net.Conn) { _, _ = io.WriteString(c, "220 mail.example ESMTP\r\n") })
			},
			document.ReasonTLS, "asking TARGET/: the TLS handshake failed: tls: first record does not look like a TLS handshake", false,
		},
		{
			"closed in the TLS handshake", "", func(t *testing.T) string { return "https://" + listen(t, false, func(net.Conn) {}) },
			document.ReasonTLS, "asking TARGET/: the target closed the connection during the TLS handshake", false,
		},
		{
			"a self-signed certificate", "", func(t *testing.T) string { return tlsServer(t, text("{}"), nil).URL },
			document.ReasonTLS, "asking TARGET/: the TLS handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority", false,
		},
		{
			"another TLS version", "http: {client: {tls_config: {insecure_skip_verify: true, min_version: TLS13}}}", func(t *testing.T) string {
				return tlsServer(t, text("{}"), &tls.Config{MaxVersion: tls.VersionTLS12}).URL
			},
			document.ReasonTLS, "asking TARGET/: the TLS handshake failed: remote error: tls: protocol version not supported", false,
		},
		{
			"a client certificate is missing", insecure, func(t *testing.T) string {
				return tlsServer(t, text("{}"), &tls.Config{ClientAuth: tls.RequireAnyClientCert}).URL
			},
			document.ReasonTLS, "asking TARGET/: the TLS handshake failed: remote error: tls: certificate required", false,
		},
		{
			"garbage instead of an answer over TLS", insecure, func(t *testing.T) string { return garbles(t, "") },
			document.ReasonRead, "asking TARGET/: the TLS connection broke: local error: tls: bad record MAC", false,
		},
		{
			"garbage in the body over TLS", insecure, func(t *testing.T) string { return garbles(t, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}") },
			document.ReasonRead, "asking TARGET/: the TLS connection broke: local error: tls: bad record MAC", false,
		},
		{
			"redirects in a circle", "", func(t *testing.T) string {
				return serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) }).URL
			},
			document.ReasonRedirect, "asking TARGET/: it is redirected in a circle, back to TARGET/", false,
		},
		{
			"redirects without end", "", func(t *testing.T) string {
				return serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"a", http.StatusFound) }).URL
			},
			document.ReasonRedirect, "asking TARGET/: more than 10 redirects, the last one at TARGET/aaaaaaaaaa", false,
		},
		{
			"a redirect to nowhere", "", func(t *testing.T) string {
				return serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusFound) }).URL
			},
			document.ReasonRedirect, "asking TARGET/: TARGET/ answered 302 Found, without saying where to (Location)", false,
		},
		{
			"a redirect to a file", "", func(t *testing.T) string {
				return serve(t, func(w http.ResponseWriter, r *http.Request) {
					http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
				}).URL
			},
			document.ReasonRedirect, "asking TARGET/: TARGET/ answered 302 Found, to an address that is neither http nor https", false,
		},
		{
			"HTML", "", func(t *testing.T) string { return serve(t, text("<html>login</html>")).URL },
			document.ReasonDecode, "decoding the answer of TARGET/: ", false,
		},
		{
			"a missing unix socket", "", func(*testing.T) string { return "unix:/nonexistent/x.sock" },
			document.ReasonConnect, "asking TARGET:/: cannot connect to /nonexistent/x.sock: no such file or directory", false,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			target := test.target(t)
			c := newClient(t, test.yaml, fetch.Settings{Trusted: []string{target}})
			checkLeaks(t, c)
			p, err := c.Probe(fetch.Request{Target: target})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			defer cancel()
			if !test.slow {
				ctx = t.Context()
			}
			began := time.Now()
			docs := p.Read(ctx)
			took := time.Since(began)

			_, host, _ := strings.Cut(target, "://")
			want := strings.NewReplacer("TARGET", target, "HOST", host).Replace(test.want)
			got := failure(t, docs, test.reason)
			contains(t, got, want)
			if strings.Contains(got, "s3cret") {
				t.Errorf("the error quotes the answer: %s", got)
			}
			limit := 2 * time.Second
			if test.slow {
				limit = deadline + 100*time.Millisecond + slack
			}
			if took > limit {
				t.Errorf("took %v, want at most %v", took, limit)
			}
		})
	}
}

// slack is how much later than in theory a test may see something on a busy machine.
const slack = 150 * time.Millisecond

// checkLeaks checks at the end of a test that no probe left work behind, and that
// nothing is left at all once the client is closed.
func checkLeaks(t *testing.T, c *fetch.Client) {
	before := descriptors(t)
	t.Cleanup(func() {
		await(t, "after the probes", func() string {
			return goroutines("status_exporter/collector/fetch.(*fetch)", "status_exporter/collector/fetch.(*dialer)", "net/http.(*Transport)", "net.(*Dialer)", "crypto/tls.(*Conn).clientHandshake")
		})
		c.Close()
		await(t, "after the client was closed", func() string {
			if open := descriptors(t); open > before {
				return fmt.Sprintf("%d descriptors, %d before", open, before)
			}
			return goroutines("net/http.(*persistConn)", "net/http.(*http2clientConnReadLoop)")
		})
	})
}

// await waits until nothing is left.
func await(t *testing.T, when string, left func() string) {
	t.Helper()
	deadline := time.Now().Add(3 * time.Second)
	for {
		what := left()
		if what == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("left behind %s:\n%s", when, what)
			return
		}
		runtime.Gosched()
	}
}

// goroutines returns the stacks in which one of the functions stands.
func goroutines(functions ...string) string {
	buf := make([]byte, 1<<20)
	var left []string
	for stack := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if slices.ContainsFunc(functions, func(f string) bool { return strings.Contains(stack, "\n"+f) }) {
			left = append(left, stack)
		}
	}
	return strings.Join(left, "\n\n")
}

// descriptors returns how many connections this process has made, where that can
// be told.
func descriptors(t *testing.T) int {
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

// TestCancel ends the context in every phase.
func TestCancel(t *testing.T) {
	for name, target := range map[string]string{
		"processing": "http://" + listen(t, false, silent),
		"handshake":  "https://" + listen(t, false, silent),
		"header":     "http://" + listen(t, true, drip("HTTP/1.1 200 OK\r\nX: ")),
		"body":       "http://" + listen(t, true, drip("HTTP/1.1 200 OK\r\n\r\n")),
		"connect":    "http://" + full(t),
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, "", fetch.Settings{})
			checkLeaks(t, c)
			p, err := c.Probe(fetch.Request{Target: target})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			var cancelled time.Time
			time.AfterFunc(50*time.Millisecond, func() {
				cancelled = time.Now()
				cancel()
			})
			docs := p.Read(ctx)
			contains(t, failure(t, docs, document.ReasonTimeout), "the probe was cancelled while")
			if took := time.Since(cancelled); took > 100*time.Millisecond+slack {
				t.Errorf("ended %v after it was cancelled", took)
			}
		})
	}
}

// TestExpiredCertificate asks a target whose certificate is known and expired.
func TestExpiredCertificate(t *testing.T) {
	certificate, key := makeCertificate(t, time.Now().Add(-time.Hour))
	s := tlsServer(t, text("{}"), &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}}})
	ca := filepath.Join(t.TempDir(), "ca.pem")
	writePEM(t, ca, "CERTIFICATE", certificate)
	c := newClient(t, "http: {client: {tls_config: {ca_file: "+ca+"}}}", fetch.Settings{})
	contains(t, failure(t, read(t, c, s.URL), document.ReasonTLS), "certificate has expired or is not yet valid")
}

// TestAuthorityChanges replaces the file of the authority while the client lives.
func TestAuthorityChanges(t *testing.T) {
	certificate, key := makeCertificate(t, time.Now().Add(time.Hour))
	s := tlsServer(t, text("{}"), &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}}})
	other, _ := makeCertificate(t, time.Now().Add(time.Hour))
	ca := filepath.Join(t.TempDir(), "ca.pem")
	writePEM(t, ca, "CERTIFICATE", other)
	c := newClient(t, "http: {client: {tls_config: {ca_file: "+ca+"}}}", fetch.Settings{})
	failure(t, read(t, c, s.URL), document.ReasonTLS)
	writePEM(t, ca, "CERTIFICATE", certificate)
	doc := one(t, read(t, c, s.URL))
	parsed, err := x509.ParseCertificate(certificate)
	if err != nil {
		t.Fatal(err)
	}
	if !doc.EarliestCertExpiry.Equal(parsed.NotAfter) {
		t.Errorf("the certificate ends at %v, want %v", doc.EarliestCertExpiry, parsed.NotAfter)
	}
	writePEM(t, ca, "CERTIFICATE", other)
	failure(t, read(t, c, s.URL), document.ReasonTLS)
}

func writePEM(t *testing.T, name, kind string, der []byte) {
	t.Helper()
	block := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(name, block, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestClose closes a client while a probe is under way: the probe ends well, and
// its connections are not kept, those that it makes afterwards neither.
func TestClose(t *testing.T) {
	began, goOn := make(chan struct{}), make(chan struct{})
	var open atomic.Int32
	start := func(h http.HandlerFunc) *httptest.Server {
		s := httptest.NewUnstartedServer(h)
		s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				open.Add(1)
			case http.StateClosed:
				open.Add(-1)
			}
		}
		s.Start()
		t.Cleanup(s.Close)
		return s
	}
	second := start(text("{}"))
	first := start(func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-goOn
		http.Redirect(w, r, second.URL, http.StatusFound)
	})
	c := newClient(t, "", fetch.Settings{})
	done := make(chan []*document.Document)
	go func() {
		p, err := c.Probe(fetch.Request{Target: first.URL})
		if err != nil {
			t.Error(err)
			close(done)
			return
		}
		done <- p.Read(t.Context())
	}()
	<-began
	c.Close()
	close(goOn)
	one(t, <-done)
	await(t, "after the probe", func() string {
		if n := open.Load(); n > 0 {
			return fmt.Sprint(n, " connections")
		}
		return ""
	})
}

// TestClientCertificate checks that only the target is shown who asks.
func TestClientCertificate(t *testing.T) {
	certificate, key := makeCertificate(t, time.Now().Add(time.Hour))
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	writePEM(t, filepath.Join(dir, "cert.pem"), "CERTIFICATE", certificate)
	writePEM(t, filepath.Join(dir, "key.pem"), "PRIVATE KEY", der)
	var shown []bool
	note := func(r *http.Request) { shown = append(shown, len(r.TLS.PeerCertificates) > 0) }
	wants := &tls.Config{ClientAuth: tls.RequestClientCert}
	other := tlsServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note(r)
		_, _ = io.WriteString(w, "{}")
	}), wants)
	s := tlsServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note(r)
		http.Redirect(w, r, other.URL, http.StatusFound)
	}), wants)
	client := "client: {tls_config: {insecure_skip_verify: true, cert_file: " + dir + "/cert.pem, key_file: " + dir + "/key.pem}}"
	if !bound(t, newClient(t, "http: {"+client+"}", fetch.Settings{})) {
		t.Error("the key is no secret")
	}
	c := newClient(t, "http: {allow: '*', "+client+"}", fetch.Settings{})
	one(t, read(t, c, s.URL))
	if diff := cmp.Diff([]bool{true, false}, shown); diff != "" {
		t.Errorf("who was shown the certificate (-want +got):\n%s", diff)
	}
}

// panics is a decoder with a mistake.
type panics struct{}

func (panics) Decode(context.Context, []byte, string, document.Limits) (any, error) {
	panic("out of range")
}

// TestPanic checks that a panic costs only the document it happens in.
func TestPanic(t *testing.T) {
	s := serve(t, text("{}"))
	for name, documents := range map[string]string{
		"the only document": "{broken: {path: /a}}",
		"one of two":        "{broken: {path: /a}, sound: {path: /b, format: json}}",
	} {
		t.Run(name, func(t *testing.T) {
			o, d := &fetch.Options{}, options.NewDecoder(nil)
			o.Decode(d, nil, d.Parse("documents", []byte(documents)), document.Format{Name: "json", Decoder: panics{}})
			if err := d.Err(); err != nil {
				t.Fatal(err)
			}
			c, err := fetch.New(o, fetch.Settings{Module: "test"})
			if err != nil {
				t.Fatal(err)
			}
			checkLeaks(t, c)
			docs := read(t, c, s.URL)
			contains(t, failure(t, docs[:1], document.ReasonInternal), "asking "+s.URL+": the exporter failed: out of range\n", "fault_test.go")
			for _, doc := range docs[1:] {
				one(t, []*document.Document{doc})
			}
		})
	}
}
