package fetch_test

import (
	"errors"
	"fmt"
	"io"
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
		{"0.0.0.0/0 ::/0", "http://10.0.0.1", "http://[fd00:ec2::23] http://[fd20:ce::254] http://192.0.0.192 http://[fd00:42::42] http://[fd00:c1::a9fe:a9fe] http://[fd00:a9fe:a9fe::1] http://[fd00:100::100:200] http://169.254.169.254 http://[fe80::1%25eth0] http://[fd00:ec2::254] http://168.63.129.16 http://[64:ff9b::a9fe:a9fe] http://100.100.100.200"},
		{"168.63.129.16 [fd00:42::42]:80", "http://168.63.129.16 http://[fd00:42::42]", "http://[fd00:42::42]:81"},
		{"127.0.0.1", "http://127.0.0.1 http://0.0.0.0", "http://[::]"},
		{"http://127.0.0.1:*", "http://127.0.0.1:8", "http://localhost:8 http://0.0.0.0:8"},
		{"::ffff:10.0.0.0/104", "http://10.1.2.3", "http://11.0.0.1"},
		{"64:ff9b::/96", "http://[64:ff9b::a01:203]", "http://[64:ff9b::a9fe:a9fe] http://10.1.2.3 http://[64:ff9b:1::a01:203]"},
		{"10.0.0.0/8", "http://[64:ff9b::a01:203]", "http://[2002:a01:203::1] http://[64:ff9b:1::a01:203]"},
		{"*", "http://[2002:a01:203::1] http://[2001::f5fe:fdfc] http://[::1]", "" +
			"http://[64:ff9b::a9fe:a9fe] http://[64:ff9b:1::a9fe:a9fe] http://[64:ff9b:1:0:a9:fea9:fe00:0] " +
			"http://[64:ff9b:1:a9:fe:a9fe::] http://[64:ff9b:1:a9fe:a9:fe00::] http://[2002:a9fe:a9fe::1] http://[2001::5601:5601] " +
			"http://[::169.254.169.254] http://[::ffff:0:169.254.169.254] http://[2002:6464:64c8::1]"},
		{"64:ff9b:1::/48 2002::/16 2001::/32 ::/96 ::ffff:0:0:0/96", "http://[2002:a01:203::1] http://[::ffff:0:a01:203]", "http://[64:ff9b:1::a9fe:a9fe] http://[2002:a9fe:a9fe::1] http://[2001::5601:5601] http://[::a9fe:a9fe] http://[::ffff:0:a9fe:a9fe]"},
		{"64:ff9b:1::a9fe:0/112 2002:a9fe::/32 ::a9fe:a9fe", "http://[64:ff9b:1::a9fe:a9fe] http://[2002:a9fe:a9fe::1] http://[::169.254.169.254]", "http://[::169.254.169.253] http://169.254.169.254"},
		{"http://[2002:a9fe:a9fe::1]:80 *", "http://[2002:a9fe:a9fe::1]", "http://[2002:a9fe:a9fe::1]:81 http://[2002:a9fe:a9fe::2]"},
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
		"10.7":                 `"10.7" cannot say who may be asked, expected an address in full such as 10.0.0.7, or a range such as 10.0.0.0/8`,
		"10.7:80":              `"10.7:80" cannot say who may be asked, expected an address in full such as 10.0.0.7, or a range such as 10.0.0.0/8`,
		"0x7f000001":           `"0x7f000001" cannot say who may be asked, expected an address in full such as 10.0.0.7, or a range such as 10.0.0.0/8`,
		"http://010.0.0.7":     `"http://010.0.0.7" cannot say who may be asked, expected an address in full such as 10.0.0.7, or a range such as 10.0.0.0/8`,
		"web*.7":               `"web*.7" cannot say who may be asked, expected an address in full such as 10.0.0.7, or a range such as 10.0.0.0/8`,
		"shop.300":             `"shop.300" cannot say who may be asked, expected a host pattern`,
		"shop..corp":           `"shop..corp" cannot say who may be asked, expected a host pattern`,
		"*..corp":              `"*..corp" cannot say who may be asked, expected a host pattern`,
		"shop:00":              `"shop:00" cannot say who may be asked, expected a port from 1 to 65535 or * after the colon`,
		"10.0.0.0/33":          `"10.0.0.0/33" cannot say who may be asked, expected a host pattern without user name, path and query`,
		"::ffff:0.0.0.0/90":    `"::ffff:0.0.0.0/90" cannot say who may be asked, expected at least 96 bits for a range of IPv4-mapped addresses`,
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
		{"metadata", "", nil, "http://169.254.169.254/latest", "http://169.254.169.254 may not be asked: it is a link-local or cloud metadata address, asked only where an allow list or a configured target names 169.254.169.254"},
		{"metadata in another form", "http: {allow: ['*', 169.254.169.254]}", nil, "http://[2002:a9fe:a9fe::1]", "http://[2002:a9fe:a9fe::1] (169.254.169.254) may not be asked: it is a link-local or cloud metadata address, asked only where an allow list or a configured target names 2002:a9fe:a9fe::1"},
		{"metadata in another form as a target", "", func(*testing.T) fetch.Settings {
			return fetch.Settings{Trusted: []string{"http://[2002:a9fe:a9fe::1]"}}
		}, "http://[2002:a9fe:a9fe::1]", ""},
		{"metadata as a target of another module", "", func(*testing.T) fetch.Settings {
			return fetch.Settings{Named: []string{"http://169.254.169.254/a"}}
		}, "http://169.254.169.254/b", ""},
		{"metadata at another port than the target's", "", func(*testing.T) fetch.Settings {
			return fetch.Settings{Trusted: []string{"http://169.254.169.254"}}
		}, "http://169.254.169.254:81", "http://169.254.169.254:81 may not be asked: it is a link-local or cloud metadata address, asked only where an allow list or a configured target names 169.254.169.254"},
		{"metadata as a target", "", func(*testing.T) fetch.Settings {
			return fetch.Settings{Trusted: []string{"http://169.254.169.254"}}
		}, "http://169.254.169.254", ""},
		{"a secret without a list", secret, nil, "http://any:1", "http://any:1 may not be asked: module shop holds a secret and has no allow list, so that it is sent only to the configured targets that use it (module and auth of a target say so); the secret is the header X-Key"},
		{"a secret for a target that does not use the module", secret, func(*testing.T) fetch.Settings { return fetch.Settings{Named: []string{"any:1/x"}} }, "http://any:1/y", "http://any:1 may not be asked: module shop holds a secret and has no allow list, so that it is sent only to the configured targets that use it (module and auth of a target say so); the secret is the header X-Key"},
		{"an auths entry for a target that names no module", "", func(t *testing.T) fetch.Settings {
			return fetch.Settings{Named: []string{"any"}, Auth: auth(t, "client: {bearer_token: abc}")}
		}, "any", ""},
		{"a secret for a configured target", secret, func(*testing.T) fetch.Settings { return fetch.Settings{Trusted: []string{"any:1/x"}} }, "http://any:1/y", ""},
		{"a secret for the same host at another port", secret, func(*testing.T) fetch.Settings { return fetch.Settings{Trusted: []string{"any:1/x"}} }, "any:2", "http://any:2 may not be asked: module shop holds a secret and has no allow list, so that it is sent only to the configured targets that use it (module and auth of a target say so); the secret is the header X-Key"},
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
		}, "any", "http://any may not be asked: auths entry prod holds a secret and has no allow list, so that it is sent only to the configured targets that use it (module and auth of a target say so); the secret is bearer_token"},
		{"an auths entry with a list", "", func(t *testing.T) fetch.Settings {
			return fetch.Settings{Auth: auth(t, "{client: {bearer_token: abc}, allow: any}")}
		}, "any", ""},
		{"an auths entry replaces the module's secrets", secret, func(t *testing.T) fetch.Settings {
			return fetch.Settings{Auth: auth(t, "{headers: {Authorization: Bearer abc}, allow: any}")}
		}, "any", ""},
		{"what it does not replace stays bound", "http: {params: {k: {secret: abc}}}", func(t *testing.T) fetch.Settings {
			return fetch.Settings{Auth: auth(t, "{headers: {Authorization: Bearer abc}, allow: any}")}
		}, "any", "http://any may not be asked: module shop holds a secret and has no allow list, so that it is sent only to the configured targets that use it (module and auth of a target say so); the secret is the param k"},
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

// TestDeny checks what a denied address and range refuse, in whatever form the
// target names the address.
func TestDeny(t *testing.T) {
	tests := []struct{ deny, denied, asked string }{
		{"64:ff9b::/96", "http://[64:ff9b::a01:203]", "http://10.1.2.3 http://[64:ff9b:1::a01:203]"},
		{"::/128", "http://[::]", "http://[::1]"},
		{"::ffff:10.0.0.0/104", "http://10.1.2.3 http://[::ffff:10.1.2.3]", "http://11.0.0.1"},
		{"0.0.0.0/8", "http://0.0.0.0 http://0.1.2.3", "http://127.0.0.1 http://[::1] http://[64:ff9b:1::a01:203]"},
		{"10.0.0.0/8", "http://[64:ff9b::a01:203] http://[2002:a01:203::1] http://[2001::f5fe:fdfc] http://[::10.1.2.3] http://[::ffff:0:10.1.2.3]", "http://[2002:b01:203::1] http://[2001::a01:203]"},
		{"10.1.2.3", "http://[64:ff9b:1::a01:203] http://[64:ff9b:1:0:a:102:300:0] http://[64:ff9b:1:a:1:203::] http://[64:ff9b:1:a01:2:300::]", "http://[64:ff9b:1::a01:204]"},
		{"127.0.0.0/8", "http://0.0.0.0 http://[2002:7f00:1::]", "http://[::1]"},
		{"[::1]", "http://[::] http://[::1]:9", "http://127.0.0.1"},
		{"10.0.0.7:80", "http://10.0.0.7 http://10.0.0.7. http://[::ffff:10.0.0.7] http://[64:ff9b::a00:7] http://[2002:a00:7::] https://10.0.0.7:80", "http://10.0.0.7:81 http://10.0.0.8"},
		{"10.0.0.7:0080", "http://10.0.0.7 http://10.0.0.7:00080", "http://10.0.0.7:81"},
		{"10.0.0.7:8080", "http://10.0.0.7:08080 10.0.0.7:008080", "http://10.0.0.7:808"},
		{"shop.corp", "http://shop.corp http://shop.corp. http://SHOP.corp\u3002:1 http://shop.corp\uff0e http://shop\uff61corp http://shop.corp%E3%80%82", "http://shop.corp.example"},
		{"shop.corp\u3002", "http://shop.corp http://shop.corp.", "http://shop"},
		{"*.deny.corp", "http://db.deny.corp\u3002 http://db.deny.corp\uff0e:1 http://a.b\u3002deny.corp.", "http://deny.corp"},
		{"*.DENY\u3002corp\uff0e", "http://db.deny.corp", "http://deny.corp"},
		{"10.1.2.3", "http://167838211 http://0xa010203 http://0XA.66051 http://012.0x1.01003 http://10.1.2.3. http://10.1.2.3\u3002 http://\uff11\uff10.1.2.3", "http://10.1.3.2"},
		{"127.0.0.1", "http://0 http://0x http://00.0.0 http://2130706433", "http://1"},
		{"https://[64:ff9b::a00:7]", "https://10.0.0.7 https://[64:ff9b::a00:7]", "http://10.0.0.7"},
	}
	for _, test := range tests {
		c := newClient(t, "http: {allow: '*'}", fetch.Settings{Policy: fetch.Policy{Deny: allowList(t, test.deny)}})
		for target := range strings.FieldsSeq(test.denied) {
			_, err := c.Probe(fetch.Request{Target: target})
			if refused := (*fetch.RefusedError)(nil); !errors.As(err, &refused) || refused.Rule != "--probe.deny-targets names "+test.deny {
				t.Errorf("deny %s: %s was not refused by it: %v", test.deny, target, err)
			}
		}
		for target := range strings.FieldsSeq(test.asked) {
			if _, err := c.Probe(fetch.Request{Target: target}); err != nil {
				t.Errorf("deny %s: %v", test.deny, err)
			}
		}
	}
}

// TestDeniedConnections asks one server by all names that lead to it.
func TestDeniedConnections(t *testing.T) {
	asked := 0
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { asked++; _, _ = w.Write([]byte("{}")) })
	const unknown, none = "unknown", "none"
	// A name, and the unspecified address of IPv6, may lead to ::1 as well, where
	// nothing listens: which of the two failures is told is not known then.
	tests := []struct{ deny, host, want string }{
		{"127.0.0.1:PORT", "127.0.0.1", "127.0.0.1:PORT"},
		{"127.0.0.1:PORT", "0.0.0.0", "127.0.0.1:PORT"},
		{"127.0.0.1:0PORT", "127.0.0.1", "127.0.0.1:0PORT"},
		{"127.0.0.1:PORT", "127.0.0.1.", "127.0.0.1:PORT"},
		{"127.0.0.1:PORT", "0x7f.1", "127.0.0.1:PORT"},
		{"127.0.0.1:PORT", "[::ffff:127.0.0.1]", "127.0.0.1:PORT"},
		{"127.0.0.1:PORT", "localhost", unknown},
		{"127.0.0.1:PORT", "[::]", unknown},
		{"127.0.0.1:PORT [::1]:PORT", "localhost", ":PORT"},
		{"http://127.0.0.1:PORT http://[::1]:PORT", "localhost", ":PORT"},
		{"http://127.0.0.1:* http://[::1]:*", "localhost", ":*"},
		{"[::ffff:127.0.0.1]:PORT [::1]:PORT", "localhost", ":PORT"},
		{"http://0.0.0.0:PORT", "127.0.0.1", "http://0.0.0.0:PORT"},
		{"https://127.0.0.1:PORT", "localhost", none},
		{"http://127.0.0.1", "localhost", none},
		{"127.0.0.1:1 127.0.0.2:PORT", "localhost", none},
		{"0.0.0.0/8", "0.0.0.0", "0.0.0.0/8"},
		{"0.0.0.0/8", "localhost", none},
		{"::ffff:127.0.0.0/104", "127.0.0.1", "::ffff:127.0.0.0/104"},
		{"::ffff:127.0.0.0/104", "0.0.0.0", "::ffff:127.0.0.0/104"},
		{"::ffff:127.0.0.0/104", "localhost", unknown},
	}
	for _, test := range tests {
		port := strings.NewReplacer("PORT", portOf(s))
		deny, target := port.Replace(test.deny), "http://"+test.host+":"+portOf(s)
		t.Run(test.deny+" "+test.host, func(t *testing.T) {
			asked = 0
			c := newClient(t, "", fetch.Settings{Policy: fetch.Policy{Deny: allowList(t, strings.Fields(deny)...)}})
			p, err := c.Probe(fetch.Request{Target: target})
			if err == nil {
				if doc := p.Read(t.Context())[0]; doc.Failure != nil {
					err = doc.Failure
				}
			}
			if test.want == none {
				if err != nil || asked != 1 {
					t.Errorf("%s was asked %d times, want 1: %v", target, asked, err)
				}
				return
			}
			if err == nil || asked != 0 {
				t.Errorf("%s was asked %d times: %v", target, asked, err)
			}
			if test.want != unknown {
				refused := (*fetch.RefusedError)(nil)
				if !errors.As(err, &refused) || !strings.HasPrefix(refused.Rule, "--probe.deny-targets names ") || !strings.HasSuffix(refused.Rule, port.Replace(test.want)) {
					t.Errorf("got %v, want the rule %s", err, test.want)
				}
			}
		})
	}
}

// TestDialled checks that what is dialled is what was checked, and what the target is
// told of its name.
func TestDialled(t *testing.T) {
	var host string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if to := r.URL.Query().Get("to"); to != "" {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
			return
		}
		host = r.Host
		_, _ = io.WriteString(w, "{}")
	})
	proxied := serve(t, func(w http.ResponseWriter, r *http.Request) {
		host = r.RequestURI + " " + r.Host
		_, _ = io.WriteString(w, "{}")
	})
	port := portOf(s)
	loopback := "127.0.0.1:" + port
	direct, proxy := newClient(t, "", fetch.Settings{}), newClient(t, "http: {client: {proxy_url: '"+proxied.URL+"'}}", fetch.Settings{})
	tests := []struct {
		name   string
		client *fetch.Client
		target string
		want   string
	}{
		{"as it is", direct, "http://127.0.0.1:" + port, loopback},
		{"a port with zeros", direct, "http://127.0.0.1:0" + port, loopback},
		{"an address with a final dot", direct, "http://127.0.0.1.:" + port, loopback},
		{"an address with an ideographic dot", direct, "127.0.0\u30021\uff61:" + port, loopback},
		{"an address as one number", direct, "http://2130706433:" + port, loopback},
		{"a name in capitals", direct, "http://LOCALHOST:" + port, "localhost:" + port},
		{"a redirect", direct, s.URL + "/?to=" + url.QueryEscape("http://0x7f.1.:0"+port+"/"), loopback},
		{"through a proxy", proxy, "http://Shop.Example:0080/x", "http://shop.example:80/x shop.example:80"},
		{"a name with a final dot through a proxy", proxy, "http://shop.example\u3002/x", "http://shop.example./x shop.example."},
		{"a name beyond ASCII through a proxy", proxy, "http://M\u00fcnchen.example/", "http://xn--mnchen-3ya.example/ xn--mnchen-3ya.example"},
		{"an address through a proxy", proxy, "http://012.1:81/x", "http://10.0.0.1:81/x 10.0.0.1:81"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			host = ""
			if one(t, read(t, test.client, test.target)); host != test.want {
				t.Errorf("got %q, want %q", host, test.want)
			}
		})
	}
}

// TestMetadataBehindProxy checks that nothing leaves for a proxy that it could read
// as the address of a metadata service.
func TestMetadataBehindProxy(t *testing.T) {
	asked := ""
	proxy := serve(t, func(w http.ResponseWriter, r *http.Request) { asked = r.RequestURI; _, _ = io.WriteString(w, "{}") })
	t.Setenv("http_proxy", proxy.URL)
	for _, yaml := range []string{"http: {client: {proxy_url: '" + proxy.URL + "'}}", "http: {client: {proxy_from_environment: true}}"} {
		c := newClient(t, yaml, fetch.Settings{})
		for target, wantRefused := range map[string]bool{
			"http://2852039166/": true, "http://0xa9fea9fe/": true, "http://0251.0376.0251.0376/": true, "http://169.254.43518/": true,
			"http://169.16689662/": true, "http://169.254.169.254./": true, "http://169.254.169.254\u3002/": true, "http://\uff11\uff16\uff19.254.169.254/": true,
			"http://0xA9.0xFE.0xA9.0XFE/": true, "http://169.254.169.254../": false, "http://169.254.169.0400/": false, "http://4294967296/": false,
			"http://169.254.169.254.1/": false, "http://08/": false, "http://1.2.3.0x1ff/": false, "http://x.1/": false,
		} {
			_, err := c.Probe(fetch.Request{Target: target})
			refused, bad := (*fetch.RefusedError)(nil), (*fetch.BadTargetError)(nil)
			if isRefused := errors.As(err, &refused); isRefused != wantRefused || !isRefused && !errors.As(err, &bad) {
				t.Errorf("%s: got %v, want it refused %t, else bad", target, err, wantRefused)
			}
		}
		if asked != "" {
			t.Errorf("the proxy was asked for %s", asked)
		}
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

// TestRedirectedUserinfo checks that what a redirect says before the host is
// neither used nor shown.
func TestRedirectedUserinfo(t *testing.T) {
	for _, test := range []struct{ name, from, want string }{
		{"followed", "/", ""},
		{"in a circle", "/circle", "it is redirected in a circle, back to URL/circle"},
	} {
		t.Run(test.name, func(t *testing.T) {
			asked := 0
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if got := r.Header.Get("Authorization"); got != "" {
					t.Errorf("%s was asked with the Authorization %q", r.URL, got)
				}
				if r.URL.Path == "/status" {
					_, _ = io.WriteString(w, "{}")
					return
				}
				asked++
				to := map[string]string{"/": "/status", "/circle": "/circle"}[r.URL.Path]
				w.Header().Set("Location", fmt.Sprintf("http://user%d:s3cret@%s%s", asked, r.Host, to))
				w.WriteHeader(http.StatusFound)
			})
			docs := readWith(t, newClient(t, "", fetch.Settings{}), fetch.Request{Target: s.URL + test.from, Excerpt: 100, Explain: true})
			shown := fmt.Sprintf("%+v", docs[0].Exchanges)
			if test.want == "" {
				one(t, docs)
			} else {
				got := failure(t, docs, document.ReasonRedirect)
				contains(t, strings.ReplaceAll(got, s.URL, "URL"), test.want)
				shown += got
			}
			if len(docs[0].Exchanges) != 2 || strings.Contains(shown, "s3cret") || strings.Contains(shown, "user") {
				t.Errorf("shown is %s, want two exchanges without userinfo", shown)
			}
		})
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
