package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
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
}

type hopKey struct{}

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
	conn, err := d.Dialer.DialContext(h.ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &heldConn{conn, context.AfterFunc(h.ctx, func() { _ = conn.Close() })}, nil
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

// A heldConn is closed at the end of the exchange that made it until it is
// released to whoever uses it.
type heldConn struct {
	net.Conn
	release func() bool
}

// release lets the connection below conn outlive the exchange that made it.
func release(conn net.Conn) {
	for {
		switch c := conn.(type) {
		case *tls.Conn:
			conn = c.NetConn()
		case *heldConn:
			c.release()
			return
		default:
			return
		}
	}
}
