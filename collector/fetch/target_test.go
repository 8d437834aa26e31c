package fetch_test

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/document"
	"status_exporter/collector/fetch"
	"status_exporter/collector/tree"
)

func TestTarget(t *testing.T) {
	const yaml = "http: {scheme: https, port: 8443, allow: ['*', 'unix:*', 'fe80::/10']}"
	tests := []struct{ target, want string }{
		{"http://shop", "http://shop"},
		{"HTTP://shop:8000/status", "http://shop:8000/status"},
		{"https://shop/", "https://shop"},
		{"shop", "https://shop:8443"},
		{"shop:1", "https://shop:1"},
		{"shop/status?a=b&c", "https://shop:8443/status?a=...&..."},
		{"10.0.0.1", "https://10.0.0.1:8443"},
		{"2001:db8::1", "https://[2001:db8::1]:8443"},
		{"[2001:db8::1]:1/x", "https://[2001:db8::1]:1/x"},
		{"http://shop/a%2Fb;c#top", "http://shop/a%2Fb;c"},
		{"shop/http://other", "https://shop:8443/http://other"},
		{"Shop.:08080", "https://shop.:8080"},
		{"http://10.8:080", "http://10.0.0.8:80"},
		{"http://[FE80::1%25Eth0]:1", "http://[fe80::1%25Eth0]:1"},
		{"http://[::ffff:10.0.0.1]", "http://10.0.0.1"},
	}
	c := newClient(t, yaml, fetch.Settings{})
	for _, test := range tests {
		p, err := c.Probe(fetch.Request{Target: test.target})
		if err != nil {
			t.Errorf("%v", err)
		} else if p.Target() != test.want {
			t.Errorf("%s: got %s, want %s", test.target, p.Target(), test.want)
		}
	}
}

func TestBadTargets(t *testing.T) {
	const forms = "expected http://host:port/path, https://…, host:port or unix:/run/name.sock:/path"
	tests := []struct{ target, want string }{
		{"", `target "": empty, ` + forms},
		{"file:///etc/passwd", `target "file:///etc/passwd": the scheme "file" is never fetched, ` + forms},
		{"file:/etc/passwd", `target "file:/etc/passwd": no port stands after the colon, ` + forms},
		{"ftp://shop", `target "ftp://shop": the scheme "ftp" is never fetched, ` + forms},
		{"http://", `target "http://": it names no host, ` + forms},
		{"http:///x", `target "http:///x": it names no host, ` + forms},
		{"http://u:s3cret@shop/x?k=s3cret", `target "http://shop/x?k=...": it holds a user name or password, which would show in labels and logs; credentials belong in the module's http.client or under auths`},
		{"u:s3cret@shop", `target "shop": it holds a user name or password, which would show in labels and logs; credentials belong in the module's http.client or under auths`},
		{"http://u:s3cret@shop:x", `target "http://shop:x": not a URL, ` + forms},
		{"http://sh op", `target "http://sh op": not a URL, ` + forms},
		{"http://shop\n", `target "http://shop\n": not a URL, ` + forms},
		{"http://shop:0", `target "http://shop:0": the port is 0, expected a number from 1 to 65535`},
		{"http://shop:99999", `target "http://shop:99999": the port is 99999, expected a number from 1 to 65535`},
		{"http://a$b", `target "http://a$b": "a$b" is not the name of a host`},
		{"http://a..b", `target "http://a..b": "a..b" is not the name of a host`},
		{"http://.", `target "http://.": it names no host, ` + forms},
		{"http://web.1", `target "http://web.1": "web.1" ends in a number and is no IPv4 address, expected one such as 10.0.0.7, or the name of a host`},
		{"http://[fe80::1%25a!b]", `target "http://[fe80::1%25a!b]": "fe80::1%a!b" is not the name of a host`},
		{"http://unix%2f2f61", `target "http://unix%2f2f61": not a URL, ` + forms},
		{"unix:run/x", `target "unix:run/x": expected the absolute name of a socket, such as unix:/run/name.sock:/path`},
		{"unix:/run/x:/%zz", `target "unix:/run/x:/%zz": "/%zz" is not a path, ` + forms},
		{"unix:/run/x:/%zz?t=s3cret", `target "unix:/run/x:/%zz?t=...": "/%zz?t=..." is not a path, ` + forms},
		{strings.Repeat("a", 5000), `target "` + strings.Repeat("a", 197) + `...": 5000 bytes long, expected at most 4096`},
	}
	c := newClient(t, "", fetch.Settings{})
	for _, test := range tests {
		_, err := c.Probe(fetch.Request{Target: test.target})
		if bad := (*fetch.BadTargetError)(nil); !errors.As(err, &bad) || err.Error() != test.want {
			t.Errorf("%q:\ngot  %v\nwant %s", test.target, err, test.want)
		}
	}
	o, _ := decode("http: {scheme: https}", nil)
	want := `target "unix:/run/x": a unix socket is asked with plain HTTP, and the module's scheme is https`
	if err := o.CheckTarget("unix:/run/x"); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := o.CheckTarget("shop"); err != nil {
		t.Error(err)
	}
}

// FuzzTarget checks that what is accepted is http, shows no credentials, has a host
// that can be read in one way only, and is the same when it is read again.
func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"http://shop:8000/status?a=b", "shop", "[::1]:80", "unix:/run/x.sock:/status", "http://u:p@shop", "fe80::1%eth0", "http://[fe80::1%25eth0]:080", "http://0x7f.1.", "shop\u3002corp", "http://a@b@c/", "://", "unix:"} {
		f.Add(seed)
	}
	o, _ := decode("http: {allow: ['*', 'unix:*', 'fe80::/10', 169.254.0.0/16, 'fd00:ec2::/32']}", nil)
	c, err := fetch.New(o, fetch.Settings{Module: "test"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, target string) {
		p, err := c.Probe(fetch.Request{Target: target})
		if err != nil {
			return
		}
		shown := p.Target()
		if !strings.HasPrefix(shown, "unix:") {
			u, err := url.Parse(shown)
			if err != nil || !settled(strings.TrimSuffix(u.Hostname(), "."), u.Port()) {
				t.Errorf("%q became %q, whose host can be read in another way: %v", target, shown, err)
			}
		}
		if len(shown) > 4096 {
			return // an escaped path may be longer than what a target may be
		}
		if !strings.HasPrefix(shown, "http://") && !strings.HasPrefix(shown, "https://") && !strings.HasPrefix(shown, "unix:/") {
			t.Errorf("%q became %q", target, shown)
		}
		again, err := c.Probe(fetch.Request{Target: shown})
		if err != nil {
			t.Fatalf("%q became %q: %v", target, shown, err)
		}
		if again.Target() != shown {
			t.Errorf("%q became %q and then %q", target, shown, again.Target())
		}
	})
}

// settled tells whether a host and port are written in the only way there is.
func settled(host, port string) bool {
	if strings.HasPrefix(port, "0") {
		return false
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().String() == host
	}
	return plainHost.MatchString(host) && !number.MatchString(host)
}

var (
	plainHost = regexp.MustCompile(`^[a-z0-9_-]+(\.[a-z0-9_-]+)*$`)
	number    = regexp.MustCompile(`(^|\.)([0-9]+|0x[0-9a-f]*)$`) // it may be read as an address
)

func TestUnixSocket(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.sock")
	l, err := net.Listen("unix", file)
	if err != nil {
		t.Fatal(err)
	}
	other := serve(t, text("{}"))
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/relative":
			w.Header().Set("Location", "/status")
			w.WriteHeader(302)
		case "/absolute":
			w.Header().Set("Location", "http://localhost/status")
			w.WriteHeader(302)
		case "/away":
			w.Header().Set("Location", other.URL)
			w.WriteHeader(302)
		default:
			_, _ = w.Write([]byte(`["` + r.Host + r.RequestURI + `"]`))
		}
	})}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })

	// The path counts as the socket's, a proxy does not.
	c := newClient(t, "http: {path: /status, params: {a: b}, client: {proxy_url: http://127.0.0.1:1}}", fetch.Settings{Trusted: []string{"unix:" + file}})
	for target, want := range map[string]string{
		"":           "localhost/status?a=b",
		":/":         "localhost/status?a=b",
		":/x":        "localhost/x?a=b",
		":/x?a=c":    "localhost/x?a=c",
		":/relative": "localhost/status",
		":/absolute": "localhost/status",
	} {
		doc := one(t, read(t, c, "unix:"+file+target))
		if diff := cmp.Diff([]any{want}, tree.Go(doc.Value)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", target, diff)
		}
	}
	if doc := one(t, read(t, c, "unix:"+file)); !doc.Exchanges[0].Reused || doc.Exchanges[0].URL != "unix:"+file+":/status?a=..." {
		t.Errorf("got the exchange %+v", doc.Exchanges[0])
	}
	contains(t, failure(t, read(t, c, "unix:"+file+":/away"), document.ReasonRedirect), "302 Found, away from the unix socket")
}
