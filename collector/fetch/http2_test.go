package fetch_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"status_exporter/collector/document"
	"status_exporter/collector/fetch"
)

const insecure = "http: {client: {tls_config: {insecure_skip_verify: true}}}"

// A stream is that of the first request on a connection of HTTP/2, to be answered by
// frames as they are written. What else the client sends is thrown away.
type stream struct {
	*http2.Framer
	id uint32
}

// head writes a header, or a trailer.
func (s stream) head(end bool, fields ...string) {
	_ = s.WriteHeaders(http2.HeadersFrameParam{StreamID: s.id, BlockFragment: block(fields...), EndStream: end, EndHeaders: true})
}

// block encodes names and values.
func block(fields ...string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for i := 0; i < len(fields); i += 2 {
		_ = e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return b.Bytes()
}

// repeated calls write until the connection breaks.
func repeated(write func() error) {
	for write() == nil {
	}
}

// speaksH2 starts a target that speaks HTTP/2 frame by frame. gone gets a value for
// each connection that the client has let go of.
func speaksH2(t *testing.T, answer func(stream)) (target string, gone <-chan struct{}) {
	t.Helper()
	certificate, key := makeCertificate(t, time.Now().Add(time.Hour))
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}}, NextProtos: []string{"h2"}}
	ended := make(chan struct{}, 100)
	address := listen(t, false, func(plain net.Conn) {
		c := tls.Server(plain, config)
		if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err != nil {
			return
		}
		s := stream{Framer: http2.NewFramer(c, bufio.NewReader(c))}
		s.AllowIllegalWrites = true
		_ = s.WriteSettings()
		for s.id == 0 {
			frame, err := s.ReadFrame()
			if err != nil {
				return
			}
			switch frame := frame.(type) {
			case *http2.SettingsFrame:
				if !frame.IsAck() {
					_ = s.WriteSettingsAck()
				}
			case *http2.HeadersFrame:
				s.id = frame.StreamID
			}
		}
		left := make(chan struct{})
		go func() {
			defer close(left)
			silent(c)
		}()
		answer(s)
		<-left
		ended <- struct{}{}
	})
	return "https://" + address, ended
}

// TestGoAway asks a target that sends the request to another connection, on each one.
func TestGoAway(t *testing.T) {
	target, gone := speaksH2(t, func(s stream) { _ = s.WriteGoAway(0, http2.ErrCodeNo, nil) })
	c := newClient(t, insecure, fetch.Settings{})
	checkLeaks(t, c)
	began := time.Now()
	said := failure(t, probe(t, c, target, 5*time.Second), document.ReasonRead)
	contains(t, said, "asking "+target+"/: the target took the request on none of 5 new connections")
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
	for range 5 {
		isGone(t, gone)
	}
}

// TestRefusedStream asks a target that refuses the request, which net/http sends again.
func TestRefusedStream(t *testing.T) {
	target, _ := speaksH2(t, func(s stream) {
		_ = s.WriteRSTStream(s.id, http2.ErrCodeRefusedStream)
	})
	said := failure(t, probe(t, newClient(t, insecure, fetch.Settings{}), target, 500*time.Millisecond), document.ReasonTimeout)
	contains(t, said, "the deadline passed while waiting for the answer, in attempt 2: the target did not take the request before")
}

// TestHTTP2Faults asks targets that break HTTP/2 in ways that servers do not.
func TestHTTP2Faults(t *testing.T) {
	const (
		rules  = "the answer breaks the rules of HTTP/2 (RFC 9113)"
		header = "the header of the answer is larger than its limit"
	)
	ok := []string{":status", "200"}
	long := block("x-junk", strings.Repeat("a", 4000))
	endless := func(s stream) {
		repeated(func() error { return s.WriteContinuation(s.id, false, long) })
	}
	begin := func(s stream, fields ...string) {
		_ = s.WriteHeaders(http2.HeadersFrameParam{StreamID: s.id, BlockFragment: block(fields...), EndStream: true})
	}
	for name, test := range map[string]struct {
		answer func(stream)
		reason document.Reason
		want   string
	}{
		"a header without end": {func(s stream) {
			_ = s.WriteHeaders(http2.HeadersFrameParam{StreamID: s.id, BlockFragment: block(ok...)})
			endless(s)
		}, document.ReasonTooLarge, header},
		"a trailer without end": {func(s stream) {
			s.head(false, ok...)
			_ = s.WriteData(s.id, false, []byte("{}"))
			begin(s, "x", "y")
			endless(s)
		}, document.ReasonTooLarge, "the trailer of the answer is larger than its limit"},
		"a header that is small on the wire": {func(s stream) {
			fields := append(block(ok...), block("x-junk", strings.Repeat("a", 3000))...)
			again := bytes.Repeat([]byte{0x80 | 62}, 16_000-len(fields)) // the newest entry of the table
			_ = s.WriteHeaders(http2.HeadersFrameParam{StreamID: s.id, BlockFragment: append(fields, again...), EndHeaders: true})
		}, document.ReasonTooLarge, header},
		"early answers without end": {func(s stream) {
			repeated(func() error {
				s.head(false, ":status", "103", "link", strings.Repeat("a", 1000))
				return s.WritePing(false, [8]byte{})
			})
		}, document.ReasonTooLarge, header},
		"a name with capitals":       {func(s stream) { s.head(true, append(ok, "X-Upper", "s3cret")...) }, document.ReasonProtocol, rules},
		"a status that is no number": {func(s stream) { s.head(true, ":status", "s3cret") }, document.ReasonProtocol, rules},
		"no status":                  {func(s stream) { s.head(true, "x", "y") }, document.ReasonProtocol, rules},
		"a body before the header":   {func(s stream) { _ = s.WriteData(s.id, false, []byte("s3cret")) }, document.ReasonProtocol, rules},
		"a frame of another stream":  {func(s stream) { _ = s.WriteData(s.id+2, false, []byte("s3cret")) }, document.ReasonProtocol, rules},
		"a request":                  {func(s stream) { begin(s, ":method", "GET"); _ = s.WritePing(false, [8]byte{}) }, document.ReasonProtocol, rules},
		"a body after a large one": {func(s stream) {
			s.head(false, ok...)
			_ = s.WriteData(s.id, false, bytes.Repeat([]byte(" "), 16<<10))
			_ = s.WriteData(s.id, false, bytes.Repeat([]byte(" "), 16<<10))
			_ = s.WriteData(s.id+2, false, []byte("s3cret"))
		}, document.ReasonProtocol, rules},
		"a body that is too long": {func(s stream) {
			s.head(false, append(ok, "content-length", "2")...)
			_ = s.WriteData(s.id, true, []byte("{}{}"))
		}, document.ReasonProtocol, rules},
		"a reset": {
			func(s stream) { _ = s.WriteRSTStream(s.id, http2.ErrCodeHTTP11Required) },
			document.ReasonRead, "the target broke the HTTP/2 exchange off (HTTP_1_1_REQUIRED)",
		},
		"a reset in the body": {func(s stream) {
			s.head(false, ok...)
			_ = s.WriteRSTStream(s.id, http2.ErrCodeInternal)
		}, document.ReasonRead, "the target broke the HTTP/2 exchange off (INTERNAL_ERROR)"},
		"GOAWAY with an error": {
			func(s stream) { _ = s.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm, []byte("s3cret")) },
			document.ReasonRead, "the target broke the HTTP/2 exchange off (GOAWAY)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			target, gone := speaksH2(t, test.answer)
			c := newClient(t, insecure, fetch.Settings{})
			checkLeaks(t, c)
			said := failure(t, probe(t, c, target, 5*time.Second), test.reason)
			contains(t, said, "asking "+target+"/: "+test.want)
			if strings.Contains(said, "s3cret") {
				t.Errorf("the error quotes the answer: %s", said)
			}
			isGone(t, gone)
		})
	}
}

// TestFewStreams asks a target that takes two requests at once on a connection for more,
// with clients that have no connection yet: net/http makes more of them, and has several
// exchanges try each. None fails, and no connection that took a request is given up.
func TestFewStreams(t *testing.T) {
	var mu sync.Mutex
	used, ended := map[string]bool{}, 0
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		used[r.RemoteAddr] = true
		mu.Unlock()
		_, _ = io.WriteString(w, "{}")
	}))
	certificate, key := makeCertificate(t, time.Now().Add(time.Hour))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}}}
	s.EnableHTTP2 = true
	s.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 2}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Config.ConnState = func(c net.Conn, state http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		if state == http.StateClosed && used[c.RemoteAddr().String()] {
			ended++
		}
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	for range 5 {
		c := newClient(t, insecure+"\ndocuments: {a: {path: /a}, b: {path: /b}, c: {path: /c}, d: {path: /d}, e: {path: /e}}", fetch.Settings{})
		mu.Lock()
		used, ended = map[string]bool{}, 0
		mu.Unlock()
		var probes sync.WaitGroup
		for range 4 {
			probes.Go(func() {
				for range 2 {
					for _, doc := range probe(t, c, s.URL, 5*time.Second) {
						if doc.Failure != nil {
							t.Errorf("%s: %v", doc.Failure.Reason, doc.Failure)
						}
					}
				}
			})
		}
		probes.Wait()
		mu.Lock()
		if ended > 0 {
			t.Errorf("%d of %d connections were given up", ended, len(used))
		}
		mu.Unlock()
		c.Close()
	}
}

// TestUnsent tells errors of net/http after which a request may be sent again.
func TestUnsent(t *testing.T) {
	for text, want := range map[string]bool{
		"http2: client conn could not be established": true,
		"http2: client conn not usable":               true,
		"http2: client conn is closed":                false, // in the middle of a body
		"http2: client connection lost":               false,
	} {
		if got := fetch.Unsent(errors.New(text)); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}
