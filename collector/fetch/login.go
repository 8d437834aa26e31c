package fetch

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
	"golang.org/x/net/http/httpguts"

	"status_exporter/collector/document"
	"status_exporter/collector/query"
	"status_exporter/collector/tree"
	"status_exporter/config/options"
)

// A login is a request whose answer gives what the next requests must carry: a
// token found in its JSON, a header, or cookies. Without a path it is a
// handshake: the answer that refuses a request gives what to repeat it with, as
// Transmission does with status 409.
type login struct {
	request
	valid  []int        // accepted status codes; nil: 2xx and 3xx
	on     []int        // status codes that say that the login is no longer good
	token  *query.Query // nil: no token
	header string       // that carries the token, or is sent back
	prefix string       // before the token
}

func (l *login) decode(d *options.Decoder, n *yaml.Node) {
	*l = login{on: []int{http.StatusUnauthorized, http.StatusForbidden}}
	prefixed := false
	d.SecretMapping(n, "login", join(l.fields(d), options.Fields{
		"body": func(n *yaml.Node) {
			l.body = text{}
			l.body.decodeHidden(d, n)
		},
		"valid_status_codes": statusCodes(d, &l.valid),
		"on":                 statusCodes(d, &l.on),
		"token":              query.Option(d, &l.token),
		"header": func(n *yaml.Node) {
			d.Text(&l.header)(n)
			if !httpguts.ValidHeaderFieldName(l.header) {
				d.Errorf(n, "header: found what is not the name of a header, expected one such as X-Api-Key") // it may hold the value
			}
			l.header = textproto.CanonicalMIMEHeaderKey(l.header)
		},
		"prefix": func(n *yaml.Node) {
			d.Text(&l.prefix)(n)
			prefixed = true
		},
	}))
	if l.token != nil && l.header == "" {
		l.header = "Authorization"
	}
	if l.token != nil && !prefixed && l.header == "Authorization" {
		l.prefix = "Bearer "
	}
	if l.token == nil && prefixed {
		d.Errorf(n, "login has a prefix and no token to put it before")
	}
	if l.varies() {
		d.Errorf(n, `login holds an expression \(…), but a login is kept for all probes of a target`)
	}
}

func (l *login) isHandshake() bool { return l.path.fixed == "" }

// varies tells whether the login is not the same for every probe.
func (l *login) varies() bool {
	texts := []text{l.path, l.body}
	for _, t := range l.params {
		texts = append(texts, t)
	}
	for _, t := range l.headers {
		texts = append(texts, t)
	}
	return slices.ContainsFunc(texts, func(t text) bool { return t.parts != nil })
}

// secret says which secret the login holds, "" for none.
func (l *login) secret() string {
	if secret := l.request.secret(false); secret != "" {
		return secret + " of login"
	}
	return ""
}

// run logs in. refused is the answer that asked for it, which a handshake reads.
func (l *login) run(ctx context.Context, f *fetch, refused *answer) (*credential, *document.Failure) {
	if l.isHandshake() {
		return l.credential(ctx, f, refused)
	}
	c, err := l.call(ctx, rootOf(f.base, f.client.options.prefix), true, &f.env)
	if err != nil {
		return nil, document.Failf(document.ReasonLogin, "logging in: %w", err)
	}
	f.stays, f.credential = true, nil
	a, failure := f.follow(ctx, c, true)
	f.stays = false
	if failure != nil {
		return nil, document.Failf(failure.Reason, "logging in: %w", failure.Err)
	}
	defer a.close()
	if !l.accepts(a.StatusCode) {
		return nil, document.Failf(document.ReasonLogin, "logging in at %s: the target answered %s, expected %s", a.shown(), statusText(a.Response), l.expected())
	}
	return l.credential(ctx, f, a)
}

func (l *login) accepts(code int) bool {
	return accepts(l.valid, code) || l.valid == nil && code >= 300 && code <= 399
}

func (l *login) expected() string {
	if l.valid == nil {
		return "2xx or 3xx"
	}
	return codes(l.valid)
}

// credential reads from an answer what the next requests must carry.
func (l *login) credential(ctx context.Context, f *fetch, a *answer) (*credential, *document.Failure) {
	c := &credential{header: make(http.Header)}
	var cookies []string
	for _, cookie := range a.Cookies() {
		if cookie.MaxAge >= 0 && cookie.Value != "" {
			cookies = append(cookies, cookie.Name+"="+cookie.Value)
		}
	}
	if cookies != nil {
		c.header["Cookie"] = []string{strings.Join(cookies, "; ")}
	}
	switch {
	case l.token != nil:
		token, failure := l.readToken(ctx, f, a)
		if failure != nil {
			return nil, failure
		}
		c.header[l.header] = []string{l.prefix + token}
	case l.header != "":
		value := a.Header.Get(l.header)
		if value == "" {
			return nil, document.Failf(document.ReasonLogin, "logging in at %s: the answer, %s, has no header %s", a.shown(), statusText(a.Response), l.header)
		}
		c.header[l.header] = []string{value}
	case cookies == nil:
		return nil, document.Failf(document.ReasonLogin, "logging in at %s: the answer, %s, sets no cookie; token or header says where else the login is found",
			a.shown(), statusText(a.Response))
	}
	return c, nil
}

// loginLimit is the largest answer to a login that is read, in bytes.
const loginLimit = 1 << 20

func (l *login) readToken(ctx context.Context, f *fetch, a *answer) (string, *document.Failure) {
	body, failure := f.body(ctx, a, bodyBound{bytes: loginLimit, name: "what is read after a login"})
	if failure != nil {
		return "", document.Failf(failure.Reason, "logging in: %w", failure.Err)
	}
	value, err := document.JSON.Decode(ctx, body, "", f.client.settings.Limits)
	if err != nil {
		return "", document.AsFailure(ctx, document.ReasonLogin, fmt.Errorf("logging in at %s: the answer is not JSON", a.shown()))
	}
	f.env.Root = value
	found, _, err := l.token.One(ctx, &f.env, value)
	if err != nil {
		return "", document.AsFailure(ctx, document.ReasonLogin, fmt.Errorf("logging in at %s: token %s cannot be evaluated on the answer", a.shown(), l.token))
	}
	found = tree.Go(found)
	token, ok := found.(string)
	if number, isNumber := found.(json.Number); isNumber {
		token, ok = number.String(), true
	}
	if !ok || token == "" || !httpguts.ValidHeaderFieldValue(token) {
		return "", document.Failf(document.ReasonLogin, "logging in at %s: token %s found no text in the answer", a.shown(), l.token)
	}
	return token, nil
}

// rootOf returns the URL below which a login is made: that of the target where
// its path is a prefix, else the target without a path.
func rootOf(base *url.URL, prefix bool) *url.URL {
	root := &url.URL{Scheme: base.Scheme, Host: base.Host}
	if prefix {
		root.Path, root.RawPath = base.Path, base.RawPath
	}
	return root
}
