package fetch

import (
	"context"
	"net"
	"net/url"

	"status_exporter/collector/query"
)

// An aim is what a target means to a client: who is asked, and the requests that
// are the same in every probe. It is never changed.
type aim struct {
	base   *url.URL
	origin origin
	shown  string  // the target as it may be shown
	peer   string  // the same for all targets of one server
	calls  []*call // by document; nil: made for each probe
}

// aimLimit is how many a client keeps, and aimBytes how long their targets are at most:
// whoever may ask for a probe chooses them.
const (
	aimLimit = 1000
	aimBytes = 512
)

// aim reads a target.
func (c *Client) aim(target string) (*aim, error) {
	u, o, err := parseTarget(target, c.options.scheme, c.options.port)
	if err != nil {
		return nil, err
	}
	a := &aim{u, o, shown(u), o.peer(), make([]*call, len(c.documents))}
	for i := range c.documents {
		if d := &c.documents[i]; d.isFixed() {
			// A mistake is told by the probe, which makes the call itself then.
			a.calls[i], _ = d.call(context.Background(), u, c.options.prefix, &query.Env{})
		}
	}
	return a, nil
}

// isFixed tells whether a request to one target is the same in every probe.
func (r *request) isFixed() bool {
	return r.path.isFixed() && r.body.isFixed() && len(r.prepared.varied)+len(r.prepared.values) == 0
}

// peer returns who is asked, whatever the scheme: HOST:PORT or unix:FILE.
func (o origin) peer() string {
	if o.socket != "" {
		return o.String()
	}
	return net.JoinHostPort(o.host, o.port)
}
