//go:build linux

package faults_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"status_exporter/test/faults/program"
)

const healthy = `{"value": 42}`

// raw starts a target that speaks for itself on each connection, once a request's
// header has been read, and then waits until the exporter lets go of it. When the
// test ends no connection may be left.
func raw(t *testing.T, speak func(net.Conn)) string {
	return listen(t, func(conn net.Conn) {
		if readHeader(conn) == nil {
			speak(conn)
		}
	})
}

func listen(t *testing.T, speak func(net.Conn)) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open atomic.Int64
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Add(1)
			go func() {
				defer open.Add(-1)
				defer conn.Close()
				speak(conn)
				_, _ = io.Copy(io.Discard, conn)
			}()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		program.Eventually(t, 2*time.Second, func() error {
			if n := open.Load(); n > 0 {
				return fmt.Errorf("%d connections to the target are still open", n)
			}
			return nil
		})
	})
	return "http://" + l.Addr().String()
}

func readHeader(r io.Reader) error {
	var all []byte
	for b := make([]byte, 1); !bytes.HasSuffix(all, []byte("\r\n\r\n")); all = append(all, b...) {
		if _, err := r.Read(b); err != nil {
			return err
		}
	}
	return nil
}

// says is a target that answers with a text, and waits.
func says(text string) func(*testing.T) string {
	return func(t *testing.T) string { return raw(t, func(c net.Conn) { io.WriteString(c, text) }) }
}

// saysAndCloses is one that closes the connection then.
func saysAndCloses(text string) func(*testing.T) string {
	return func(t *testing.T) string {
		return raw(t, func(c net.Conn) {
			io.WriteString(c, text)
			c.Close()
		})
	}
}

// drips is one that answers with head at once and then with a byte each second.
func drips(head, rest string) func(*testing.T) string {
	return func(t *testing.T) string {
		return raw(t, func(c net.Conn) {
			io.WriteString(c, head)
			ticks := time.NewTicker(time.Second)
			defer ticks.Stop()
			for i := range len(rest) {
				<-ticks.C
				if _, err := io.WriteString(c, rest[i:i+1]); err != nil {
					return
				}
			}
		})
	}
}

// pours is one that answers with head and then with the same again and again.
func pours(head, again string) func(*testing.T) string {
	return func(t *testing.T) string {
		return raw(t, func(c net.Conn) {
			io.WriteString(c, head)
			again := strings.Repeat(again, max(1, 32<<10/len(again)))
			for {
				if _, err := io.WriteString(c, again); err != nil {
					return
				}
			}
		})
	}
}

// handles is a target that speaks HTTP as it should.
func handles(h http.HandlerFunc) func(*testing.T) string {
	return func(t *testing.T) string {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s.URL
	}
}

func redirects(code int, to string) func(*testing.T) string {
	return handles(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(code)
	})
}

// document is a target that answers with a document.
func document(body string) func(*testing.T) string {
	return handles(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) })
}

// encoded is one that says that its answer is gzip.
func encoded(body []byte) func(*testing.T) string {
	return handles(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(body)
	})
}

// secure is one with TLS and a certificate.
func secure(certificate func(*testing.T) tls.Certificate, h2 bool, h http.HandlerFunc) func(*testing.T) string {
	return func(t *testing.T) string {
		s := httptest.NewUnstartedServer(h)
		s.EnableHTTP2 = h2
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
		s.StartTLS()
		t.Cleanup(s.Close)
		return s.URL
	}
}

// zipped returns size spaces and a document, compressed. Deflate makes them a
// thousandth.
func zipped(size int) []byte {
	var out bytes.Buffer
	z, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
	block := bytes.Repeat([]byte(" "), 1<<20)
	for range size >> 20 {
		z.Write(block)
	}
	io.WriteString(z, healthy)
	z.Close()
	return out.Bytes()
}
