package fetch

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
)

// unaskedLimit is how many bytes a target may send while nobody asks it anything: more
// than what keeps a connection of HTTP/2 alive for as long as it is kept, and what is
// under way of a body that nobody reads.
const unaskedLimit = 64<<10 + streamWindow

var errUnasked = fmt.Errorf("the target sends what nobody asked for: %w", net.ErrClosed)

// A heldConn is closed at the end of the exchange that made it until one has it.
// From then on it holds nothing of that exchange: an idle connection must not keep the
// memory of a scrape. It is closed as well where it would go on to cost something
// with nobody asking: after an exchange that failed, once no other is in flight on it,
// as net/http keeps connections of HTTP/2 whatever comes on them; and where the target
// sends more than it may between exchanges.
type heldConn struct {
	net.Conn

	mu             sync.Mutex
	stop           func() bool // releases it from the exchange that made it; nil: it is
	ended          bool        // it was closed here
	users          int         // exchanges in flight on it
	spoiled        bool        // one of them failed
	received       int64       // bytes, ever
	receivedAtRest int64       // as many were received when the last exchange ended
}

// newHeldConn returns conn, which is closed when ctx ends, until an exchange has it.
func newHeldConn(ctx context.Context, conn net.Conn) *heldConn {
	c := &heldConn{Conn: conn}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stop = context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.stop != nil {
			c.end()
		}
	})
	return c
}

func (c *heldConn) end() {
	c.ended = true
	_ = c.Conn.Close()
}

// endedHere tells whether c was closed here, and not by the target. An exchange may have
// chosen it just before.
func (c *heldConn) endedHere() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// heldBelow returns the connection to the target below those of TLS.
func heldBelow(conn net.Conn) *heldConn {
	for {
		switch c := conn.(type) {
		case *tls.Conn:
			conn = c.NetConn()
		case *heldConn:
			return c
		default:
			return nil
		}
	}
}

func (c *heldConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.received += int64(n)
	if c.stop == nil && c.users == 0 && c.received-c.receivedAtRest > unaskedLimit {
		c.end()
		return 0, errUnasked
	}
	return n, err
}

// enter begins an exchange. It returns how much was received before.
func (c *heldConn) enter() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stop != nil {
		c.stop()
		c.stop = nil
	}
	c.users++
	return c.received
}

// leave ends an exchange. spoiled tells that it failed, or was broken off.
func (c *heldConn) leave(spoiled bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.users--
	c.receivedAtRest = c.received
	c.spoiled = c.spoiled || spoiled
	if c.users == 0 && c.spoiled {
		c.end()
	}
}

// sinceThen returns how many bytes came after those that enter told of.
func (c *heldConn) sinceThen(received int64) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.received - received
}
