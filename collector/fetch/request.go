package fetch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
	"golang.org/x/net/http/httpguts"

	"status_exporter/collector/query"
	"status_exporter/config/options"
)

// A request is how to ask: what may stand under `http:`, under an entry of
// `documents:`, and under `login:`. It is immutable once it is decoded.
type request struct {
	method  string // "": GET, or POST with a body
	path    text
	params  map[string]text
	headers map[string]text // by canonical name
	body    text

	prepared prepared
}

// prepared is the part of a request that is the same for every probe.
type prepared struct {
	header http.Header // shared by all requests, never changed
	host   string      // the header Host
	params string      // encoded
	varied []string    // headers that are made for each probe
	values []string    // params that are made for each probe
}

// A call is one request, ready to be sent.
type call struct {
	method string
	url    *url.URL
	header http.Header // never changed
	host   string
	body   string
}

// clone returns a copy that can be decoded over, for what inherits from r.
func (r *request) clone() request {
	c := *r
	c.params, c.headers = maps.Clone(r.params), maps.Clone(r.headers)
	return c
}

// fields decodes the keys of a request.
func (r *request) fields(d *options.Decoder) options.Fields {
	return options.Fields{
		"method": func(n *yaml.Node) {
			d.Text(&r.method)(n)
			if !method.MatchString(r.method) {
				d.Errorf(n, "method: found %s, expected one such as GET or POST", options.Describe(n))
			}
		},
		"path": func(n *yaml.Node) {
			r.path = text{}
			r.path.decodePlain(d, n)
			r.checkPath(d, n)
		},
		"params":  func(n *yaml.Node) { r.decodeParams(d, n) },
		"headers": func(n *yaml.Node) { decodeHeaders(d, n, &r.headers) },
		"body": func(n *yaml.Node) {
			r.body = text{}
			r.body.decode(d, n)
		},
	}
}

var method = regexp.MustCompile(`^[A-Z]+$`)

func (r *request) checkPath(d *options.Decoder, n *yaml.Node) {
	if n.Kind != yaml.ScalarNode {
		return
	}
	if !strings.HasPrefix(n.Value, "/") {
		d.Errorf(n, "path: found %s, expected one that begins with a slash", options.Describe(n))
		return
	}
	if _, err := parsePath(r.path.fixed); err != nil && r.path.parts == nil {
		d.Errorf(n, "path: found %s, expected %% only before two hexadecimal digits and no control characters", options.Describe(n))
	}
}

func (r *request) decodeParams(d *options.Decoder, n *yaml.Node) {
	if r.params == nil {
		r.params = make(map[string]text, len(n.Content)/2)
	}
	secretEntries(d, n, "params", func(key, value *yaml.Node) {
		var t text
		t.decode(d, value)
		r.params[key.Value] = t
	})
}

// ownHeaders are set by the exporter, whatever else is said.
var ownHeaders = []string{"Connection", "Content-Length", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// decodeHeaders decodes headers into those that are there already. A value under
// a name that suggests a credential is hidden however it is written.
func decodeHeaders(d *options.Decoder, n *yaml.Node, into *map[string]text) {
	if *into == nil {
		*into = make(map[string]text, len(n.Content)/2)
	}
	secretEntries(d, n, "headers", func(key, value *yaml.Node) {
		name := textproto.CanonicalMIMEHeaderKey(key.Value)
		switch {
		case !httpguts.ValidHeaderFieldName(key.Value):
			d.Errorf(key, "%q is not the name of a header", key.Value)
		case slices.Contains(ownHeaders, name):
			d.Errorf(key, "the header %s cannot be set, the exporter does", name)
		}
		var t text
		if value.Kind == yaml.MappingNode {
			t.decodeSecret(d, value)
		} else {
			if sensitive(name) {
				d.Hide(value)
			}
			t.decodeExpanded(d, value)
		}
		if !httpguts.ValidHeaderFieldValue(t.fixed) {
			d.Errorf(value, "the header %s holds a control character, expected text on one line", name)
		}
		(*into)[name] = t
	})
}

// hasSecret tells whether a request holds a secret; withoutHeaders leaves out the
// headers, where an entry under auths replaces those.
func (r *request) hasSecret(withoutHeaders bool) bool {
	for _, t := range r.params {
		if t.isSecret() {
			return true
		}
	}
	for name, t := range r.headers {
		if !withoutHeaders && (t.isSecret() || sensitive(name)) {
			return true
		}
	}
	return r.body.isSecret()
}

// prepare makes what is the same for every probe. auth are headers that win over
// the request's own, whose credentials are then left out.
func (r *request) prepare(defaults http.Header, auth *Auth) {
	headers := maps.Clone(r.headers)
	if auth != nil {
		maps.DeleteFunc(headers, func(name string, t text) bool { return t.isSecret() || sensitive(name) })
		if headers == nil {
			headers = make(map[string]text, len(auth.headers))
		}
		maps.Copy(headers, auth.headers)
		r.headers = headers
	}
	p := prepared{header: defaults.Clone()}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		switch t := headers[name]; {
		case !t.isFixed():
			p.varied = append(p.varied, name)
		case name == "Host":
			p.host = t.fixed
		default:
			p.header[name] = []string{t.fixed}
		}
	}
	if looksLikeJSON(&r.body) && p.header["Content-Type"] == nil {
		p.header["Content-Type"] = []string{"application/json"}
	}
	if r.verb() != http.MethodGet && p.header["Idempotency-Key"] == nil {
		// Never sent; it lets net/http repeat a request on a new connection when
		// the target had closed the kept one.
		p.header["Idempotency-Key"] = []string{}
	}
	fixed := url.Values{}
	for _, name := range slices.Sorted(maps.Keys(r.params)) {
		if t := r.params[name]; t.isFixed() {
			fixed.Set(name, t.fixed)
		} else {
			p.values = append(p.values, name)
		}
	}
	p.params = fixed.Encode()
	r.prepared = p
}

func looksLikeJSON(body *text) bool {
	begin := body.fixed
	if body.value != nil {
		begin, _ = body.value.Get()
	}
	begin = strings.TrimLeft(begin, " \t\r\n")
	return strings.HasPrefix(begin, "{") || strings.HasPrefix(begin, "[")
}

func (r *request) verb() string {
	switch {
	case r.method != "":
		return r.method
	case r.body.isFixed() && r.body.fixed == "":
		return http.MethodGet
	}
	return http.MethodPost
}

// call makes the request to base, which has the path that the target names.
// A prefix is put before the request's own path; else it wins over that.
func (r *request) call(ctx context.Context, base *url.URL, prefix bool, env *query.Env) (*call, error) {
	u, err := r.url(ctx, base, prefix, env)
	if err != nil {
		return nil, err
	}
	c := &call{method: r.verb(), url: u, header: r.prepared.header, host: r.prepared.host}
	if c.body, err = r.body.render(ctx, env, nil); err != nil {
		return nil, fmt.Errorf("making the body of the request: %w", err)
	}
	if len(r.prepared.varied) > 0 {
		c.header = c.header.Clone()
	}
	for _, name := range r.prepared.varied {
		t := r.headers[name]
		value, err := t.render(ctx, env, nil)
		switch {
		case err != nil:
			return nil, fmt.Errorf("making the header %s of the request: %w", name, err)
		case !httpguts.ValidHeaderFieldValue(value):
			return nil, fmt.Errorf("making the header %s of the request: the value holds a control character, expected text on one line", name)
		case name == "Host":
			c.host = value
		default:
			c.header[name] = []string{value}
		}
	}
	return c, nil
}

func (r *request) url(ctx context.Context, base *url.URL, prefix bool, env *query.Env) (*url.URL, error) {
	u := &url.URL{Scheme: base.Scheme, Host: base.Host, Path: base.Path, RawPath: base.RawPath, RawQuery: base.RawQuery}
	if base.Path == "" || prefix {
		rendered, err := r.path.render(ctx, env, escapePath)
		if err != nil {
			return nil, fmt.Errorf("making the path of the request: %w", err)
		}
		own, err := parsePath(strings.TrimSuffix(base.EscapedPath(), "/") + rendered)
		if err != nil {
			return nil, fmt.Errorf("making the path of the request: %w", err)
		}
		u.Path, u.RawPath, u.RawQuery = own.Path, own.RawPath, joinQuery(own.RawQuery, base.RawQuery)
	}
	params, err := r.query(ctx, env)
	if err != nil {
		return nil, err
	}
	if u.RawQuery != "" && params != "" {
		params = withoutNames(params, u.Query())
	}
	u.RawQuery = joinQuery(u.RawQuery, params)
	return u, nil
}

// query returns the encoded params.
func (r *request) query(ctx context.Context, env *query.Env) (string, error) {
	params := r.prepared.params
	for _, name := range r.prepared.values {
		t := r.params[name]
		value, err := t.render(ctx, env, nil)
		if err != nil {
			return "", fmt.Errorf("making the parameter %s of the request: %w", name, err)
		}
		params = joinQuery(params, url.QueryEscape(name)+"="+url.QueryEscape(value))
	}
	return params, nil
}

// parsePath reads a path, with a query where it has one, as it is sent.
func parsePath(s string) (*url.URL, error) {
	path, rawQuery, _ := strings.Cut(s, "?")
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, errors.New("the path holds a control character")
	}
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return nil, errors.New("the path holds a % without two hexadecimal digits")
	}
	return &url.URL{Path: decoded, RawPath: path, RawQuery: strings.ReplaceAll(rawQuery, " ", "%20")}, nil
}

func joinQuery(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "&" + b
}

// withoutNames leaves out the params that a query names already.
func withoutNames(params string, named url.Values) string {
	pairs := slices.DeleteFunc(strings.Split(params, "&"), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		return err == nil && named.Has(name)
	})
	return strings.Join(pairs, "&")
}
