package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"status_exporter/collector/query"
)

// A call is one request, ready to be sent.
type call struct {
	method string
	url    *url.URL
	header http.Header // never changed
	host   string
	body   string
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
