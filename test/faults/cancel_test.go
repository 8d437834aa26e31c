//go:build linux

package faults_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"status_exporter/test/faults/program"
)

// TestCancellation: when the client goes away everything stops, whatever the
// probe is doing, and nothing is left.
func TestCancellation(t *testing.T) {
	const many = 900_000 // values, under the limit
	tests := map[string]struct {
		module string
		target func(*testing.T, chan<- struct{}) string
		most   time.Duration
	}{
		"connecting": {"shop", func(t *testing.T, begun chan<- struct{}) string {
			return strings.Replace(listen(t, func(net.Conn) { begun <- struct{}{} }), "http:", "https:", 1)
		}, 100 * time.Millisecond},
		"waiting": {"shop", func(t *testing.T, begun chan<- struct{}) string {
			return raw(t, func(net.Conn) { begun <- struct{}{} })
		}, 100 * time.Millisecond},
		"reading": {"shop", func(t *testing.T, begun chan<- struct{}) string {
			return raw(t, func(c net.Conn) {
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
				begun <- struct{}{}
			})
		}, 100 * time.Millisecond},
		"decoding": {"documents", func(t *testing.T, begun chan<- struct{}) string {
			body := "[" + strings.Repeat("{},", many) + "{}]"
			return handles(func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, body)
				begun <- struct{}{}
			})(t)
		}, 250 * time.Millisecond},
		"mapping": {"loop", func(t *testing.T, begun chan<- struct{}) string {
			return handles(func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, healthy)
				time.AfterFunc(100*time.Millisecond, func() { begun <- struct{}{} })
			})(t)
		}, 250 * time.Millisecond},
		"mapping many": {"many", func(t *testing.T, begun chan<- struct{}) string {
			return handles(func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, healthy)
				time.AfterFunc(100*time.Millisecond, func() { begun <- struct{}{} })
			})(t)
		}, 250 * time.Millisecond},
		"searching a text": {"search", func(t *testing.T, begun chan<- struct{}) string {
			return handles(func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, `{"value": "`+strings.Repeat("a", 4<<20)+`"}`)
				time.AfterFunc(200*time.Millisecond, func() { begun <- struct{}{} })
			})(t)
		}, 250 * time.Millisecond},
		"decoding with a pattern": {"pattern", func(t *testing.T, begun chan<- struct{}) string {
			return handles(func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, strings.Repeat("a", 1<<20))
				time.AfterFunc(200*time.Millisecond, func() { begun <- struct{}{} })
			})(t)
		}, 250 * time.Millisecond},
		"decoding with a pattern that looks again": {"again", func(t *testing.T, begun chan<- struct{}) string {
			return handles(func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, strings.Repeat("k = ", 1<<18))
				time.AfterFunc(200*time.Millisecond, func() { begun <- struct{}{} })
			})(t)
		}, 250 * time.Millisecond},
	}
	exporter := start(t, configuration+`
  # One document after the other, so that decoding lasts.
  documents:
    documents: {a: {path: /a}, b: {path: /b}, c: {path: /c}, d: {path: /d}}
    metrics: [{name: shop_values, from: a, value: length}]
  loop: {metrics: [{name: shop_value, value: "last(range(1e18))"}]}
  many: {metrics: [{name: shop_value, each: "range(1e18)", labels: {n: .}, value: .}]}
  search: {metrics: [{name: shop_value, value: '.value | [match("(a|b|ab)*c"; "g")] | length'}]}
  pattern: {format: {regexp: {pattern: '(?P<x>(a|b|ab){1000}c)'}}, metrics: [{name: shop_value, value: .x}]}
  again: {format: {regexp: {pattern: '(?P<k>\w+)(?: = (?P<v>.*) end)?', repeat: true}}, metrics: [{name: shop_values, value: length}]}
`)
	rest := use(t, exporter)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Run("probe", func(t *testing.T) {
				begun := make(chan struct{}, 100)
				target := test.target(t, begun)
				took := canceled(t, exporter, "/probe?module="+test.module+"&target="+url.QueryEscape(target), begun)
				t.Logf("stopped after %v", took)
				if took > test.most && !program.Race {
					t.Errorf("stopped %v after the client went away, expected at most %v", took, test.most)
				}
			})
			left(t, exporter, rest)
		})
	}
}

// canceled makes a request, goes away once it has begun, and returns how long the
// exporter was still busy with it.
func canceled(t *testing.T, exporter *program.Exporter, path string, begun <-chan struct{}) time.Duration {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	answered := make(chan error, 1)
	go func() {
		_, err := exporter.Do(ctx, http.MethodGet, path)
		answered <- err
	}()
	select {
	case <-begun:
	case err := <-answered:
		t.Fatal("the request ended before it had begun:", err)
	case <-time.After(10 * time.Second):
		t.Fatal("the target was not asked")
	}
	// The first look may be slow, and is made before the clock runs.
	if n := inFlight(t, exporter); n != 1 {
		t.Fatalf("%v other requests are in flight, expected 1", n)
	}
	cancel()
	gone := time.Now()
	if err := <-answered; err == nil {
		t.Fatal("the request was answered")
	}
	program.Eventually(t, 5*time.Second, func() error {
		if n := inFlight(t, exporter); n > 0 {
			return fmt.Errorf("%v requests are still in flight", n)
		}
		return nil
	})
	return time.Since(gone)
}

// inFlight returns how many requests are in flight beside its own.
func inFlight(t *testing.T, exporter *program.Exporter) float64 {
	t.Helper()
	a, err := exporter.Get("/metrics")
	if err != nil {
		t.Fatal(err)
	}
	return a.Number("status_exporter_requests_in_flight") - 1
}
