package fetch

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"status_exporter/collector/document"
)

// A credential is what a login or a token endpoint gave: headers for the next
// requests. It is immutable.
type credential struct {
	header  http.Header
	expires time.Time // zero: when it is refused
}

// addTo returns a header with the credential in it. Cookies stand beside those
// that are there.
func (c *credential) addTo(h http.Header) http.Header {
	h = h.Clone()
	for name, values := range c.header {
		if name == "Cookie" && h.Get(name) != "" {
			values = []string{h.Get(name) + "; " + values[0]}
		}
		h[name] = values
	}
	return h
}

// A session is the credential that is kept for one target, and its renewal, of
// which only one runs at a time.
type session struct {
	mu      sync.Mutex
	current *credential
	renewal *renewal
}

type renewal struct {
	done       chan struct{}
	credential *credential
	failure    *document.Failure
	abandoned  bool // it ended because its own probe did
}

// get returns the credential, or nil where there is none that is still good.
func (s *session) get() *credential {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil && !s.current.expires.IsZero() && time.Now().After(s.current.expires) {
		s.current = nil
	}
	return s.current
}

// renew returns a credential other than stale: what login returns, what another
// probe's login that runs already returns, or what one has returned meanwhile.
func (s *session) renew(ctx context.Context, stale *credential, login func() (*credential, *document.Failure)) (*credential, *document.Failure) {
	for {
		s.mu.Lock()
		if s.current != nil && s.current != stale {
			defer s.mu.Unlock()
			return s.current, nil
		}
		r := s.renewal
		if r == nil {
			r = &renewal{done: make(chan struct{}), abandoned: true}
			s.renewal = r
			s.mu.Unlock()
			return s.lead(ctx, r, login)
		}
		s.mu.Unlock()
		select {
		case <-r.done:
			if !r.abandoned {
				return r.credential, r.failure
			}
		case <-ctx.Done():
			return nil, document.Failf(document.ReasonTimeout, "waiting for the login of another probe: %w", ctx.Err())
		}
	}
}

// lead runs login for all who wait for it.
func (s *session) lead(ctx context.Context, r *renewal, login func() (*credential, *document.Failure)) (*credential, *document.Failure) {
	defer func() {
		s.mu.Lock()
		s.renewal, s.current = nil, r.credential
		s.mu.Unlock()
		close(r.done)
	}()
	r.credential, r.failure = login()
	r.abandoned = r.failure != nil && ctx.Err() != nil
	return r.credential, r.failure
}

// sessionLimit is how many targets a client keeps logins for.
const sessionLimit = 10_000

// session returns what is kept for a target, or nil where nothing is to be.
func (c *Client) session(o origin) *session {
	switch {
	case c.tokens != nil:
		return &c.tokens.session
	case c.login != nil:
		key := o.String()
		if kept, ok := c.logins.Get(key); ok {
			return kept
		}
		return c.logins.Add(key, new(session), sessionLimit)
	}
	return nil
}

// ask makes a call with the credential of the session, which it renews once where
// it is refused.
func (f *fetch) ask(ctx context.Context, c *call, trusted bool) (*answer, *document.Failure) {
	if f.session == nil || !trusted {
		return f.follow(ctx, c, trusted)
	}
	f.credential = f.session.get()
	if f.credential == nil && f.logsInFirst() {
		var failure *document.Failure
		if f.credential, failure = f.renew(ctx, nil); failure != nil {
			return nil, failure
		}
	}
	a, failure := f.follow(ctx, c, true)
	if failure != nil || !f.refused(a) {
		return a, failure
	}
	return f.again(ctx, c, a)
}

// again renews the credential that a refuses, and makes the call once more.
func (f *fetch) again(ctx context.Context, c *call, a *answer) (*answer, *document.Failure) {
	var failure *document.Failure
	if f.credential, failure = f.renew(ctx, a); failure != nil {
		return nil, failure
	}
	if a, failure = f.follow(ctx, c, true); failure != nil || !f.refused(a) {
		return a, failure
	}
	defer a.close()
	return nil, document.Failf(document.ReasonLogin, "asking %s: the target answered %s, also after a new login", a.shown(), statusText(a.Response))
}

// renew returns a credential in the place of the one that was used, which refused
// did not accept; nil where there was none.
func (f *fetch) renew(ctx context.Context, refused *answer) (*credential, *document.Failure) {
	if refused != nil {
		defer refused.close()
	}
	return f.session.renew(ctx, f.credential, func() (*credential, *document.Failure) {
		if f.client.tokens != nil {
			return f.client.tokens.fetch(ctx, f)
		}
		return f.client.login.run(ctx, f, refused)
	})
}

// logsInFirst tells whether nothing needs to be asked without a credential.
func (f *fetch) logsInFirst() bool { return f.client.tokens != nil || !f.client.login.isHandshake() }

// refused tells whether an answer does not accept the credential.
func (f *fetch) refused(a *answer) bool {
	if !a.trusted || accepts(f.options.valid, a.StatusCode) {
		return false
	}
	if f.client.tokens != nil {
		return a.StatusCode == http.StatusUnauthorized
	}
	return slices.Contains(f.client.login.on, a.StatusCode)
}
