package fetch_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"status_exporter/collector/fetch"
	"status_exporter/config/options"
)

// What stands in a header for an environment variable is a secret, whatever the
// header's name.
func TestVariablesInHeadersAreSecrets(t *testing.T) {
	var got http.Header
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		_, _ = w.Write([]byte(`{}`))
	})
	getenv := func(name string) (string, bool) { return "marked-" + name, true }
	for _, allow := range []string{"", ", allow: '*'"} {
		o, d := decode(`http: {headers: {X-Pass: "a ${KEY}", X-Price: "5 $$"}`+allow+"}", getenv)
		o.Check(d)
		if err := d.Err(); err != nil {
			t.Fatal(err)
		}
		c, err := fetch.New(o, fetch.Settings{Module: "shop"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		if allow == "" {
			if _, err := c.Probe(fetch.Request{Target: s.URL}); err == nil || !strings.Contains(err.Error(), "holds a secret and has no allow list") {
				t.Errorf("without an allow list got %v", err)
			}
			continue
		}
		one(t, read(t, c, s.URL))
		if got.Get("X-Pass") != "a marked-KEY" || got.Get("X-Price") != "5 $" {
			t.Errorf("the target got %v", got)
		}
	}
}

// What a login sends, and a param that is named like a credential, is a secret however
// it is written; it is sent to the letter.
func TestPlainSecrets(t *testing.T) {
	tests := map[string]struct {
		http  string
		sent  string // that the target must get
		bound bool
	}{
		"a login's body":      {`login: {path: /login, body: 'a=b&pass=$$ ${KEY}', token: .t}`, "/login a=b&pass=$$ ${KEY}", true},
		"a login's params":    {`login: {path: /login, params: {user: me, passwd: "$$ x"}, token: .t}`, "/login?user=me&passwd=%24%24+x ", true},
		"a param":             {`params: {n: 1, Access-Token: "$$$$"}`, "/?n=1&Access-Token=%24%24%24%24 ", true},
		"another param":       {`params: {keys: "1", tokens: "2", author: "3", session: "4"}`, "/?author=3&keys=1&session=4&tokens=2 ", false},
		"a path's query":      {`path: "/x?n=1&access_token=$$$$"`, "/x?n=1&access_token=$$$$ ", true},
		"no value there":      {`path: "/x?token&key=&pass="`, "/x?token&key=&pass= ", false},
		"an expression there": {`path: '/x?token=\($target)'`, "/x?token=", false},
		"a login's query":     {`login: {path: "/login?pass=abcd", token: .t}`, "/login?pass=abcd ", true},
		"an empty param":      {`params: {token: ""}`, "/?token= ", false},
		"a switch":            {`params: {with_token: "false", signature: none}`, "/?signature=none&with_token=false ", false},
		"a short param":       {`params: {token: abc}`, "/?token=abc ", false},
		"a number":            {`params: {token: "-100"}`, "/?token=-100 ", false},
		"a longer number":     {`params: {pass: 1234}`, "/?pass=1234 ", true},
		"a short secret":      {`params: {token: {secret: "no"}}`, "/?token=no ", true},
		"a switch in a path":  {`path: "/a?show_token=0&with_pass=TRUE"`, "/a?show_token=0&with_pass=TRUE ", false},
		"a template":          {`params: {token: '\($target)'}`, "/?token=", false},
		"a body of no login":  {`body: "pass=$$"`, "/ pass=$$", false},
		"a login with nobody": {`login: {path: /login, body: "", token: .t}`, "/login ", false},
	}
	for name, test := range tests {
		var got []string
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			got = append(got, r.URL.String()+" "+string(body))
			_, _ = w.Write([]byte(`{"t": "session"}`))
		})
		c := newClient(t, `http: {`+test.http+`, allow: "*"}`, fetch.Settings{})
		one(t, read(t, c, s.URL))
		if len(got) == 0 || !strings.HasPrefix(got[0], test.sent) {
			t.Errorf("%s: the target got %q, expected %q first", name, got, test.sent)
		}
		_, err := newClient(t, `http: {`+test.http+`}`, fetch.Settings{}).Probe(fetch.Request{Target: s.URL})
		if bound := err != nil && strings.Contains(err.Error(), "holds a secret and has no allow list"); bound != test.bound {
			t.Errorf("%s: without an allow list got %v", name, err)
		}
	}
}

// The error of a target that may not be sent a secret names what is taken for one.
func TestSecretsAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		`params: {b: {secret: x}, auth_token: hunter2}`:               "the param auth_token",
		`path: "/a?n=1&access_token=hunter2"`:                         "the param access_token in the path",
		`headers: {X-Said: {secret: x}}`:                              "the header X-Said",
		`headers: {X-Api-Key: x}`:                                     "the header X-Api-Key",
		`body: {secret: x}`:                                           "the body",
		`login: {path: /login, body: hunter2, token: .t}`:             "the body of login",
		`login: {path: /login, params: {pass: hunter2}, token: .t}`:   "the param pass of login",
		`client: {basic_auth: {username: a}}`:                         "basic_auth",
		`client: {authorization: {credentials: hunter2}}, params: {}`: "authorization",
	} {
		_, err := newClient(t, `http: {`+text+`}`, fetch.Settings{}).Probe(fetch.Request{Target: "http://shop"})
		if err == nil || !strings.HasSuffix(err.Error(), "; the secret is "+want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v, want it to name %s", text, err, want)
		}
	}
	var auth fetch.Auth
	d := options.NewDecoder(func(string) (string, bool) { return "", false })
	auth.Decode(d, d.Parse("a.yml", []byte(`{headers: {X-Pass: hunter2}}`)), "prod")
	if err := d.Err(); err != nil {
		t.Fatal(err)
	}
	_, err := newClient(t, "", fetch.Settings{Auth: &auth}).Probe(fetch.Request{Target: "http://shop"})
	if err == nil || !strings.HasSuffix(err.Error(), "; the secret is the header X-Pass") {
		t.Errorf("with an entry under auths got %v", err)
	}
}

// A variable beside an expression is a secret as well, and never a part of one.
func TestVariablesInTemplates(t *testing.T) {
	var got http.Header
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		_, _ = w.Write([]byte(`{}`))
	})
	const text = `http: {headers: {X-Said: 'pre ${PASS} \("${PASS}$$") $$'}ALLOW}`
	value := `a\(1 +\("b")`
	client := func(allow string, s fetch.Settings) *fetch.Client {
		o, d := decode(strings.Replace(text, "ALLOW", allow, 1), func(string) (string, bool) { return value, true })
		o.Check(d)
		if err := d.Err(); err != nil {
			t.Fatal(err)
		}
		c, err := fetch.New(o, s)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	if _, err := client("", fetch.Settings{}).Probe(fetch.Request{Target: s.URL}); err == nil || !strings.Contains(err.Error(), "holds a secret and has no allow list") {
		t.Errorf("without an allow list got %v", err)
	}
	c := client(", allow: '*'", fetch.Settings{})
	probe, err := c.Probe(fetch.Request{Target: s.URL, Explain: true})
	if err != nil {
		t.Fatal(err)
	}
	doc := one(t, probe.Read(t.Context()))
	if want := "pre " + value + " ${PASS}$$ $"; got.Get("X-Said") != want || !slices.Contains(doc.Secrets, value) || !slices.Contains(doc.Secrets, want) {
		t.Errorf("the target got %q, want %q; known are %q", got.Get("X-Said"), want, doc.Secrets)
	}
	if shown := doc.Exchanges[0].RequestHeader.Get("X-Said"); shown != "<secret>" {
		t.Errorf("the header is shown as %q", shown)
	}
	var auth fetch.Auth
	c = client("", fetch.Settings{Auth: &auth})
	one(t, read(t, c, s.URL))
	if got.Get("X-Said") != "" {
		t.Errorf("beside other credentials the target got %q", got.Get("X-Said"))
	}
}
