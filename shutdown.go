package main

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// A counter counts the requests in flight.
type counter struct {
	mu   sync.Mutex
	n    int
	idle chan struct{} // holds something once n fell to 0
}

func (c *counter) add(delta int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += delta
	if c.n == 0 {
		select {
		case c.idle <- struct{}{}:
		default:
		}
	}
}

func (c *counter) now() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

func (c *counter) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.add(1)
		defer c.add(-1)
		next.ServeHTTP(w, r)
	})
}

// closeDelay is how long connections without a request may hold up the end:
// Shutdown waits seconds for a client that connected and never said anything.
const closeDelay = 300 * time.Millisecond

// shutDown stops accepting requests, waits for those in flight, whose probes
// have deadlines, and closes what is left. ctx ends it sooner.
func shutDown(ctx context.Context, servers []*http.Server, inFlight *counter) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var group sync.WaitGroup
	for _, server := range servers {
		group.Go(func() {
			if server.Shutdown(ctx) != nil {
				server.Close()
			}
		})
	}
	for inFlight.now() > 0 {
		<-inFlight.idle
	}
	timer := time.AfterFunc(closeDelay, cancel)
	defer timer.Stop()
	group.Wait()
}
