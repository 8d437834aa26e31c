package fetch

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"status_exporter/collector/document"
)

// An answer is what came back on one exchange. Its body must be closed with
// close, which ends the exchange.
type answer struct {
	*http.Response
	trusted bool   // the target's own: it was sent the credentials
	shown   string // the URL as it may be shown
	trace   *trace
	cancel  context.CancelFunc
	finish  func() // nil once the exchange has ended
}

// drainTime is how long the rest of an answer is waited for that nobody reads.
const drainTime = 20 * time.Millisecond

// close ends the exchange. What is left of a short body is read, so that the
// connection can be used again.
func (a *answer) close() {
	if a.finish == nil {
		return
	}
	late := time.AfterFunc(drainTime, a.cancel)
	_, _ = io.CopyN(io.Discard, a.Body, 64<<10)
	late.Stop()
	a.drop()
}

// drop ends the exchange, and its connection where the body was not read.
func (a *answer) drop() {
	_ = a.Body.Close()
	a.finish()
	a.finish = nil
}

// send makes one exchange. trusted says that it is with the target itself, which
// gets the credentials. The target may close a kept connection while the request
// is on its way: nothing is known of the request then, and it is sent once more.
func (f *fetch) send(ctx context.Context, c *call, trusted bool) (*answer, *document.Failure) {
	a, failure, lost := f.try(ctx, c, trusted)
	if lost {
		a, failure, _ = f.try(ctx, c, trusted)
	}
	return a, failure
}

// try makes one exchange. lost tells that it failed because a kept connection was
// closed before anything came back.
func (f *fetch) try(ctx context.Context, c *call, trusted bool) (a *answer, failure *document.Failure, lost bool) {
	url := shown(c.url)
	o, err := originOf(c.url)
	if err != nil {
		return nil, document.Failf(document.ReasonRedirect, "asking %s: %w", url, err), false
	}
	ctx, cancel := context.WithCancel(ctx)
	h, t := &hop{origin: o, guard: f.client.guard}, &trace{}
	h.ctx = withTrace(context.WithValue(ctx, hopKey{}, h), t)
	req := f.client.httpRequest(h.ctx, c, f.credential, trusted)
	exchange := document.Exchange{Method: c.method, URL: url}
	finish := func() {
		cancel()
		t.finish()
		f.record(&exchange, h, t)
	}
	if h.proxied, err = f.client.proxied(req); err != nil {
		finish()
		return nil, document.Failf(document.ReasonConnect, "asking %s: choosing a proxy: %w", url, err), false
	}
	if err := f.client.guard.name(o, h.proxied); err != nil {
		finish()
		return nil, &document.Failure{Reason: document.ReasonRefused, Err: err}, false
	}
	rt := f.client.bare
	if trusted {
		rt = f.client.trusted
	}
	r, err := rt.RoundTrip(req) //nolint:bodyclose // ending the exchange closes it
	if err != nil {
		failure, lost := failed(ctx, err, t, url), t.lost(err) && ctx.Err() == nil
		finish()
		return nil, failure, lost
	}
	exchange.Proto, exchange.Status, exchange.ResponseHeader = r.Proto, statusText(r), f.answered(r.Header)
	if r.TLS != nil {
		exchange.Resumed = r.TLS.DidResume
		f.noteExpiry(r)
	}
	f.doc.StatusCode, f.doc.Header = r.StatusCode, r.Header
	return &answer{Response: r, trusted: trusted, shown: url, trace: t, cancel: cancel, finish: finish}, nil, false
}

// httpRequest makes a call the request of net/http.
func (c *Client) httpRequest(ctx context.Context, call *call, own *credential, trusted bool) *http.Request {
	req := &http.Request{
		Method: call.method, URL: call.url, Host: call.host, Header: call.header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
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
	return req.WithContext(ctx)
}

// proxied tells whether a request goes through a proxy.
func (c *Client) proxied(req *http.Request) (bool, error) {
	if c.proxy == nil || socketOf(req.URL) != "" {
		return false, nil
	}
	u, err := c.proxy(req)
	return u != nil, err
}

// record adds a finished exchange to the document.
func (f *fetch) record(e *document.Exchange, h *hop, t *trace) {
	t.mu.Lock()
	e.Phases, e.Address, e.Reused = t.phases, t.address, t.reused
	t.mu.Unlock()
	h.sent.mu.Lock()
	e.RequestHeader = hidden(h.sent.header, f.client.secretHeaders)
	h.sent.mu.Unlock()
	f.doc.Exchanges = append(f.doc.Exchanges, *e)
	f.doc.Phases.Add(e.Phases)
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
	switch {
	case f.excerpt > 0:
		return hidden(h, f.client.secretHeaders)
	case !f.explain:
		return nil
	}
	out := hidden(h, f.client.secretHeaders).Clone()
	for name := range out {
		if !ordinary[name] && out.Get(name) != "<secret>" {
			out[name] = []string{"..."}
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
