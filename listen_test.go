package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestStopIsBounded: requests that never end hold up the end only for a time.
func TestStopIsBounded(t *testing.T) {
	inFlight := &counter{idle: make(chan struct{}, 1)}
	entered, leave := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(inFlight.count(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(entered)
		<-leave
	})))
	defer server.Close()
	defer close(leave)
	go func() {
		if resp, err := http.Get(server.URL); err == nil {
			resp.Body.Close()
		}
	}()
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	stopped := make(chan struct{})
	go func() {
		shutDown(ctx, []*http.Server{server.Config}, inFlight)
		close(stopped)
	}()
	select {
	case <-stopped:
	case <-time.After(20 * time.Second):
		t.Error("a request that never ends keeps the exporter from ending")
	}
}
