package fetch

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"status_exporter/collector/document"
	"status_exporter/config/options"
)

// An answer is what came back on one exchange. Its body must be closed with
// close, which ends the exchange.
type answer struct {
	*http.Response
	fetch   *fetch
	call    *call
	hop     *hop
	trusted bool        // the target's own: it was sent the credentials
	whole   bool        // the body was read to its end
	unread  atomic.Bool // nobody waited for the rest of it
	ended   bool
}

// shown returns the URL as it may be shown.
func (a *answer) shown() string { return quoted(a.call.url) }

// quoted returns a URL as it may be shown, which a target may have chosen, and made long.
func quoted(u *url.URL) string { return options.Shorten(shown(u), options.Shown) }

// drainTime is how long the rest of an answer is waited for that nobody reads.
const drainTime = 20 * time.Millisecond

// close ends the exchange. What is left of a short body is read, so that the
// connection can be used again. With HTTP/2 it can as well where the body is long, or
// takes long: the target is told to send no more of it.
func (a *answer) close() {
	if a.ended {
		return
	}
	late := a.closeLate()
	_, err := io.CopyN(io.Discard, a.Body, 64<<10)
	late.Stop()
	a.whole = errors.Is(err, io.EOF)
	if err == nil {
		a.unread.Store(true)
	}
	a.drop()
}

// closeLate breaks off reading the body after drainTime.
func (a *answer) closeLate() *time.Timer {
	return time.AfterFunc(drainTime, func() {
		a.unread.Store(true)
		_ = a.Body.Close()
	})
}

// drop ends the exchange, and its connection where reading the body failed.
func (a *answer) drop() {
	_ = a.Body.Close()
	if !a.whole && !a.unread.Load() {
		a.hop.trace.spoil()
	}
	a.fetch.end(a.hop, a.call.method, a.call.url, a.Response)
	a.fetch.client.recycle(a.hop)
	a.ended = true
}

// send makes one exchange. trusted says that it is with the target itself, which
// gets the credentials. A connection may be closed while the request is on its way:
// nothing is known of the request then, and it is sent once more.
func (f *fetch) send(ctx context.Context, c *call, trusted bool) (*answer, *document.Failure) {
	a, failure, lost := f.try(ctx, c, trusted)
	if lost {
		a, failure, _ = f.try(ctx, c, trusted)
	}
	return a, failure
}

// try makes one exchange. lost tells that it failed because its connection ended before
// anything came back.
func (f *fetch) try(ctx context.Context, c *call, trusted bool) (a *answer, failure *document.Failure, lost bool) {
	o, err := f.originOf(c.url)
	if err != nil {
		return nil, document.Failf(document.ReasonRedirect, "asking %s: %w", quoted(c.url), err), false
	}
	h := f.client.newHop(ctx, o, f.client.guard)
	req := f.client.httpRequest(h.ctx, c, f.credential, trusted)
	if h.proxied, err = f.client.proxied(c.url); err != nil {
		f.end(h, c.method, c.url, nil)
		return nil, document.Failf(document.ReasonConnect, "asking %s: choosing a proxy: %w", quoted(c.url), err), false
	}
	if err := f.client.guard.name(o, h.proxied); err != nil {
		f.end(h, c.method, c.url, nil)
		return nil, &document.Failure{Reason: document.ReasonRefused, Err: err}, false
	}
	rt := f.client.bare
	if trusted {
		rt = f.client.trusted
	}
	r, err := rt.RoundTrip(req) //nolint:bodyclose // ending the exchange closes it
	if err != nil {
		failure, lost := failed(ctx, err, &h.trace, quoted(c.url)), h.trace.lost(err) && ctx.Err() == nil
		f.end(h, c.method, c.url, nil)
		return nil, failure, lost
	}
	if r.TLS != nil {
		f.noteExpiry(r)
	}
	f.doc.StatusCode, f.doc.Header = r.StatusCode, r.Header
	f.env.Status, f.env.Header, f.env.Headers = r.StatusCode, r.Header, nil
	return &answer{Response: r, fetch: f, call: c, hop: h, trusted: trusted}, nil, false
}

// originOf returns who a URL asks, which mostly is the target of the probe.
func (f *fetch) originOf(u *url.URL) (origin, error) {
	if u.Scheme == f.base.Scheme && u.Host == f.base.Host {
		return f.origin, nil
	}
	return originOf(u)
}

// httpRequest makes a call the request of net/http.
func (c *Client) httpRequest(ctx context.Context, call *call, own *credential, trusted bool) *http.Request {
	req := blank.WithContext(ctx) // which copies it
	req.Method, req.URL, req.Host, req.Header = call.method, call.url, call.host, call.header
	if req.Host == "" && socketOf(call.url) != "" {
		req.Host = "localhost"
	}
	if call.body != "" {
		req.ContentLength = int64(len(call.body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(call.body)), nil }
		req.Body, _ = req.GetBody()
	}
	if trusted && own != nil {
		req.Header = own.addTo(req.Header)
	}
	return req
}

// blank is what all requests begin as.
var blank = &http.Request{Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}

// proxied tells whether a request goes through a proxy.
func (c *Client) proxied(u *url.URL) (bool, error) {
	if c.proxy == nil || socketOf(u) != "" {
		return false, nil
	}
	u, err := c.proxy(&http.Request{URL: u})
	return u != nil, err
}

// end ends an exchange and its measurement, and adds it to the document. r is nil
// where no answer came.
func (f *fetch) end(h *hop, method string, u *url.URL, r *http.Response) {
	h.end()
	phases := h.trace.finish()
	f.doc.Phases.Add(phases)
	sent := h.sent.get()
	f.addSecretsSent(sent)
	f.addSecretsOf(u)
	if !f.explain && f.excerpt == 0 {
		return // nobody reads more
	}
	e := document.Exchange{Method: method, URL: quoted(u), Phases: phases}
	_, e.Address, e.Reused = h.trace.reached()
	e.RequestHeader = hidden(sent, f.client.secretHeaders)
	if r != nil {
		e.Proto, e.Status, e.ResponseHeader = r.Proto, statusText(r), f.answered(r.Header)
		e.Resumed = r.TLS != nil && r.TLS.DidResume
	}
	f.doc.Exchanges = append(f.doc.Exchanges, e)
}

// addSecretsSent adds the secrets of a header as it was sent, but for those that are known
// from the exchange before: a target chooses how large its cookies are, and how many pages
// are asked for with them.
func (f *fetch) addSecretsSent(h http.Header) {
	if f.sent != nil && maps.EqualFunc(f.sent, h, slices.Equal) {
		return
	}
	if secrets := f.client.secretsSent(h); len(secrets) > 0 {
		f.sent, f.doc.Secrets = h, append(f.doc.Secrets, secrets...)
	}
}

// What is taken for a secret in the URLs of one document: a target may lead to long ones,
// one after the other, and all secrets are searched for in what is shown of a probe.
const (
	queryLimit  = 16 << 10 // bytes of one query that are looked at
	secretLimit = 2000     // where no other URL is looked at
)

// addSecretsOf adds what stands in the query of a URL under a name that suggests a
// credential.
func (f *fetch) addSecretsOf(u *url.URL) {
	if u.RawQuery == "" || f.inURLs >= secretLimit {
		return
	}
	before := len(f.doc.Secrets)
	f.doc.Secrets = addSensitivePairs(f.doc.Secrets, u.RawQuery[:min(len(u.RawQuery), queryLimit)])
	f.inURLs += len(f.doc.Secrets) - before
}

// noteExpiry keeps the earliest end of validity of the certificates shown.
func (f *fetch) noteExpiry(r *http.Response) {
	for _, c := range r.TLS.PeerCertificates {
		if f.doc.EarliestCertExpiry.IsZero() || c.NotAfter.Before(f.doc.EarliestCertExpiry) {
			f.doc.EarliestCertExpiry = c.NotAfter
		}
	}
}

// answered returns the header of an answer as it may be shown in a report. It is
// the target's word, which may be what it was sent: what a header of the target's
// own says is shown only where the document is.
func (f *fetch) answered(h http.Header) http.Header {
	out := hidden(h, f.client.secretHeaders).Clone()
	for name, values := range out {
		if f.excerpt == 0 && !ordinary[name] && out.Get(name) != "<secret>" {
			out[name] = []string{"..."}
			continue
		}
		for i, value := range values {
			values[i] = options.Shorten(value, options.Shown)
		}
	}
	return out
}

// ordinary are the headers whose values every server makes by itself.
var ordinary = map[string]bool{
	"Age": true, "Allow": true, "Cache-Control": true, "Connection": true, "Content-Encoding": true,
	"Content-Length": true, "Content-Type": true, "Date": true, "Expires": true, "Keep-Alive": true,
	"Last-Modified": true, "Link": true, "Location": true, "Pragma": true, "Retry-After": true,
	"Server": true, "Transfer-Encoding": true, "Vary": true,
}

// hidden returns a header as it may be shown: without those that are secrets and
// what may be one. It is the same header where it holds none.
func hidden(h http.Header, secrets map[string]bool) http.Header {
	out, cloned := h, false
	hide := func(name string, values []string) {
		if !cloned {
			out, cloned = h.Clone(), true
		}
		out[name] = values
	}
	for name, values := range h {
		switch {
		case len(values) == 0:
			continue
		case secrets[name] || sensitive(name):
			hide(name, []string{"<secret>"})
		case name == "Location" || name == "Content-Location" || name == "Link" || name == "Refresh" || name == "Referer":
			shown := make([]string, len(values))
			for i, value := range values {
				shown[i] = withoutValues(value)
			}
			hide(name, shown)
		}
	}
	return out
}

// withoutValues cuts the query values and user names of the URLs in a header.
func withoutValues(value string) string {
	var out strings.Builder
	for link := range strings.SplitAfterSeq(value, ">") {
		before, _, hasQuery := strings.Cut(link, "?")
		if scheme := strings.Index(before, "//"); scheme >= 0 {
			if at := strings.LastIndexByte(before, '@'); at > scheme {
				before = before[:scheme+2] + before[at+1:]
			}
		}
		out.WriteString(before)
		if hasQuery {
			out.WriteString("?...")
			if strings.HasSuffix(link, ">") {
				out.WriteByte('>')
			}
		}
	}
	return out.String()
}
