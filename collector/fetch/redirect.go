package fetch

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"status_exporter/collector/document"
)

// redirectLimit is how many redirects in a row are followed.
const redirectLimit = 10

// follow makes a call, and those to which the target redirects it. trusted says
// that the call is to the target itself. Another host than that of the call gets
// neither credentials nor headers nor a body, nor does whoever it redirects to.
func (f *fetch) follow(ctx context.Context, c *call, trusted bool) (*answer, *document.Failure) {
	first := c.url
	var seen map[string]bool
	for hops := 0; ; hops++ {
		a, failure := f.send(ctx, c, trusted)
		if failure != nil || !f.redirects(a) {
			return a, failure
		}
		a.close()
		refuse := func(format string, args ...any) *document.Failure {
			return document.Failf(document.ReasonRedirect, "asking %s: %w", quoted(first), fmt.Errorf(format, args...))
		}
		if hops == redirectLimit {
			return nil, refuse("more than %d redirects, the last one at %s", hops, a.shown())
		}
		next, err := location(c.url, a.Header.Get("Location"))
		if err != "" {
			return nil, refuse("%s answered %s, %s", a.shown(), statusText(a.Response), err)
		}
		same := sameParty(c.url, next)
		if c = redirected(c, a.StatusCode, next, same); c.body != "" && !same {
			return nil, refuse("%s answered %s, and the body is not sent to another host (%s)", a.shown(), statusText(a.Response), quoted(next))
		}
		trusted = trusted && same
		if seen == nil {
			seen = make(map[string]bool)
		}
		key := c.method + " " + next.String()
		if seen[key] {
			return nil, refuse("it is redirected in a circle, back to %s", quoted(next))
		}
		seen[key] = true
	}
}

// redirects tells whether an answer is a redirect that is to be followed.
func (f *fetch) redirects(a *answer) bool {
	switch a.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return f.client.redirects && !f.stays && !accepts(f.options.valid, a.StatusCode)
	}
	return false
}

// location returns where a redirect or a link in the answer to u leads, or what
// is wrong with it.
func location(u *url.URL, header string) (*url.URL, string) {
	if header == "" {
		return nil, "without saying where to (Location)"
	}
	next, err := u.Parse(header)
	if err != nil {
		return nil, "and where to is not a URL"
	}
	next.Fragment, next.RawFragment, next.User = "", "", nil
	if next.Scheme != "http" && next.Scheme != "https" {
		return nil, "to an address that is neither http nor https"
	}
	if next.Host == "" {
		return nil, "to a URL without a host"
	}
	if socketOf(u) != "" && next.Host != u.Host {
		if next.Hostname() != "localhost" {
			return nil, "away from the unix socket"
		}
		next.Scheme, next.Host = u.Scheme, u.Host
	}
	if _, err := settle(next); err != nil {
		return nil, "to an address that cannot be asked: " + err.Error()
	}
	return next, ""
}

// redirected returns the call that follows a redirect (RFC 9110 section 15.4).
func redirected(c *call, code int, next *url.URL, same bool) *call {
	n := &call{method: c.method, url: next, header: c.header, host: c.host, body: c.body}
	if code != http.StatusTemporaryRedirect && code != http.StatusPermanentRedirect && c.method != http.MethodHead && c.method != http.MethodGet {
		n.method, n.body = http.MethodGet, ""
	}
	if !same {
		n.header, n.host = anonymous(c.header), ""
	}
	return n
}

// anonymous returns what of a header says nothing about who asks.
func anonymous(h http.Header) http.Header {
	out := make(http.Header)
	for _, name := range []string{"Accept", "Accept-Encoding", "Accept-Language", "User-Agent"} {
		if values := h[name]; values != nil {
			out[name] = values
		}
	}
	return out
}

// sameParty tells whether what may be sent to a may be sent to b: the same host
// and port, or the same host on the standard port of https instead of http's.
func sameParty(a, b *url.URL) bool {
	from, err := originOf(a)
	if err != nil {
		return false
	}
	to, err := originOf(b)
	if err != nil {
		return false
	}
	if from.host != to.host || from.socket != to.socket {
		return false
	}
	return from.scheme == to.scheme && from.port == to.port ||
		from.scheme == "http" && from.port == "80" && to.scheme == "https" && to.port == "443"
}
