package fetch_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"status_exporter/collector/fetch"
)

// TestSecretsOfADocument checks what of a secret body is known as a secret.
func TestSecretsOfADocument(t *testing.T) {
	tests := map[string]struct {
		body      string
		want, not []string
	}{
		"a text":              {`'hunter2'`, []string{"hunter2"}, nil},
		"an object":           {`'{"password": "hunter2", "otp": 123456789012345678901, "keep": true}'`, []string{"hunter2", "123456789012345678901"}, []string{"true", "password"}},
		"an object in one":    {`'{"params": {"password": "hunter2"}}'`, []string{"hunter2"}, nil},
		"an array":            {`'[{"password": "hunter2"}, [["hunter3"]]]'`, []string{"hunter2", "hunter3"}, nil},
		"a JSON text":         {`'"hunt\u00e9r2"'`, []string{"huntér2"}, nil},
		"JSON lines":          {`"{\"a\": \"hunter2\"}\n{\"a\": \"hunter3\"}\n"`, []string{"hunter2", "hunter3"}, nil},
		"JSON in JSON":        {`'{"body": "{\"password\": \"hunter2\"}"}'`, []string{"hunter2"}, nil},
		"no JSON":             {`'12345 and more'`, []string{"12345 and more"}, []string{"12345"}},
		"a form":              {`'user=monitor&password=hunter2%2Bx'`, []string{"hunter2+x", "hunter2%2Bx", "monitor"}, []string{"password"}},
		"a form, not escaped": {`'user=monitor&password=50%off;x'`, []string{"50%off;x"}, nil},
		"a form of a number":  {`'123=hunter2'`, []string{"hunter2"}, nil},
		"JSON in a form":      {`'payload=%7B%22password%22%3A%22hunter2%22%7D'`, []string{"hunter2"}, nil},
		"texts without end":   {`'a=b=c=d=e=f=g'`, []string{"b=c=d=e=f=g", "d=e=f=g"}, []string{"e=f=g"}},
		"a name and a key":    {`'root:hunter2'`, []string{"hunter2"}, []string{"root"}},
		"one in JSON":         {`'{"a": "root:hunter2"}'`, []string{"hunter2"}, []string{"root"}},
		"XML":                 {`'<login user="monitor"><pass>hunter2</pass> and more <a:b/></login>'`, []string{"hunter2", "monitor"}, []string{"login", "pass", "/pass", "more"}},
		"lines":               {`"user: monitor\npassword: hunter2"`, []string{"monitor", "hunter2"}, []string{"user", "password"}},
		"no JSON, but nearly": {`"{'password': 'hunter2', keep: [1]}"`, []string{"hunter2"}, []string{"password", "keep"}},
	}
	target := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") })
	for name, test := range tests {
		c := newClient(t, "http: {allow: '*', body: {secret: "+test.body+"}}", fetch.Settings{})
		found := one(t, read(t, c, target.URL)).Secrets
		for _, secret := range test.want {
			if !slices.Contains(found, secret) {
				t.Errorf("%s: %q is missing in %q", name, secret, found)
			}
		}
		for _, text := range test.not {
			if slices.Contains(found, text) {
				t.Errorf("%s: %q is no secret in %q", name, text, found)
			}
		}
	}
}

// TestSecretsOfHeaders checks what of the headers and the URL of a request is known as
// a secret.
func TestSecretsOfHeaders(t *testing.T) {
	name := filepath.Join(t.TempDir(), "user")
	if err := os.WriteFile(name, []byte("monitor"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		http      string
		want, not []string
	}{
		"a token":              {`headers: {Authorization: 'Token token="hunter2", app="status"'}`, []string{"hunter2"}, []string{"Token", "status", "token"}},
		"a named key":          {`headers: {Authorization: 'ApiKey monitor:hunter2'}`, []string{"hunter2"}, []string{"ApiKey", "monitor"}},
		"a token among others": {`headers: {X-Emby-Authorization: 'MediaBrowser Client="status",Token="hunter2"'}`, []string{"hunter2"}, []string{"MediaBrowser", "status", "Client"}},
		"a named token":        {`headers: {Authorization: 'PVEAPIToken=u@pam!m=hunter2'}`, []string{"hunter2"}, []string{"PVEAPIToken"}},
		"a secret":             {`headers: {X-Said: {secret: 'Client="status", "K=hunter2"'}}`, []string{"status", "hunter2"}, []string{"Client", "K"}},
		"a pair":               {`headers: {X-Said: {secret: "root:hunter2"}}`, []string{"hunter2"}, []string{"root"}},
		"cookies":              {`headers: {Cookie: "sid=hunter2; b=hunter3"}`, []string{"hunter2", "hunter3"}, []string{"sid"}},
		"a user":               {`client: {basic_auth: {username: monitor, password: hunter2}}`, []string{"hunter2", "monitor:hunter2"}, []string{"monitor"}},
		"a user of a file":     {`client: {basic_auth: {username_file: ` + name + `, password: hunter2}}`, []string{"hunter2", "monitor"}, nil},
		"a user of a variable": {`client: {basic_auth: {username: "${USER}", password: hunter2}}`, []string{"hunter2", "<USER>:hunter2", "names: <USER>"}, []string{"<USER>"}},
		"a user alone":         {`client: {basic_auth: {username: hunter2}}`, []string{"hunter2"}, nil},
		"a header's variable":  {`headers: {X-Said: "v1-${KEY}-end"}`, []string{"<KEY>", "v1-<KEY>-end"}, nil},
		"a param's variable":   {`params: {a: {secret: "v1-${KEY}-end"}}`, []string{"<KEY>"}, nil},
		"a path's query":       {`path: "/?full&access_token=hunter%322&n=status"`, []string{"hunter%322", "hunter22"}, []string{"status"}},
		"of no secret":         {`headers: {X-Bypass: hunter2, X-Passenger: hunter2}`, nil, []string{"hunter2"}},
		"a short word":         {`headers: {X-Pass: hunter2, JWT: hunter3, X-Db-Pwd: hunter4}`, []string{"hunter2", "hunter3", "hunter4"}, nil},
	}
	target := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") })
	for name, test := range tests {
		o, d := decode("http: {allow: '*', "+test.http+"}", func(name string) (string, bool) { return "<" + name + ">", true })
		o.Check(d)
		if err := d.Err(); err != nil {
			t.Fatal(err)
		}
		c, err := fetch.New(o, fetch.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		doc := one(t, read(t, c, target.URL))
		found := doc.Secrets
		for _, name := range doc.Names {
			found = append(found, "names: "+name)
		}
		for _, secret := range test.want {
			if !slices.Contains(found, secret) {
				t.Errorf("%s: %q is missing in %q", name, secret, found)
			}
		}
		for _, text := range test.not {
			if slices.Contains(found, text) {
				t.Errorf("%s: %q is no secret in %q", name, text, found)
			}
		}
	}
}

// TestSecretsOfProxies: net/http adds the credentials of a proxy by itself.
func TestSecretsOfProxies(t *testing.T) {
	proxy := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Said", r.Header.Get("Proxy-Authorization"))
		io.WriteString(w, "{}")
	})
	u := "http://monitor:hunter2@" + strings.TrimPrefix(proxy.URL, "http://")
	c := newClient(t, `http: {client: {proxy_url: "`+u+`"}}`, fetch.Settings{})
	doc := one(t, read(t, c, "http://shop.example"))
	said := doc.Header.Get("X-Said")
	if said == "" || !slices.Contains(doc.Secrets, "hunter2") || !slices.Contains(doc.Secrets, strings.TrimPrefix(said, "Basic ")) {
		t.Errorf("the proxy got %q, which is not in %q", said, doc.Secrets)
	}
}

// TestTargetsShowNoPasswords: a password may hold what ends a host.
func TestTargetsShowNoPasswords(t *testing.T) {
	tests := []struct{ target, want string }{
		{"http://user:Mq7Zx?ab@h/", "http://..."},
		{"http://user:Mq7Zx?ab@h/?a=Mq7Zx", "http://..."},
		{"http://user:a/Mq7Zx?b@h/", "http://..."},
		{"http://user:Mq7Zx#ab@h/", "http://..."},
		{"http://user:Mq7Zx/ab@h:x/", "http://h:x/"},
		{"http://user:a@Mq7Zx@h:x/", "http://h:x/"},
		{"http://user:Mq7Zx://x@h:x/", "http://h:x/"},
		{"user:Mq7Zx?ab@h/", "..."},
		{"user:Mq7Zx@h/x://y", "h/x://y"},
		{"user:Mq7Zx://x@h/", "h/"},
		{"http://h:x/?mail=a@b&pass=Mq7Zx", "http://..."},
		{"http://h:x/?pass=a@Mq7Zx", "http://..."},
		{"http://h:x/?pass=Mq7Zx&Mq7Zx#Mq7Zx", "http://h:x/?pass=...&..."},
		{"http://h:x/#token=Mq7Zx?a=b", "http://h:x/#..."},
	}
	c := newClient(t, "", fetch.Settings{})
	for _, test := range tests {
		_, err := c.Probe(fetch.Request{Target: test.target})
		if bad := (*fetch.BadTargetError)(nil); !errors.As(err, &bad) || bad.Target != test.want || strings.Contains(err.Error(), "Mq7Zx") {
			t.Errorf("%s: got %v, want it shown as %s", test.target, err, test.want)
		}
		// The same in the configuration.
		for _, text := range []string{
			"http: {allow: '%s'}",
			"http: {client: {proxy_url: 'x%s'}}",
			"http: {client: {oauth2: {client_id: m, client_secret: c, token_url: '%s'}}}",
		} {
			o, d := decode(fmt.Sprintf(text, test.target), nil)
			o.Check(d)
			if err := d.Err(); err == nil || strings.Contains(err.Error(), "Mq7Zx") {
				t.Errorf(text+": got %v, want an error without the password", test.target, err)
			}
		}
	}
}
