package fetch_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"status_exporter/collector/document"
	"status_exporter/collector/fetch"
)

func allowList(t *testing.T, entries ...string) fetch.AllowList {
	t.Helper()
	list, err := fetch.ParseAllowList(entries)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestAllow(t *testing.T) {
	tests := []struct {
		allow   string // entries, separated by spaces
		allowed string // targets that are not refused by their name
		refused string
	}{
		{"*", "http://shop https://shop.example:1 http://10.0.0.1 http://[2001:db8::1]", "unix:/run/x.sock http://169.254.169.254 http://[fe80::1]"},
		{"http://*.shop.example:8000", "http://a.shop.example:8000 http://A.b.Shop.Example.:8000/x", "http://shop.example:8000 https://a.shop.example:8000 http://a.shop.example http://a.shop.example.evil:8000"},
		{"https://shop.example", "https://shop.example https://shop.example:443", "http://shop.example https://shop.example:8443 https://xshop.example"},
		{"http://shop:*", "http://shop http://shop:1", "https://shop:1"},
		{"shop", "http://shop https://shop:1", "http://shops http://1.shop"},
		{"shop:8000", "http://shop:8000 https://shop:8000", "http://shop"},
		{"*.a.*.b", "http://x.a.y.b http://x.a.y.z.b", "http://x.a.b http://a.y.b http://x.a.y.bb"},
		{"münchen.example *.köln.example", "http://münchen.example http://xn--mnchen-3ya.example http://a.KÖLN.example", "http://muenchen.example"},
		{"10.0.0.0/8", "http://10.1.2.3 http://[::ffff:10.1.2.3] http://name.example", "http://11.0.0.1 http://[::a01:203] unix:/run/x"},
		{"::ffff:10.0.0.7", "http://10.0.0.7", "http://10.0.0.8"},
		{"10.0.0.7 2001:db8::/32", "http://10.0.0.7:99 http://[2001:DB8::9]", "http://10.0.0.8 http://[2001:db9::9]"},
		{"[2001:db8::1]:80", "http://[2001:db8:0::1]", "http://[2001:db8::1]:81"},
		{"unix:/run/*.sock", "unix:/run/a.sock:/x unix:///run/a/b.sock unix:/run/../run/a.sock", "unix:/run/a unix:/tmp/../run/a.sock.x unix:/run/../etc/a.sock http://run"},
		{"unix:*", "unix:/any", "http://any"},
		{"169.254.169.254", "http://169.254.169.254 http://[::ffff:169.254.169.254] http://[64:ff9b::a9fe:a9fe]", "http://169.254.169.253"},
		{"169.254.0.0/16", "http://169.254.169.254", "http://10.0.0.1"},
		{"http://169.254.169.254", "http://169.254.169.254", "https://169.254.169.254"},
		{"0.0.0.0/0 ::/0", "http://10.0.0.1", "http://169.254.169.254 http://[fe80::1%25eth0] http://[fd00:ec2::254] http://168.63.129.16 http://[64:ff9b::a9fe:a9fe] http://100.100.100.200"},
		{"127.0.0.1", "http://127.0.0.1 http://0.0.0.0", "http://[::]"},
	}
	for _, test := range tests {
		o, d := decode("http: {allow: ["+`"`+strings.ReplaceAll(test.allow, " ", `", "`)+`"`+"]}", nil)
		if err := d.Err(); err != nil {
			t.Fatal(err)
		}
		c, err := fetch.New(o, fetch.Settings{Module: "shop"})
		if err != nil {
			t.Fatal(err)
		}
		for target := range strings.FieldsSeq(test.allowed) {
			if _, err := c.Probe(fetch.Request{Target: target}); err != nil {
				t.Errorf("allow %s: %v", test.allow, err)
			}
		}
		for target := range strings.FieldsSeq(test.refused) {
			_, err := c.Probe(fetch.Request{Target: target})
			if refused := (*fetch.RefusedError)(nil); !errors.As(err, &refused) {
				t.Errorf("allow %s: %s was not refused: %v", test.allow, target, err)
			}
		}
	}
}

func TestAllowMistakes(t *testing.T) {
	const example = "; for example http://*.shop.example:8000, 10.0.0.0/8, unix:/run/name.sock or *"
	tests := map[string]string{
		"ftp://shop":           `"ftp://shop" cannot say who may be asked, expected http:// or https://`,
		"http://shop/status":   `"http://shop/status" cannot say who may be asked, expected a host pattern without user name, path and query`,
		"http://u:s3cret@shop": `"http://shop" cannot say who may be asked, expected a host pattern without user name, path and query`,
		"shop:http":            `"shop:http" cannot say who may be asked, expected a port from 1 to 65535 or * after the colon`,
		"10.0.0.*":             `"10.0.0.*" cannot say who may be asked, expected a range such as 10.0.0.0/8 for addresses`,
		"10.0.0.0/33":          `"10.0.0.0/33" cannot say who may be asked, expected a host pattern without user name, path and query`,
		"unix:run/x":           `"unix:run/x" cannot say who may be asked, expected the absolute name of a socket after unix:`,
		"":                     `"" cannot say who may be asked, expected a host pattern`,
		"a,b":                  `"a,b" cannot say who may be asked, expected a host pattern`,
	}
	for entry, want := range tests {
		_, err := fetch.ParseAllowList([]string{entry})
		if err == nil || err.Error() != want+example {
			t.Errorf("%q:\ngot  %v\nwant %s", entry, err, want+example)
		}
	}
}

// TestRules checks which rule refuses, and its words.
func TestRules(t *testing.T) {
	const secret = "http: {headers: {X-Key: {secret: abc}}}"
	auth := func(t *testing.T, text string) *fetch.Auth { return decodeAuth(t, "prod", text) }
	tests := []struct {
		name     string
		yaml     string
		settings func(t *testing.T) fetch.Settings
		target   string
		want     string
	}{
		{"nothing said", "", nil, "http://any:1", ""},
		{"a unix socket", "", nil, "unix:/run/x.sock", "unix:/run/x.sock may not be asked: a unix socket is asked only where an allow list or a configured target names it"},
		{"a configured unix socket", "", func(*testing.T) fetch.Settings { return fetch.Settings{Trusted: []string{"unix:/run/x.sock:/a"}} }, "unix:/run/x.sock:/b", ""},
		{"metadata", "", nil, "http://169.254.169.254/latest", "http://169.254.169.254 may not be asked: it is a link-local or cloud metadata address, asked only where an allow list names 169.254.169.254"},
		{"metadata as a target", "", func(*testing.T) fetch.Settings {
			return fetch.Settings{Trusted: []string{"http://169.254.169.254"}}
		}, "http://169.254.169.254", ""},
		{"a secret without a list", secret, nil, "http://any:1", "http://any:1 may not be asked: module shop holds a secret and has no allow list, so that it is sent only to the configured targets that use it"},
		{"a secret for a configured target", secret, func(*testing.T) fetch.Settings { return fetch.Settings{Trusted: []string{"any:1/x"}} }, "http://any:1/y", ""},
		{"a secret for the same host at another port", secret, func(*testing.T) fetch.Settings { return fetch.Settings{Trusted: []string{"any:1/x"}} }, "any:2", "http://any:2 may not be asked: module shop holds a secret and has no allow list, so that it is sent only to the configured targets that use it"},
		{"not on the list", "http: {allow: other}", nil, "any", "http://any may not be asked: the allow list of module shop does not name it"},
		{"an empty list", "http: {allow: []}", nil, "any", "http://any may not be asked: the allow list of module shop does not name it"},
		{"a list beats configured targets", "http: {allow: other}", func(*testing.T) fetch.Settings { return fetch.Settings{Trusted: []string{"any"}} }, "any", "http://any may not be asked: the allow list of module shop does not name it"},
		{"the policy denies a name", "", func(t *testing.T) fetch.Settings {
			return fetch.Settings{Policy: fetch.Policy{Deny: allowList(t, "*.internal", "10.0.0.0/8")}}
		}, "db.internal", "http://db.internal may not be asked: --probe.deny-targets names *.internal"},
		{"the policy denies an address that is allowed", "http: {allow: ['10.0.0.1', '*']}", func(t *testing.T) fetch.Settings {
			return fetch.Settings{Policy: fetch.Policy{Deny: allowList(t, "*.internal", "10.0.0.0/8")}}
		}, "10.0.0.1", "http://10.0.0.1 may not be asked: --probe.deny-targets names 10.0.0.0/8"},
		{"the policy allows others", "", func(t *testing.T) fetch.Settings {
			return fetch.Settings{Policy: fetch.Policy{Allow: allowList(t, "*.example")}}
		}, "any", "http://any may not be asked: --probe.allow-targets does not name it"},
		{"the policy allows, the module does not", "http: {allow: other}", func(t *testing.T) fetch.Settings {
			return fetch.Settings{Policy: fetch.Policy{Allow: allowList(t, "*")}}
		}, "any", "http://any may not be asked: the allow list of module shop does not name it"},
		{"an auths entry without a list", "", func(t *testing.T) fetch.Settings {
			return fetch.Settings{Auth: auth(t, "client: {bearer_token: abc}")}
		}, "any", "http://any may not be asked: auths entry prod holds a secret and has no allow list, so that it is sent only to the configured targets that use it"},
		{"an auths entry with a list", "", func(t *testing.T) fetch.Settings {
			return fetch.Settings{Auth: auth(t, "{client: {bearer_token: abc}, allow: any}")}
		}, "any", ""},
		{"an auths entry replaces the module's secrets", secret, func(t *testing.T) fetch.Settings {
			return fetch.Settings{Auth: auth(t, "{headers: {Authorization: Bearer abc}, allow: any}")}
		}, "any", ""},
		{"what it does not replace stays bound", "http: {params: {k: {secret: abc}}}", func(t *testing.T) fetch.Settings {
			return fetch.Settings{Auth: auth(t, "{headers: {Authorization: Bearer abc}, allow: any}")}
		}, "any", "http://any may not be asked: module shop holds a secret and has no allow list, so that it is sent only to the configured targets that use it"},
		{"behind a proxy only names count", "http: {client: {proxy_url: http://proxy:3128}, allow: 10.0.0.0/8}", nil, "any", "http://any may not be asked: the allow list of module shop does not name it"},
		{"behind a proxy an address is a name", "http: {client: {proxy_url: http://proxy:3128}, allow: 10.0.0.0/8}", nil, "10.0.0.1", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := fetch.Settings{Module: "shop"}
			if test.settings != nil {
				s = test.settings(t)
				s.Module = "shop"
			}
			_, err := newClient(t, test.yaml, s).Probe(fetch.Request{Target: test.target})
			switch refused := (*fetch.RefusedError)(nil); {
			case test.want == "" && err != nil:
				t.Errorf("got %v", err)
			case test.want != "" && (!errors.As(err, &refused) || err.Error() != test.want):
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

// TestAddressIsChecked asks names that lead to addresses that may not be asked.
func TestAddressIsChecked(t *testing.T) {
	asked := 0
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { asked++; _, _ = w.Write([]byte("{}")) })
	target := "http://localhost:" + portOf(s)
	tests := []struct {
		name, yaml string
		policy     fetch.Policy
		want       string
	}{
		{"denied", "", fetch.Policy{Deny: allowList(t, "127.0.0.0/8", "::1")}, "--probe.deny-targets names "},
		{"denied although the name is allowed", "http: {allow: localhost}", fetch.Policy{Deny: allowList(t, "127.0.0.0/8", "::1")}, "--probe.deny-targets names "},
		{"not on the list", "http: {allow: 10.0.0.0/8}", fetch.Policy{}, "the allow list of module test does not name it"},
		{"not on the list of the policy", "http: {allow: localhost}", fetch.Policy{Allow: allowList(t, "10.0.0.0/8")}, "--probe.allow-targets does not name it"},
		{"allowed", "http: {allow: [127.0.0.0/8, '::1']}", fetch.Policy{}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			asked = 0
			docs := read(t, newClient(t, test.yaml, fetch.Settings{Policy: test.policy}), target)
			if test.want == "" {
				one(t, docs)
				return
			}
			contains(t, failure(t, docs, document.ReasonRefused), target+" (", ") may not be asked: "+test.want)
			if asked != 0 {
				t.Error("the target was asked")
			}
		})
	}
}

// TestRedirects checks what another host gets, and that it may be asked.
func TestRedirects(t *testing.T) {
	var got http.Header
	var method string
	other := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got, method = r.Header, r.Method
		_, _ = w.Write([]byte("{}"))
	})
	code := http.StatusFound
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/back" {
			got, method = r.Header, r.Method
			_, _ = w.Write([]byte("{}"))
			return
		}
		http.Redirect(w, r, r.URL.Query().Get("to"), code)
	})
	const yaml = `http:
  allow: ["http://127.0.0.1:*"]
  headers: {X-Own: abc, Cookie: a=b, Accept-Language: de}
  client: {basic_auth: {username: u, password: p}, http_headers: {X-Api-Key: {secrets: [abc]}}}
`
	c := newClient(t, yaml, fetch.Settings{UserAgent: "test/1"})
	ask := func(c *fetch.Client, to string) []*document.Document {
		got, method = nil, ""
		return read(t, c, s.URL+"/go?to="+url.QueryEscape(to))
	}

	one(t, ask(c, "/back"))
	for _, name := range []string{"Authorization", "X-Own", "Cookie", "X-Api-Key", "Accept-Language", "User-Agent"} {
		if got.Get(name) == "" {
			t.Errorf("the same host did not get %s", name)
		}
	}
	doc := one(t, ask(c, other.URL))
	for name := range got {
		if name != "Accept" && name != "Accept-Encoding" && name != "Accept-Language" && name != "User-Agent" {
			t.Errorf("another host got %s: %s", name, got.Get(name))
		}
	}
	if len(doc.Exchanges) != 2 || doc.Exchanges[0].Status != "302 Found" || doc.Exchanges[1].URL != other.URL {
		t.Errorf("got the exchanges %+v", doc.Exchanges)
	}
	// Credentials do not come back once they were left behind.
	there := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, s.URL+"/back", http.StatusFound) })
	one(t, ask(c, there.URL))
	if got.Get("Authorization") != "" {
		t.Error("credentials came back after a detour")
	}

	refused := newClient(t, "http: {allow: ['http://127.0.0.1:"+portOf(s)+"']}", fetch.Settings{})
	contains(t, failure(t, ask(refused, other.URL), document.ReasonRefused), other.URL+" may not be asked: the allow list of module test does not name it")
	if method != "" {
		t.Error("a host that may not be asked was asked")
	}
	contains(t, failure(t, ask(c, "http://169.254.169.254/latest"), document.ReasonRefused), "link-local or cloud metadata address")

	for _, code = range []int{301, 302, 303} {
		one(t, ask(newClient(t, "http: {body: x}", fetch.Settings{}), "/back"))
		if method != "GET" {
			t.Errorf("after %d a POST became %s, want GET", code, method)
		}
	}
	for _, code = range []int{307, 308} {
		posts := newClient(t, "http: {body: x}", fetch.Settings{})
		one(t, ask(posts, "/back"))
		if method != "POST" {
			t.Errorf("after %d a POST became %s, want POST", code, method)
		}
		contains(t, failure(t, ask(posts, other.URL), document.ReasonRedirect), "and the body is not sent to another host ("+other.URL+")")
	}
}

// TestRedirectedStatus says why a redirected request has no credentials.
func TestRedirectedStatus(t *testing.T) {
	other := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) })
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) })
	got := failure(t, read(t, newClient(t, "", fetch.Settings{}), s.URL), document.ReasonStatus)
	want := "asking " + other.URL + ": the target answered 401 Unauthorized, expected 2xx; it was redirected to another host or port, which gets no credentials"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
