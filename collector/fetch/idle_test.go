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

	"status_exporter/collector/fetch"
)

// TestIdlePeriods asks targets that close idle connections after 2, 5 and 75
// seconds every 1, 15 and 60 seconds, at a four-hundredth of these times.
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
					reused := 0
					for range probes {
						exchanges := one(t, read(t, c, s.URL)).Exchanges
						if exchanges[len(exchanges)-1].Reused {
							reused++
						}
						<-tick.C
					}
					t.Logf("%d of %d probes reused a connection", reused, probes)
				})
			}
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
