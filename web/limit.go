package web

import (
	"fmt"
	"net/http"
	"sync"
)

// limitRequests returns a middleware that answers 503 where more than most
// requests are in flight. Work that piles up would make every scrape late.
func limitRequests(most int, m *Metrics) func(http.Handler) http.Handler {
	var places chan struct{}
	if most > 0 {
		places = make(chan struct{}, most)
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if places != nil {
				select {
				case places <- struct{}{}:
					defer func() { <-places }()
				default:
					m.tooMany(w, fmt.Sprintf("%d scrapes are in flight, which is the limit (--web.max-requests)", most))
					return
				}
			}
			m.inFlight.Inc()
			defer m.inFlight.Dec()
			next.ServeHTTP(w, r)
		})
	}
}

// tooMany answers a scrape that is one too many.
func (m *Metrics) tooMany(w http.ResponseWriter, message string) {
	m.rejected.Inc()
	w.Header().Set("Retry-After", "1")
	http.Error(w, message, http.StatusServiceUnavailable)
}

// A targetLimit bounds how many probes of one target are in flight: a target that
// hangs must not take the places of all others. Targets are told apart by
// collector.Probe.Peer.
type targetLimit struct {
	most int // 0 is no limit

	mu       sync.Mutex
	inFlight map[string]int
}

// enter counts a probe of a target; it is an error that there is no room for it. Each
// that entered must leave.
func (l *targetLimit) enter(target string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.most > 0 && l.inFlight[target] >= l.most {
		return fmt.Errorf("%d probes of %s are in flight, which is the limit (--probe.max-per-target)", l.most, target)
	}
	if l.inFlight == nil {
		l.inFlight = make(map[string]int)
	}
	l.inFlight[target]++
	return nil
}

func (l *targetLimit) leave(target string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inFlight[target]--; l.inFlight[target] == 0 {
		delete(l.inFlight, target)
	}
}
