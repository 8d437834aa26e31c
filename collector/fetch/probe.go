package fetch

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"status_exporter/collector/document"
	"status_exporter/collector/query"
	"status_exporter/collector/tree"
	"status_exporter/config/options"
)

// A Request says what one probe asks.
type Request struct {
	Target  string         // http://host:port/path, https://…, host, host:port, unix:/run/name.sock:/path
	Vars    map[string]any // $vars in the module's requests
	Excerpt int            // how many bytes of each document to keep; 0: none
	Explain bool           // keep the headers of answers for a report
	Share   document.Share // nil: there is no bound on what all probes together use
}

// A Probe asks one target for the documents of a module.
type Probe struct {
	*aim
	client  *Client
	request Request
}

// Probe returns the probe of a target. The error is a *BadTargetError where the
// target cannot be asked as it is written, and a *RefusedError where its URL
// already says that it may not be. Nothing has been sent yet.
func (c *Client) Probe(r Request) (*Probe, error) {
	a, kept := c.aims.Get(r.Target)
	if !kept {
		var err error
		if a, err = c.aim(r.Target); err != nil {
			return nil, err
		}
	}
	proxied, err := c.proxied(a.base)
	if err != nil {
		return nil, fmt.Errorf("choosing a proxy for %s: %w", a.shown, err)
	}
	if err := c.guard.name(a.origin, proxied); err != nil {
		return nil, err
	}
	if !kept && len(r.Target) <= aimBytes {
		c.aims.Add(strings.Clone(r.Target), a, aimLimit)
	}
	return &Probe{a, c, r}, nil
}

// Target returns the target as it may be shown: normalised, without query values.
func (p *Probe) Target() string { return p.shown }

// Peer returns who is asked: HOST:PORT or unix:FILE. It is the same for all spellings
// and paths of one server.
func (p *Probe) Peer() string { return p.peer }

// Read asks for the documents of the module, side by side, and decodes them. Each
// has a value or a Failure; reading never fails as a whole. It ends when ctx does.
func (p *Probe) Read(ctx context.Context) []*document.Document {
	docs := make([]*document.Document, len(p.client.documents))
	if len(docs) == 1 {
		docs[0], _ = p.read(ctx, 0)
	} else {
		var wg sync.WaitGroup
		var awaited atomic.Int32
		awaited.Store(int32(len(docs)))
		for i := range docs {
			wg.Go(func() {
				var works bool
				docs[i], works = p.read(ctx, i)
				if awaited.Add(-1) > 0 && works { // others may keep the probe waiting
					p.request.Share.Rest()
				}
			})
		}
		wg.Wait()
	}
	if p.client.closed.Load() {
		p.client.closeIdle()
	}
	return docs
}

// read has one document, and tells whether it still works on it. A panic costs only
// that document: what a target sends must not end the exporter.
func (p *Probe) read(ctx context.Context, i int) (doc *document.Document, works bool) {
	o := &p.client.documents[i]
	doc = &document.Document{Name: o.name, Optional: o.optional, Bytes: -1}
	f := &fetch{
		client: p.client, options: o, doc: doc, aim: p.aim, excerpt: p.request.Excerpt, explain: p.request.Explain, share: p.request.Share,
		// An expression may write to the variables.
		env: query.Env{Target: p.Target(), Vars: maps.Clone(p.request.Vars)},
	}
	defer func() {
		if r := recover(); r != nil {
			doc.Value = nil
			doc.Failure = document.Failf(document.ReasonInternal, "asking %s: the exporter failed: %v\n%s", p.Target(), r, debug.Stack())
		}
		works = f.works
	}()
	doc.Secrets, doc.Names = p.client.secretsWritten(), p.client.userNames
	c := p.calls[i]
	if c == nil {
		var err error
		if c, err = o.call(ctx, p.base, p.client.options.prefix, &f.env); err != nil {
			doc.Failure = document.AsFailure(ctx, document.ReasonInternal, fmt.Errorf("asking %s: %w", p.Target(), err))
			return doc, false
		}
	}
	f.session = p.client.session(p.origin)
	if o.pages == nil {
		doc.Value, doc.Failure = f.document(ctx, c, true)
	} else {
		doc.Value, doc.Failure = f.pages(ctx, c)
	}
	return doc, f.works
}

// A fetch is the making of one document.
type fetch struct {
	*aim
	client     *Client
	options    *documentOptions
	doc        *document.Document
	env        query.Env // of the requests, and of what is asked of the answers
	excerpt    int
	explain    bool
	share      document.Share
	works      bool        // the share waits for it to rest
	session    *session    // nil: no login and no token
	credential *credential // of the session; nil: none
	stays      bool        // redirects are not followed
	last       *url.URL    // where the last document came from
	own        bool        // it is the target's own: no other host had a hand in it
	sent       http.Header // the last one that held secrets
	inURLs     int         // secrets that were found in URLs
}

// document makes a call and decodes the answer.
func (f *fetch) document(ctx context.Context, c *call, trusted bool) (any, *document.Failure) {
	if f.works { // on the page before
		f.works = false
		f.share.Rest()
	}
	a, failure := f.ask(ctx, c, trusted)
	if failure != nil {
		return nil, failure
	}
	f.last, f.own = a.call.url, a.trusted
	if !accepts(f.options.valid, a.StatusCode) {
		return nil, f.badStatus(a, c)
	}
	read := max(f.doc.Bytes, 0)
	body, failure := f.body(ctx, a, bodyBound{f.options.bodyLimit, read, "body_size_limit"})
	if failure != nil {
		return nil, failure
	}
	f.doc.Bytes = read + int64(len(body))
	if room := f.excerpt - len(f.doc.Excerpt); room > 0 {
		f.doc.Excerpt = append(f.doc.Excerpt, body[:min(room, len(body))]...)
	}
	value, failure := f.decode(ctx, body, a)
	f.env.Root = value
	if failure == nil && f.options.failWhen != nil {
		failure = f.told(ctx, value, a)
	}
	if failure != nil {
		return nil, failure
	}
	return value, nil
}

// badStatus returns the failure of an answer whose status is not accepted.
func (f *fetch) badStatus(a *answer, c *call) *document.Failure {
	defer a.close()
	if a.StatusCode == http.StatusBadRequest && c.url.Scheme == "http" && speaksTLS(a) {
		return document.Failf(document.ReasonProtocol, "asking %s: the target speaks TLS on this port, expected plain HTTP; ask it with https://", a.shown())
	}
	hint := ""
	switch {
	case !a.trusted:
		hint = "; it was redirected to another host or port, which gets no credentials"
	case a.StatusCode >= 300 && a.StatusCode < 400 && !f.client.redirects:
		hint = "; redirects are not followed (follow_redirects)"
	}
	return document.Failf(document.ReasonStatus, "asking %s: the target answered %s, expected %s%s",
		a.shown(), statusText(a.Response), codes(f.options.valid), hint)
}

// speaksTLS tells whether a 400 is how a web server answers plain HTTP on a port
// for TLS: all known ones say so in the first lines.
func speaksTLS(a *answer) bool {
	late := a.closeLate()
	defer late.Stop()
	text, _ := io.ReadAll(io.LimitReader(a.Body, 1024))
	return strings.Contains(string(text), "HTTPS") || strings.Contains(string(text), "SSL-enabled")
}

func codes(valid []int) string {
	if valid == nil {
		return "2xx"
	}
	words := make([]string, len(valid))
	for i, code := range valid {
		words[i] = fmt.Sprint(code)
	}
	return strings.Join(words, " or ")
}

// decode turns a body into a value.
func (f *fetch) decode(ctx context.Context, body []byte, a *answer) (any, *document.Failure) {
	if f.share != nil {
		if err := f.share.Wait(ctx); err != nil {
			return nil, document.AsFailure(ctx, document.ReasonOverloaded, fmt.Errorf("decoding the answer of %s: %w", a.shown(), err))
		}
		f.works = true
	}
	contentType := a.Header.Get("Content-Type")
	began, before, limits := time.Now(), f.doc.Values, f.client.settings.Limits
	limits.Share = f.share
	value, err := f.doc.Decode(ctx, f.options.format, body, contentType, limits)
	f.doc.Phases[document.PhaseDecode] += time.Since(began)
	if err != nil {
		return nil, document.AsFailure(ctx, document.ReasonDecode, fmt.Errorf("decoding the answer of %s: %w", a.shown(), err))
	}
	if f.share != nil {
		if err := f.share.Decoded(f.doc.Values - before); err != nil {
			return nil, document.Failf(document.ReasonOverloaded, "decoding the answer of %s: %w", a.shown(), err)
		}
	}
	return value, nil
}

// told returns the failure that a document itself tells of, if it does.
func (f *fetch) told(ctx context.Context, value any, a *answer) *document.Failure {
	said, _, err := f.options.failWhen.One(ctx, &f.env, value)
	if err != nil {
		return document.AsFailure(ctx, document.ReasonTold, fmt.Errorf("evaluating fail_when on the answer of %s: %w", a.shown(), err))
	}
	switch said := tree.Go(said).(type) {
	case nil:
		return nil
	case bool:
		if !said {
			return nil
		}
	case string:
		if said == "" {
			return nil
		}
		return document.Failf(document.ReasonTold, "the answer of %s tells of a failure: %s", a.shown(), options.Shorten(said, options.Shown))
	}
	return document.Failf(document.ReasonTold, "the answer of %s tells of a failure: fail_when %s is true", a.shown(), f.options.failWhen)
}
