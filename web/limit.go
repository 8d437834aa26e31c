package web

import (
	"net/http"
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
					m.rejected.Inc()
					w.Header().Set("Retry-After", "1")
					http.Error(w, "too many scrapes are in flight (--web.max-requests)", http.StatusServiceUnavailable)
					return
				}
			}
			m.inFlight.Inc()
			defer m.inFlight.Dec()
			next.ServeHTTP(w, r)
		})
	}
}
