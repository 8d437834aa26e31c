package fetch_test

import (
	"strings"
	"testing"

	"status_exporter/collector/fetch"
)

// FuzzOptions checks that every configuration is either right, and makes a client,
// or has an error with a position.
func FuzzOptions(f *testing.F) {
	for _, seed := range []string{
		"http: {path: /status, params: {a: '\\($vars.b)'}, headers: {X-A: {secret: b}}, allow: ['*']}",
		"http: {login: {path: /login, token: .t}, pages: {next: .n, items: .i}, fail_when: .e}",
		"http: {client: {basic_auth: {username: a, password: b}, tls_config: {server_name: x}, proxy_url: 'http://p'}}",
		"http: {client: {oauth2: {client_id: a, token_url: 'http://t', scopes: [a], claims: {a: [b]}}}}",
		"documents: {a: {path: /a, optional: true}, b: {method: POST, body: '{}'}}",
		"http: {client: {http_headers: {A: {values: [b], files: [/dev/null]}}, proxy_connect_header: {A: [b]}}}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o, d := decode(text, nil)
		if err := d.Err(); err != nil {
			if !strings.HasPrefix(err.Error(), "module.yml") {
				t.Errorf("no position: %v", err)
			}
			return
		}
		if o.Check(d); d.Err() != nil {
			return
		}
		c, err := fetch.New(o, fetch.Settings{Module: "test"})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		c.Close()
	})
}

// FuzzAllow checks that an entry that can be read names at most what it says.
func FuzzAllow(f *testing.F) {
	for _, seed := range []string{"*", "http://*.shop.example:8000", "10.0.0.0/8", "[::1]:80", "unix:/run/*.sock", "a*b*c:*"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, entry string) {
		list, err := fetch.ParseAllowList([]string{entry})
		if err != nil {
			return
		}
		o, _ := decode("", nil)
		c, err := fetch.New(o, fetch.Settings{Module: "test", Policy: fetch.Policy{Allow: list}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		// Where an entry is an address or a network, the name is only judged by where it leads.
		byAddress := strings.ContainsAny(entry, "/.") || strings.Count(entry, ":") > 1
		if _, err := c.Probe(fetch.Request{Target: "http://shop.example:8000"}); err == nil && !strings.Contains(entry, "*") &&
			!strings.Contains(strings.ToLower(entry), "shop.example") && !byAddress {
			t.Errorf("%q allows http://shop.example:8000", entry)
		}
	})
}

// FuzzLink checks that what is found in a Link header stands between < and >.
func FuzzLink(f *testing.F) {
	f.Add(`</a?p=2>; rel="next", </b>; rel=last`)
	f.Add(`<a>;rel=prev;title="x, <y>; rel=next"`)
	f.Fuzz(func(t *testing.T, header string) {
		if link := fetch.NextLink([]string{header}); !strings.Contains(header, "<"+link+">") && link != "" {
			t.Errorf("%q: found %q", header, link)
		}
		if shown := fetch.WithoutValues(header); len(shown) > len(header)+3*strings.Count(header, "?") {
			t.Errorf("%q became %q", header, shown)
		}
	})
}
