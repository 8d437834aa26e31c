package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"
)

// listen serves handler on every address until ctx ends, and then lets the
// scrapes that are in flight come to their end.
func listen(ctx context.Context, handler http.Handler, flags *toolkit.FlagConfig, logger *slog.Logger) error {
	if err := toolkit.Validate(*flags.WebConfigFile); err != nil {
		return fmt.Errorf("--web.config.file: %w", err)
	}
	flag, addresses := "web.listen-address", *flags.WebListenAddresses
	if flags.WebSystemdSocket != nil && *flags.WebSystemdSocket {
		flag, addresses = "web.systemd-socket", []string{"what systemd passes"}
	}
	// One server for each address: the toolkit changes the server that it is given.
	inFlight := &counter{idle: make(chan struct{}, 1)}
	servers := make([]*http.Server, len(addresses))
	failed := make(chan error, len(addresses))
	for i, address := range addresses {
		servers[i] = &http.Server{
			Handler:           inFlight.count(handler),
			ReadHeaderTimeout: 5 * time.Second,
			WriteTimeout:      15 * time.Minute, // a scrape has a shorter one of its own
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    64 << 10,
			ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
		}
		one := *flags
		one.WebListenAddresses = &[]string{address}
		go func() {
			err := toolkit.ListenAndServe(servers[i], &one, logger)
			failed <- fmt.Errorf("listening on %s (--%s): %w", address, flag, err)
		}()
	}
	select {
	case err := <-failed:
		for _, server := range servers {
			server.Close()
		}
		return err
	case <-ctx.Done():
	}
	logger.Info("stopping", "scrapes_in_flight", inFlight.now())
	shutDown(context.WithoutCancel(ctx), servers, inFlight)
	logger.Info("stopped")
	return nil
}

// checkAddress tells of an address of a flag that cannot be listened on, on
// whatever machine.
func checkAddress(ctx context.Context, flag, address string) error {
	if strings.HasPrefix(address, "vsock://") {
		return nil
	}
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = net.DefaultResolver.LookupPort(ctx, "tcp", port)
	}
	if err != nil {
		return fmt.Errorf("--%s is %q, expected a port with a colon before it, such as :9877 or 127.0.0.1:9877", flag, address)
	}
	return nil
}

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

// stopTime is how long requests in flight may hold up the end: a little less than what
// Kubernetes waits before it kills.
const stopTime = 25 * time.Second

// shutDown stops accepting requests, waits for those in flight, whose probes
// have deadlines, and closes what is left. ctx ends it sooner.
func shutDown(ctx context.Context, servers []*http.Server, inFlight *counter) {
	ctx, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	var group sync.WaitGroup
	for _, server := range servers {
		group.Go(func() {
			if server.Shutdown(ctx) != nil {
				server.Close()
			}
		})
	}
	for ctx.Err() == nil && inFlight.now() > 0 {
		select {
		case <-inFlight.idle:
		case <-ctx.Done():
		}
	}
	timer := time.AfterFunc(closeDelay, cancel)
	defer timer.Stop()
	group.Wait()
}
