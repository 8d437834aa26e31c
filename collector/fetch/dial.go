package fetch

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"status_exporter/collector/document"
)

// A hop is one exchange as the transport below it sees it. net/http dials with a
// context that no longer ends with the request; the hop brings the context back,
// and says who is allowed.
type hop struct {
	ctx     context.Context
	origin  origin
	guard   *guard
	proxied bool // the connection goes to a proxy, which the configuration names
	sent    sentHeader
	trace   trace
	hooks   context.Context // by which net/http calls trace

	mu    sync.Mutex
	ended bool
	dials []context.CancelFunc // those that are made for it
}

// How often net/http may dial for one exchange. It does so again without a pause, until
// the deadline, where the target takes no request on a new connection, and where others
// took the connection, which tells nothing of the target.
const (
	mostRefused = 5   // where it was the first to use each of the connections
	mostDials   = 100 // where others used them, or nobody
)

// dialling returns the context of a dial, which ends with the exchange.
func (h *hop) dialling() (context.Context, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.trace.firsts() >= mostRefused:
		return nil, document.Failf(document.ReasonRead, "the target took the request on none of %d new connections: it ended them, or refused the request (GOAWAY or REFUSED_STREAM of HTTP/2)", mostRefused)
	case len(h.dials) >= mostDials:
		return nil, document.Failf(document.ReasonRead, "there was no room for the request on %d new connections: the target takes too few at once on each (SETTINGS of HTTP/2)", mostDials)
	}
	ctx, cancel := context.WithCancel(h.ctx)
	if h.ended {
		cancel()
	}
	h.dials = append(h.dials, cancel)
	return ctx, nil
}

// end ends the dials of an exchange.
func (h *hop) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	for _, cancel := range h.dials {
		cancel()
	}
}

// newHop returns the hop of an exchange within ctx.
func (c *Client) newHop(ctx context.Context, o origin, g *guard) *hop {
	h, _ := c.hops.Get().(*hop)
	if h == nil {
		h = &hop{}
		h.hooks = withTrace(context.Background(), &h.trace)
	}
	h.origin, h.guard = o, g
	h.ctx = &hopContext{ctx, h}
	return h
}

// recycle keeps a hop for another exchange where nothing can be told of it any
// more: its hooks are a good part of what a small scrape allocates. They are less than
// 1 KiB, not worth the lock of a spare.Pool for what a collection takes of them.
func (c *Client) recycle(h *hop) {
	if h.trace.reset() {
		h.ctx, h.origin, h.guard, h.proxied, h.ended = nil, origin{}, nil, false, false
		h.sent.set(nil)
		c.hops.Put(h)
	}
}

// A hopContext is the context of an exchange. It stays what it is when its hop is
// that of another one: net/http may hold it a little longer.
type hopContext struct {
	context.Context
	hop *hop
}

type hopKey struct{}

// Value returns the hop and its hooks beside what the context of the probe holds.
func (c *hopContext) Value(key any) any {
	if key == (hopKey{}) {
		return c.hop
	}
	if value := c.hop.hooks.Value(key); value != nil {
		return value
	}
	return c.Context.Value(key)
}

func hopOf(ctx context.Context) *hop {
	h, _ := ctx.Value(hopKey{}).(*hop)
	return h
}

// dialer connects for the exchange in whose context it is called, and only to
// addresses that the exchange may ask.
type dialer struct{ net.Dialer }

func newDialer() *dialer {
	return &dialer{net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 3},
		ControlContext:  checkAddress,
	}}
}

// DialContext connects to address, or to the unix socket of the exchange. The
// connection is closed when the exchange ends before it could use it: a TLS
// handshake or a proxy's answer that never comes holds nothing.
func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	h := hopOf(ctx)
	if h == nil {
		return nil, errors.New("dialled outside an exchange")
	}
	if h.origin.socket != "" {
		network, address = "unix", h.origin.socket
	}
	ctx, err := h.dialling()
	if err != nil {
		return nil, err
	}
	conn, err := d.Dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return newHeldConn(ctx, conn), nil
}

// checkAddress refuses the address that is about to be connected to, after name
// resolution, where the exchange may not ask it.
func checkAddress(ctx context.Context, network, address string, _ syscall.RawConn) error {
	h := hopOf(ctx)
	if h == nil || h.proxied || network == "unix" {
		return nil
	}
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return document.Failf(document.ReasonRefused, "the address %s cannot be checked: %w", address, err)
	}
	if err := h.guard.address(h.origin, ap.Addr()); err != nil {
		return &document.Failure{Reason: document.ReasonRefused, Err: err}
	}
	return nil
}
