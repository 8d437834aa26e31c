package fetch_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"status_exporter/collector/document"
	"status_exporter/collector/fetch"
)

// TestIdlePeriods asks targets that close idle connections after 2, 5 and 75
// seconds every 1, 15 and 60 seconds, at a four-hundredth of these times. A probe that
// comes before the connection is closed reuses it.
func TestIdlePeriods(t *testing.T) {
	const second = time.Second / 400
	for _, idle := range []int{2, 5, 75} {
		for _, every := range []int{1, 15, 60} {
			for _, method := range []string{"GET", "POST"} {
				t.Run(fmt.Sprintf("%s every %d s, closed after %d s", method, every, idle), func(t *testing.T) {
					t.Parallel()
					s := httptest.NewUnstartedServer(text("{}"))
					s.Config.IdleTimeout = time.Duration(idle) * second
					s.Start()
					defer s.Close()
					c := newClient(t, "http: {method: "+method+", body: x}", fetch.Settings{})
					tick := time.NewTicker(time.Duration(every) * second)
					defer tick.Stop()
					const probes = 6
					due, reused := 0, 0
					var before time.Time
					for range probes {
						began := time.Now()
						exchanges := one(t, read(t, c, s.URL)).Exchanges
						was := exchanges[len(exchanges)-1].Reused
						if was {
							reused++
						}
						// The target counts from its last answer, which came after the
						// probe before began; a slow machine may take longer than it waits.
						if time.Since(before) < s.Config.IdleTimeout {
							due++
							if !was {
								t.Error("a probe within the idle time did not reuse the connection")
							}
						}
						before = began
						<-tick.C
					}
					t.Logf("%d of %d probes reused a connection, %d had to", reused, probes, due)
				})
			}
		}
	}
}

// TestBrokenAnswers asks a target that breaks off its second answer on a
// connection. It has read the request then, which is not sent again.
func TestBrokenAnswers(t *testing.T) {
	const early, broken = "the answer ended early: the target closed the connection", "the answer is not HTTP (RFC 9112, RFC 9113)"
	for _, test := range []struct {
		name, part string
		reason     document.Reason
		want       string
	}{
		{"one byte", "H", document.ReasonProtocol, broken},
		{"half a line", "HTTP/1.1 200 OK\r\nContent-Le", document.ReasonProtocol, broken},
		{"half a header", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", document.ReasonRead, early},
		{"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{", document.ReasonRead, early},
	} {
		for _, method := range []string{"GET", "POST"} {
			t.Run(method+" "+test.name, func(t *testing.T) {
				var asked atomic.Int32
				target := "http://" + listen(t, false, func(c net.Conn) {
					in := bufio.NewReader(c)
					for _, answer := range []string{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", test.part} {
						r, err := http.ReadRequest(in)
						if err != nil {
							return
						}
						_, _ = io.Copy(io.Discard, r.Body)
						asked.Add(1)
						_, _ = io.WriteString(c, answer)
					}
				})
				c := newClient(t, "http: {method: "+method+", body: x}", fetch.Settings{})
				one(t, read(t, c, target))
				docs := read(t, c, target)
				contains(t, failure(t, docs, test.reason), "asking "+target+"/: "+test.want)
				if e := docs[0].Exchanges; len(e) != 1 || !e[0].Reused {
					t.Errorf("got the exchanges %+v, want one on the kept connection", e)
				}
				if asked.Load() != 2 {
					t.Errorf("the target was asked %d times, want 2", asked.Load())
				}
			})
		}
	}
}

// TestManyDeadConnections asks a target that lets go of kept connections only when
// they are used again.
func TestManyDeadConnections(t *testing.T) {
	const kept = 5
	for _, method := range []string{"GET", "POST"} {
		t.Run(method, func(t *testing.T) {
			var arrived atomic.Int32
			all := make(chan struct{})
			target := "http://" + listen(t, true, func(c net.Conn) {
				if arrived.Add(1) == kept {
					close(all)
				}
				<-all // every probe of the first round has its own connection
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
				_, _ = http.ReadRequest(bufio.NewReader(c))
			})
			c := newClient(t, "http: {method: "+method+", body: x}", fetch.Settings{})
			var round sync.WaitGroup
			for range kept {
				round.Go(func() {
					p, err := c.Probe(fetch.Request{Target: target})
					if err != nil {
						t.Error(err)
					} else if doc := p.Read(t.Context())[0]; doc.Failure != nil {
						t.Error(doc.Failure)
					}
				})
			}
			round.Wait()
			one(t, read(t, c, target))
		})
	}
}
