//go:build linux

package soak_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"testing"
)

// What a target does.
const (
	healthy = iota
	hangs
	dead
)

// A target serves its own number.
type target struct {
	number  int
	does    int
	address string
}

// newTargets starts n targets, of which a tenth hang and a tenth are dead. close
// ends them.
func newTargets(t *testing.T, n int) (targets []target, stop func()) {
	t.Helper()
	numbers := make(map[string]*target, n)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		address := r.Context().Value(http.LocalAddrContextKey).(net.Addr).String()
		of := numbers[address]
		if of.does == hangs {
			<-r.Context().Done()
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"value": %d}`, of.number)
	})}
	targets = make([]target, n)
	listeners := make([]net.Listener, 0, n)
	for i := range targets {
		of := &targets[i]
		of.number = i + 1
		switch i % 10 {
		case 3:
			of.does = dead
			of.address = deadAddress(t)
			continue
		case 7:
			of.does = hangs
		}
		l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		of.address = l.Addr().String()
		numbers[of.address] = of
		listeners = append(listeners, l)
	}
	for _, l := range listeners {
		go server.Serve(l)
	}
	return targets, func() { server.Close() }
}

// deadAddress returns the address of a port that is taken and refuses every
// connection until the test ends.
func deadAddress(t *testing.T) string {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", bound.(*syscall.SockaddrInet4).Port)
}
