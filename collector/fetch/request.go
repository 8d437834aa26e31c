package fetch

import (
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
	"golang.org/x/net/http/httpguts"

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
			d.HideQuery(n)
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
		d.Errorf(n, "path: found %s, expected one that begins with a slash", describeURL(n))
		return
	}
	if _, err := parsePath(r.path.fixed); err != nil && r.path.parts == nil {
		d.Errorf(n, "path: found %s, expected %% only before two hexadecimal digits and no control characters", describeURL(n))
	}
}

func (r *request) decodeParams(d *options.Decoder, n *yaml.Node) {
	if r.params == nil {
		r.params = make(map[string]text, len(n.Content)/2)
	}
	d.SecretEntries(n, "params", func(key, value *yaml.Node) {
		var t text
		if sensitiveMember(key.Value) && (value.Kind != yaml.ScalarNode || !options.IsPlain(value.Value)) {
			t.decodeHidden(d, value)
		} else {
			t.decode(d, value)
		}
		r.params[key.Value] = t
	})
}

// ownHeaders are set by the exporter, whatever else is said.
var ownHeaders = []string{"Connection", "Content-Length", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// decodeHeaders decodes headers into those that are there already. A value under
// a name that suggests a credential is hidden however it is written: that is where
// credentials are kept.
func decodeHeaders(d *options.Decoder, n *yaml.Node, into *map[string]text) {
	if *into == nil {
		*into = make(map[string]text, len(n.Content)/2)
	}
	d.SecretEntries(n, "headers", func(key, value *yaml.Node) {
		if !headerName(d, key) {
			return
		}
		name := textproto.CanonicalMIMEHeaderKey(key.Value)
		if slices.Contains(ownHeaders, name) {
			d.Errorf(key, "the header %s cannot be set, the exporter does", name)
		}
		var t text
		t.decodeHeader(d, value, sensitive(name))
		if !httpguts.ValidHeaderFieldValue(t.fixed) {
			d.Errorf(value, "the header %s holds a control character, expected text on one line", name)
		}
		(*into)[name] = t
	})
}

// secret says which secret a request holds, "" for none; withoutHeaders leaves out the
// headers, where an entry under auths replaces those.
func (r *request) secret(withoutHeaders bool) string {
	for _, name := range slices.Sorted(maps.Keys(r.params)) {
		if t := r.params[name]; t.isSecret() {
			return "the param " + name
		}
	}
	if _, query, _ := strings.Cut(r.path.fixed, "?"); r.path.isFixed() {
		if name := secretName(query); name != "" {
			return "the param " + name + " in the path"
		}
	}
	if !withoutHeaders {
		if name := secretHeader(r.headers); name != "" {
			return name
		}
	}
	if r.body.isSecret() {
		return "the body"
	}
	return ""
}

// secretHeader says which of the headers holds a secret, "" for none.
func secretHeader(headers map[string]text) string {
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		if t := headers[name]; t.isSecret() || sensitive(name) {
			return "the header " + name
		}
	}
	return ""
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
