package fetch_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"status_exporter/collector/document"
	"status_exporter/collector/fetch"
)

// office is a token endpoint and a target that wants the newest of its tokens.
type office struct {
	tokens, target *httptest.Server
	given          atomic.Int32
	valid          atomic.Int32
	form           atomic.Value // url.Values of the last request
	lifetime       int          // in seconds
}

func newOffice(t *testing.T) *office {
	o := &office{lifetime: 3600}
	o.tokens = serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		o.form.Store(form)
		user, password, _ := r.BasicAuth()
		if form.Get("assertion") == "" && (user != "me" || password != "s3cret") {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"error": "invalid_client", "error_description": "not %s"}`, password)
			return
		}
		n := o.given.Add(1)
		o.valid.Store(n)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token": "token-%d", "token_type": "Bearer", "expires_in": %d}`, n, o.lifetime)
	})
	o.target = serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != fmt.Sprint("Bearer token-", o.valid.Load()) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, "{}")
	})
	return o
}

func (o *office) module(more string) string {
	return "http: {allow: ['" + o.target.URL + "'], client: {oauth2: {client_id: me, token_url: '" + o.tokens.URL + "/token', " + more + "}}}"
}

func TestOAuth2(t *testing.T) {
	o := newOffice(t)
	c := newClient(t, o.module("client_secret: s3cret, scopes: [a, b], endpoint_params: {audience: x}"), fetch.Settings{})
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			p, err := c.Probe(fetch.Request{Target: o.target.URL})
			if err != nil {
				t.Error(err)
				return
			}
			if doc := p.Read(t.Context())[0]; doc.Failure != nil {
				t.Error(doc.Failure)
			}
		})
	}
	wg.Wait()
	if n := o.given.Load(); n != 1 {
		t.Errorf("%d tokens were asked for, want 1", n)
	}
	form := o.form.Load().(url.Values)
	if form.Get("grant_type") != "client_credentials" || form.Get("scope") != "a b" || form.Get("audience") != "x" {
		t.Errorf("the request for a token was %v", form)
	}
	o.valid.Store(-1) // withdrawn
	doc := one(t, read(t, c, o.target.URL))
	if n := o.given.Load(); n != 2 || len(doc.Exchanges) != 3 {
		t.Errorf("%d tokens were asked for in %d exchanges, want 2 in 3", n, len(doc.Exchanges))
	}
	for _, e := range doc.Exchanges {
		if got := e.RequestHeader.Get("Authorization"); got != "<secret>" {
			t.Errorf("the exchange with %s shows Authorization: %s", e.URL, got)
		}
	}
}

// TestOAuth2Expires checks that a token that is about to end is not used.
func TestOAuth2Expires(t *testing.T) {
	o := newOffice(t)
	o.lifetime = 5
	c := newClient(t, o.module("client_secret: s3cret"), fetch.Settings{})
	for want := range int32(3) {
		one(t, read(t, c, o.target.URL))
		if n := o.given.Load(); n != want+1 {
			t.Errorf("%d tokens were asked for, want %d", n, want+1)
		}
	}
}

// TestOAuth2SecretFile checks that the file of the secret is read anew.
func TestOAuth2SecretFile(t *testing.T) {
	o := newOffice(t)
	name := filepath.Join(t.TempDir(), "secret")
	write := func(s string) {
		if err := os.WriteFile(name, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("wrong")
	c := newClient(t, o.module("client_secret_file: "+name), fetch.Settings{})
	got := failure(t, read(t, c, o.target.URL), document.ReasonLogin)
	if want := "getting a token at " + o.tokens.URL + "/token: it answered 401 Unauthorized, expected 200 OK"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	write("s3cret\n")
	one(t, read(t, c, o.target.URL))
}

func TestOAuth2JWT(t *testing.T) {
	o := newOffice(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "key.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	if err := os.WriteFile(name, block, 0o600); err != nil {
		t.Fatal(err)
	}
	const grant = "grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', "
	c := newClient(t, o.module(grant+"claims: {team: a}, client_certificate_key_file: "+name), fetch.Settings{})
	one(t, read(t, c, o.target.URL))
	if form := o.form.Load().(url.Values); strings.Count(form.Get("assertion"), ".") != 2 {
		t.Errorf("the request for a token was %v", form)
	}
	c = newClient(t, o.module(grant+"client_certificate_key: s3cret"), fetch.Settings{})
	if got, want := failure(t, read(t, c, o.target.URL), document.ReasonLogin), "getting a token: the client_certificate_key of oauth2 is not an RSA key in PEM"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestOAuth2Fails(t *testing.T) {
	target := serve(t, text("{}"))
	module := func(token string) string {
		return "http: {allow: '*', client: {oauth2: {client_id: me, client_secret: s3cret, token_url: '" + token + "/token?k=s3cret'}}}"
	}
	tests := []struct {
		name, token string
		policy      fetch.Policy
		reason      document.Reason
		want        string
	}{
		{"down", "http://" + closedPort(t), fetch.Policy{}, document.ReasonConnect, "getting a token: asking TOKEN/token?k=...: cannot connect to 127.0.0.1:"},
		{"silent", "http://" + listen(t, false, silent), fetch.Policy{}, document.ReasonTimeout, "getting a token: asking TOKEN/token?k=...: the deadline passed while waiting for the answer"},
		{"not JSON", serve(t, text("s3cret")).URL, fetch.Policy{}, document.ReasonLogin, "getting a token at TOKEN/token?k=...: the answer holds no access token"},
		{"no token", serve(t, text("{}")).URL, fetch.Policy{}, document.ReasonLogin, "getting a token at TOKEN/token?k=...: the answer holds no access token"},
		{"redirected", serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/s3cret", http.StatusTemporaryRedirect)
		}).URL, fetch.Policy{}, document.ReasonLogin, "getting a token at TOKEN/token?k=...: it answered 307 Temporary Redirect, expected 200 OK"},
		{"drips", "http://" + listen(t, true, drip("HTTP/1.1 200 OK\r\n\r\n")), fetch.Policy{}, document.ReasonTimeout, "getting a token: asking TOKEN/token?k=...: the deadline passed while reading the answer"},
		{"read as it is dialled", "http://0x7f.1.:0" + strings.TrimPrefix(closedPort(t), "127.0.0.1:"), fetch.Policy{}, document.ReasonConnect, "getting a token: asking http://127.0.0.1:"},
		{"denied", "http://localhost:1", fetch.Policy{Deny: allowList(t, "localhost")}, document.ReasonRefused, "getting a token: TOKEN may not be asked: --probe.deny-targets names localhost"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newClient(t, module(test.token), fetch.Settings{Policy: test.policy})
			checkLeaks(t, c)
			p, err := c.Probe(fetch.Request{Target: target.URL})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			began := time.Now()
			got := strings.ReplaceAll(failure(t, p.Read(ctx), test.reason), test.token, "TOKEN")
			if !strings.HasPrefix(got, test.want) || strings.Contains(got, "s3cret") {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if took := time.Since(began); took > 400*time.Millisecond+slack {
				t.Errorf("took %v", took)
			}
		})
	}
}

// proxy is an HTTP proxy that knows how to CONNECT.
func proxy(t *testing.T, wants string) (*httptest.Server, *atomic.Int32) {
	var used atomic.Int32
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		used.Add(1)
		if r.Header.Get("Proxy-Authorization") != wants {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		if r.Method != http.MethodConnect {
			r.RequestURI = ""
			answer, err := transport.RoundTrip(r)
			if err != nil {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			defer answer.Body.Close()
			_, _ = io.Copy(w, answer.Body)
			return
		}
		to, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer to.Close()
		from, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer from.Close()
		_, _ = io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(to, from) }()
		_, _ = io.Copy(from, to)
	})
	return s, &used
}

func TestProxy(t *testing.T) {
	p, used := proxy(t, "Basic dTpzM2NyZXQ=")
	plain := serve(t, text("{}"))
	secure := tlsServer(t, text("{}"), nil)
	with := func(userinfo, more string) *fetch.Client {
		return newClient(t, "http: {allow: '*', client: {tls_config: {insecure_skip_verify: true}, proxy_url: 'http://"+userinfo+hostOf(p)+"'"+more+"}}", fetch.Settings{})
	}
	c := with("u:s3cret@", "")
	for i, target := range []string{plain.URL, secure.URL} {
		one(t, read(t, c, target))
		if used.Load() != int32(i+1) {
			t.Errorf("%s was not asked through the proxy", target)
		}
	}
	used.Store(0)
	one(t, read(t, with("", ", no_proxy: '127.0.0.1'"), plain.URL))
	if used.Load() != 0 {
		t.Error("no_proxy was not heeded")
	}
	c = with("", "")
	got := failure(t, read(t, c, secure.URL), document.ReasonConnect)
	if want := "asking " + secure.URL + "/: the proxy http://" + hostOf(p) + " answered 407 Proxy Authentication Required"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestProxyHangs checks that a proxy that never answers holds nothing.
func TestProxyHangs(t *testing.T) {
	c := newClient(t, "http: {client: {proxy_url: 'http://"+listen(t, false, silent)+"'}}", fetch.Settings{})
	checkLeaks(t, c)
	p, err := c.Probe(fetch.Request{Target: "https://shop.example"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	failure(t, p.Read(ctx), document.ReasonTimeout)
}
