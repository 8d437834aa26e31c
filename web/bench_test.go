package web_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
)

// prometheusAccept is what Prometheus sends.
const prometheusAccept = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6," +
	"application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4," +
	"text/plain;version=0.0.4;q=0.3,*/*;q=0.2"

// BenchmarkScrape is one small scrape over real connections. The scraper and the
// target allocate nothing, so that all that is counted is the exporter's.
func BenchmarkScrape(b *testing.B) {
	for _, test := range []struct {
		name, header string
		tls          bool
	}{
		{name: "plain"},
		{name: "TLS", tls: true},
		{name: "gzip", header: "Accept-Encoding: gzip\r\n"},
		{name: "Prometheus", header: "Accept-Encoding: gzip\r\nUser-Agent: Prometheus/3.0.0\r\nAccept: " + prometheusAccept + "\r\n"},
	} {
		b.Run(test.name, func(b *testing.B) {
			exporter := start(b, "modules: {small: {extends: app, http: {client: {tls_config: {insecure_skip_verify: true}}}}}")
			s := connect(b, exporter.Listener.Addr().String())
			request := fmt.Appendf(nil, "GET /probe?module=small&target=%s HTTP/1.1\r\nHost: exporter\r\nX-Prometheus-Scrape-Timeout-Seconds: 60\r\n%s\r\n",
				url.QueryEscape(fixedTarget(b, healthy, test.tls)), test.header)
			if answer := s.scrape(b, request); test.header == "" && !bytes.Contains(answer, []byte("\nprobe_success 1\n")) {
				b.Fatalf("the probe failed: %s", answer)
			}
			b.ReportAllocs()
			for b.Loop() {
				s.scrape(b, request)
			}
		})
	}
}

// A scraper asks on one connection.
type scraper struct {
	net.Conn
	buffer []byte
}

func connect(b *testing.B, address string) *scraper {
	b.Helper()
	conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	return &scraper{conn, make([]byte, 64<<10)}
}

// scrape returns the answer to a request. It must have a Content-Length, as
// net/http gives to what is small.
func (s *scraper) scrape(b *testing.B, request []byte) []byte {
	if _, err := s.Write(request); err != nil {
		b.Fatal(err)
	}
	for n := 0; ; {
		more, err := s.Read(s.buffer[n:])
		if err != nil {
			b.Fatal(err)
		}
		n += more
		header, body, whole := bytes.Cut(s.buffer[:n], []byte("\r\n\r\n"))
		if !whole {
			continue
		}
		_, after, _ := bytes.Cut(header, []byte("\r\nContent-Length: "))
		length, _, _ := bytes.Cut(after, []byte("\r\n"))
		size, err := strconv.Atoi(string(length))
		if err != nil {
			b.Fatalf("the answer has no length: %s", header)
		}
		if len(body) >= size {
			return body
		}
	}
}

// fixedTarget serves one document to every request and returns its URL.
func fixedTarget(b *testing.B, document string, secure bool) string {
	b.Helper()
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	scheme := "http://"
	if secure {
		certified := httptest.NewTLSServer(nil)
		listener, scheme = tls.NewListener(listener, certified.TLS), "https://"
		certified.Close()
	}
	b.Cleanup(func() { listener.Close() })
	answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(document), document)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				buffer := make([]byte, 4096)
				for n := 0; ; {
					more, err := conn.Read(buffer[n:])
					if err != nil {
						return
					}
					if n += more; !bytes.HasSuffix(buffer[:n], []byte("\r\n\r\n")) {
						continue
					}
					n = 0
					if _, err := conn.Write(answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return scheme + listener.Addr().String() + "/status"
}
