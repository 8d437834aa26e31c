package fetch_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/config"
	"go.yaml.in/yaml/v4"

	"status_exporter/collector/document"
	"status_exporter/collector/fetch"
	"status_exporter/config/options"
)

func TestMistakes(t *testing.T) {
	tests := []struct{ name, yaml, want string }{
		{
			"everything at once",
			`http:
  scheme: gopher
  port: 0
  path: status
  method: get
  valid_status_codes: [200, 2000]
  body_size_limit: 0
  fail_when: .a[
  retries: 3
`,
			"module.yml:2:11: scheme: found the text \"gopher\", expected one of http, https\n" +
				"module.yml:3:9: port: found the number 0, expected a whole number from 1 to 65535\n" +
				"module.yml:4:9: path: found the text \"status\", expected one that begins with a slash\n" +
				"module.yml:5:11: method: found the text \"get\", expected one such as GET or POST\n" +
				"module.yml:6:29: valid_status_codes: found the number 2000, expected a whole number from 100 to 599\n" +
				"module.yml:7:20: body_size_limit: found the number 0, expected a size such as 16MiB, 512KiB or 1000\n" +
				"module.yml:8:14: the expression `.a[` is wrong: it ends too early; the [ at character 3 needs its ]\n" +
				"module.yml:9:3: unknown key \"retries\" in http; expected one of allow, body, body_size_limit, client, fail_when, headers, login, method, pages, params, path, port, scheme, valid_status_codes",
		},
		{"path", `http: {path: "/a%zz"}`, `module.yml:1:14: path: found the text "/a%zz", expected % only before two hexadecimal digits and no control characters`},
		{"template", `http: {body: 'a \(.b'}`, `module.yml:1:14: the text has a \( that begins no expression: not closed; expected an expression and a closing parenthesis`},
		{"header name", `http: {headers: {"a b": c}}`, `module.yml:1:18: a key is not the name of a header, expected one such as X-Api-Key with its value behind the colon`},
		{"own header", `http: {headers: {content-length: 3}}`, `module.yml:1:18: the header Content-Length cannot be set, the exporter does`},
		{"header value", `http: {headers: {X-A: "b\nc"}}`, `module.yml:1:23: the header X-A holds a control character, expected text on one line`},
		{"secret", `http: {body: {secret: a, secret_file: b}}`, "module.yml:1:14: a secret has one key, expected either secret or secret_file\nmodule.yml:1:39: the secret file DIR/b cannot be read: no such file or directory"},
		{"environment", `http: {headers: {X-A: "${NO_SUCH}"}}`, `module.yml:1:23: the environment variable NO_SUCH is not set; $$ stands for a dollar`},
		{"allow", `http: {allow: ["http://a/b", c]}`, `module.yml:1:16: "http://a/b" cannot say who may be asked, expected a host pattern without user name, path and query; for example http://*.shop.example:8000, 10.0.0.0/8, unix:/run/name.sock or *`},
		{"no documents", `documents: {}`, `module.yml:1:12: documents is empty, expected at least one name with its path`},
		{"document name", `documents: {a-b: {path: /}}`, `module.yml:1:13: the document name "a-b" cannot stand in $docs.NAME, expected letters, digits and _`},
		{"document key", `documents: {a: {paht: /}}`, `module.yml:1:17: unknown key "paht" in the document a; did you mean "path"? expected one of body, body_size_limit, fail_when, format, headers, method, optional, pages, params, path, valid_status_codes`},
		{"pages without a way", `http: {pages: {limit: 3}}`, `module.yml:1:15: pages does not say how to find the next page, expected next, link or param`},
		{"two ways", `http: {pages: {next: .a, link: header}}`, `module.yml:1:16: pages has both link and next, expected one of them`},
		{"link and param", `http: {pages: {param: a, link: header}}`, `module.yml:1:16: pages has both link and param, expected one of them`},
		{"start", `http: {pages: {next: .a, start: 0}}`, `module.yml:1:26: start is where param counts from, which does not count beside next or link`},
		{"login that varies", `http: {login: {path: /login, body: '\($vars.user)'}}`, `module.yml:1:15: login holds an expression \(…), but a login is kept for all probes of a target`},
		{"prefix", `http: {login: {path: /login, prefix: x}}`, `module.yml:1:15: login has a prefix and no token to put it before`},
		{"login header", `http: {login: {path: /login, header: "a b"}}`, `module.yml:1:38: header: found what is not the name of a header, expected one such as X-Api-Key`},
		{"client key", `http: {client: {basic_auht: {}}}`, `module.yml:1:17: unknown key "basic_auht" in client; did you mean "basic_auth"? expected one of authorization, basic_auth, bearer_token, bearer_token_file, enable_http2, follow_redirects, http_headers, no_proxy, oauth2, proxy_connect_header, proxy_from_environment, proxy_url, tls_config`},
		{"two credentials", `http: {client: {basic_auth: {username: a}, bearer_token: b}}`, `module.yml:1:44: client has both basic_auth and bearer_token, expected one of them`},
		{"two passwords", `http: {client: {basic_auth: {password: a, password_file: /b}}}`, "module.yml:1:43: basic_auth has both password and password_file, expected one of them\nmodule.yml:1:58: the file cannot be read: open /b: no such file or directory"},
		{"missing file", `http: {client: {basic_auth: {password_file: no/such}}}`, `module.yml:1:45: the file cannot be read: open DIR/no/such: no such file or directory`},
		{"basic authorization", `http: {client: {authorization: {type: Basic}}}`, `module.yml:1:16: client: authorization type cannot be set to "basic", use "basic_auth" instead`},
		{"no client id", `http: {client: {oauth2: {token_url: "http://a"}}}`, `module.yml:1:16: client: oauth2 client_id must be configured`},
		{"token url", `http: {client: {oauth2: {token_url: "ftp://u:s3cret@a"}}}`, `module.yml:1:37: token_url: found the text "ftp://a", expected a URL such as https://login.example/token`},
		{"proxy url", `http: {client: {proxy_url: "u:s3cret@a"}}`, `module.yml:1:28: proxy_url: found the text "a", expected the URL of a proxy such as http://proxy:3128`},
		{"certificate without a key", `http: {client: {tls_config: {cert_file: /a}}}`, "module.yml:1:29: tls_config has a client certificate and no key, expected key or key_file beside it\nmodule.yml:1:41: the file cannot be read: open /a: no such file or directory"},
		{"key without a certificate", `http: {client: {tls_config: {key: a}}}`, `module.yml:1:29: tls_config has a client key and no certificate, expected cert or cert_file beside it`},
		{"authority", `http: {client: {tls_config: {ca: x}}}`, `module.yml:1:29: tls_config: making the TLS settings: unable to use specified CA cert inline`},
		{"TLS version", `http: {client: {tls_config: {min_version: "1.2"}}}`, `module.yml:1:43: min_version: found the text "1.2", expected one of TLS10, TLS11, TLS12, TLS13`},
		{"a secret in the wrong place", `http: {client: {authorization: Bearer s3cret}}`, `module.yml:1:32: authorization has no keys, expected a mapping with credentials, credentials_file, type`},
		{"a header in the wrong form", `http: {client: {http_headers: {X-Key: s3cret}}}`, `module.yml:1:39: the header X-Key has no keys, expected a mapping with files, secrets, values`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o, d := decode(test.yaml, nil)
			o.Check(d)
			dir, err := os.Getwd()
			if err != nil {
				t.Fatal(err)
			}
			got := "no error"
			if err := d.Err(); err != nil {
				got = strings.ReplaceAll(err.Error(), dir, "DIR")
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestClientKeys compares the keys under client with those of HTTPClientConfig.
func TestClientKeys(t *testing.T) {
	var keys func(typ reflect.Type) map[string]reflect.Type
	keys = func(typ reflect.Type) map[string]reflect.Type {
		all := make(map[string]reflect.Type)
		for field := range typ.Fields() {
			name, flags, _ := strings.Cut(field.Tag.Get("yaml"), ",")
			switch {
			case strings.Contains(flags, "inline") && field.Type.Kind() == reflect.Struct:
				for name, typ := range keys(field.Type) {
					all[name] = typ
				}
			case name != "" && !strings.HasSuffix(name, "_ref"): // there is no secret manager
				all[name] = field.Type
			}
		}
		return all
	}
	known := func(path ...string) {
		text := "http: {client: "
		for _, key := range path {
			text += "{" + key + ": "
		}
		_, d := decode(text+"{}"+strings.Repeat("}", len(path)+1), nil)
		if err := d.Err(); err != nil && strings.Contains(err.Error(), "unknown key") {
			t.Error(err)
		}
	}
	for name, typ := range keys(reflect.TypeFor[config.HTTPClientConfig]()) {
		known(name)
		for typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if typ.Kind() == reflect.Struct && name != "proxy_url" && name != "http_headers" {
			for below := range keys(typ) {
				known(name, below)
			}
		}
	}
}

// TestSecretsAreHidden plants a secret in every place that takes one.
func TestSecretsAreHidden(t *testing.T) {
	const text = `
http:
  params: {a: {secret: s3cret}}
  headers: {X-A: {secret: s3cret}, Authorization: Bearer s3cret, X-API-Key: s3cret, Cookie: s3cret}
  body: {secret: s3cret}
  login: {path: /, body: {secret: s3cret}, headers: {X-Token: s3cret}}
  client:
    basic_auth: {username: u, password: s3cret}
    proxy_url: http://u:s3cret@proxy
    proxy_connect_header: {X: [s3cret]}
    http_headers: {A: {secrets: [s3cret]}, X-Key: {values: [s3cret]}}
    tls_config: {cert: c, key: s3cret}
documents:
  a: {headers: {X-B: {secret: s3cret}}}
`
	const others = `
a: {http: {client: {authorization: {credentials: s3cret}}}}
b: {http: {client: {bearer_token: s3cret}}}
c: {http: {client: {oauth2: {client_id: a, client_secret: s3cret, endpoint_params: {password: s3cret}}}}}
d: {http: {client: {oauth2: {client_id: a, client_certificate_key: s3cret, proxy_url: "http://u:s3cret@p"}}}}
`
	d := options.NewDecoder(func(string) (string, bool) { return "", false })
	module, more := d.Parse("a.yml", []byte(text)), d.Parse("b.yml", []byte(others))
	decodeHTTP := func(_, n *yaml.Node) {
		_, asked := options.Get(n, "http")
		_, documents := options.Get(n, "documents")
		new(fetch.Options).Decode(d, asked, documents, document.JSON)
	}
	decodeHTTP(nil, module)
	d.Entries(more, "modules", decodeHTTP)
	for _, n := range []*yaml.Node{module, more} {
		b, err := yaml.Marshal(d.Redact(n))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "s3cret") {
			t.Errorf("a secret is shown:\n%s", b)
		}
	}
	if err := d.Err(); err != nil && strings.Contains(err.Error(), "s3cret") {
		t.Error(err)
	}
}

// bound tells whether the client sends a secret, which without an allow list goes
// only to configured targets.
func bound(t *testing.T, c *fetch.Client) bool {
	t.Helper()
	_, err := c.Probe(fetch.Request{Target: "http://other"})
	refused := (*fetch.RefusedError)(nil)
	return errors.As(err, &refused)
}

// TestSecretsAreBound checks what makes a module one that holds a secret.
func TestSecretsAreBound(t *testing.T) {
	for text, want := range map[string]bool{
		"":                             false,
		"http: {headers: {X-A: b}}":    false,
		"http: {headers: {Cookie: b}}": true,
		"http: {client: {tls_config: {server_name: x}}}":                                    false,
		"http: {client: {basic_auth: {username: a}}}":                                       true,
		"http: {client: {authorization: {credentials: a}}}":                                 true,
		"http: {client: {bearer_token: a}}":                                                 true,
		"http: {client: {oauth2: {client_id: a, client_secret: b, token_url: 'http://t'}}}": true,
		"http: {client: {http_headers: {X-A: {values: [a]}}}}":                              true,
		"http: {client: {proxy_url: 'http://u:p@x'}}":                                       false, // sent to the proxy alone
		"http: {login: {on: [409], header: X-Id}}":                                          false,
		"http: {login: {path: /, params: {a: {secret: b}}}}":                                true,
		"documents: {a: {body: {secret: b}}}":                                               true,
	} {
		if got := bound(t, newClient(t, text, fetch.Settings{})); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}

// TestAuth replaces the credentials of a module.
func TestAuth(t *testing.T) {
	var got http.Header
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		_, _ = w.Write([]byte("{}"))
	})
	const module = `http:
  headers: {X-Own: a, X-Key: {secret: module}, Cookie: module, X-Plain: module}
  params: {a: b}
  client: {basic_auth: {username: u, password: module}, http_headers: {X-More: {secrets: [module]}}}
`
	a := decodeAuth(t, "prod", "{client: {authorization: {credentials: other}}, headers: {X-Plain: other}, allow: '*'}")
	one(t, read(t, newClient(t, module, fetch.Settings{Auth: a}), s.URL))
	for name, want := range map[string]string{"X-Own": "a", "X-Key": "", "Cookie": "", "X-Plain": "other", "X-More": "", "Authorization": "Bearer other"} {
		if got.Get(name) != want {
			t.Errorf("header %s: got %q, want %q", name, got.Get(name), want)
		}
	}
	// The module is as it was for those who do not name the entry.
	one(t, read(t, newClient(t, module, fetch.Settings{Trusted: []string{s.URL}}), s.URL))
	for name, want := range map[string]string{"X-Key": "module", "Cookie": "module", "X-More": "module", "Authorization": "Basic dTptb2R1bGU="} {
		if got.Get(name) != want {
			t.Errorf("header %s: got %q, want %q", name, got.Get(name), want)
		}
	}
}

// TestAuthKeepsTheRest checks that an entry replaces only what stands in it.
func TestAuthKeepsTheRest(t *testing.T) {
	s := tlsServer(t, text("{}"), nil)
	a := decodeAuth(t, "prod", "{client: {bearer_token: other}, allow: '*'}")
	one(t, read(t, newClient(t, "http: {client: {tls_config: {insecure_skip_verify: true}}}", fetch.Settings{Auth: a}), s.URL))
	a = decodeAuth(t, "prod", "{client: {tls_config: {server_name: x}}}")
	failure(t, read(t, newClient(t, "http: {client: {tls_config: {insecure_skip_verify: true}}}", fetch.Settings{Auth: a}), s.URL), document.ReasonTLS)
}

// TestSecretFiles changes files between two probes.
func TestSecretFiles(t *testing.T) {
	var got string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("X-Key") + " " + r.Header.Get("Authorization") + " " + r.URL.Query().Get("k")
		_, _ = w.Write([]byte("{}"))
	})
	name := filepath.Join(t.TempDir(), "secret")
	write := func(text string, at time.Time) {
		if err := os.WriteFile(name, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	write("one", now.Add(-time.Minute))
	c := newClient(t, "http: {headers: {X-Key: {secret_file: "+name+"}}, params: {k: {secret_file: "+name+"}}, client: {authorization: {credentials_file: "+name+"}}, allow: '*'}", fetch.Settings{})
	one(t, read(t, c, s.URL))
	if got != "one Bearer one one" {
		t.Errorf("got %q", got)
	}
	write("two", now)
	one(t, read(t, c, s.URL))
	if got != "two Bearer two two" {
		t.Errorf("got %q after the file changed", got)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	contains(t, failure(t, read(t, c, s.URL), document.ReasonLogin), "the secret file "+name+" cannot be read: no such file or directory")
}
