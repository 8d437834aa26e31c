package demo

import (
	"encoding/json"
	"net/http"
	"time"
)

// Status is what /status answers.
type Status struct {
	CurrentRequests int     `json:"current_requests"` // requests to / that are being worked on
	PendingRequests int     `json:"pending_requests"` // requests to / that wait for a worker
	TotalUptime     float64 `json:"total_uptime"`     // seconds since the start
	Health          string  `json:"health"`           // Healthy or Unhealthy
}

// The values of Status.Health. The application is unhealthy as long as its
// queue is full, and when the last ten requests have failed until one succeeds.
const (
	Healthy   = "healthy"
	Unhealthy = "unhealthy"
)

// Status returns what the application is doing, all of the same moment.
func (a *App) Status() Status {
	working, waiting, healthy := a.queue.load()
	s := Status{working, waiting, time.Since(a.started).Seconds(), Unhealthy}
	if healthy {
		s.Health = Healthy
	}
	return s
}

func (a *App) serveStatus(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(a.Status()) // a client that has gone misses nothing
}
