//go:build linux

package faults_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"status_exporter/test/faults/program"
)

// secretPlaces are modules with a secret in each place that takes one. MARK stands
// for the secret, TARGET for the address of the target.
var secretPlaces = map[string]string{
	"header":          `http: {allow: "*", headers: {X-Pass: {secret: MARK}}}`,
	"header_by_name":  `http: {allow: "*", headers: {X-Api-Key: MARK}}`,
	"header_file":     `http: {allow: "*", headers: {X-Pass: {secret_file: FILE}}}`,
	"header_env":      `http: {allow: "*", headers: {X-Pass: {secret: "a${VARIABLE}b"}}}`,
	"header_name_env": `http: {allow: "*", headers: {Authorization: "Bearer ${VARIABLE}"}}`,
	"cookie":          `http: {allow: "*", headers: {Cookie: "session=MARK"}}`,
	"params":          `http: {allow: "*", params: {full: "1", pass: {secret: MARK}}}`,
	"params_file":     `http: {allow: "*", params: {pass: {secret_file: FILE}}}`,
	"body":            `http: {allow: "*", method: POST, body: {secret: "pass=MARK"}}`,
	"login_body":      `http: {allow: "*", login: {path: /login, method: POST, body: {secret: "pass=MARK"}, token: .token}}`,
	"login_json":      `http: {allow: "*", login: {path: /encoding, method: POST, body: {secret: '{"method": "login", "params": [{"password": "MARK"}]}'}, token: .token}}`,
	"login_plain":     `http: {allow: "*", login: {path: /login, method: POST, body: "user=monitor&pass=MARK", token: .token}}`,
	"login_plain_rpc": `http: {allow: "*", login: {path: /encoding, method: POST, body: '{"method": "login", "params": [{"password": "MARK"}]}', token: .token}}`,
	"params_plain":    `http: {allow: "*", params: {full: "1", auth_token: MARK}}`,
	"login_params":    `http: {allow: "*", login: {path: /login, params: {pass: {secret: MARK}}, token: .token}}`,
	"login_header":    `http: {allow: "*", login: {path: /login, headers: {X-Pass: {secret: MARK}}, token: .token, header: X-Session}}`,
	"login_basic":     `http: {allow: "*", login: {path: /login, token: .token, header: X-Token}, client: {basic_auth: {username: monitor, password: MARK}}}`,
	"basic":           `http: {allow: "*", client: {basic_auth: {username: monitor, password: MARK}}}`,
	"basic_file":      `http: {allow: "*", client: {basic_auth: {username: monitor, password_file: FILE}}}`,
	"credentials":     `http: {allow: "*", client: {authorization: {type: Token, credentials: MARK}}}`,
	"credential_file": `http: {allow: "*", client: {authorization: {credentials_file: FILE}}}`,
	"bearer":          `http: {allow: "*", client: {bearer_token: MARK}}`,
	"bearer_file":     `http: {allow: "*", client: {bearer_token_file: FILE}}`,
	"bearer_env":      `http: {allow: "*", client: {bearer_token: "${VARIABLE}"}}`,
	"http_headers":    `http: {allow: "*", client: {http_headers: {X-Pass: {secrets: [MARK]}}}}`,
	"header_values":   `http: {allow: "*", client: {http_headers: {X-Api-Key: {values: [MARK]}}}}`,
	"header_files":    `http: {allow: "*", client: {http_headers: {X-Pass: {files: [FILE]}}}}`,
	"oauth2":          `http: {allow: "*", client: {oauth2: {client_id: monitor, client_secret: MARK, token_url: "TARGET/token"}}}`,
	"oauth2_file":     `http: {allow: "*", client: {oauth2: {client_id: monitor, client_secret_file: FILE, token_url: "TARGET/token"}}}`,
	"oauth2_params":   `http: {allow: "*", client: {oauth2: {client_id: monitor, client_secret: other, endpoint_params: {pass: MARK}, token_url: "TARGET/token"}}}`,
	"oauth2_url":      `http: {allow: "*", client: {oauth2: {client_id: monitor, client_secret: other, token_url: "TARGET/token?pass=MARK"}}}`,
	"long":            `http: {allow: "*", headers: {X-Pass: {secret: "MARK` + strings.Repeat("0123456789", 11) + `"}}}`,
	"header_part":     `http: {allow: "*", headers: {X-Said: 'v1-${VARIABLE} \("${X}")'}}`,
	"header_token":    `http: {allow: "*", headers: {Authorization: 'Token token="MARK", app="x"'}}`,
	"header_named":    `http: {allow: "*", headers: {Authorization: "ApiKey monitor:MARK"}}`,
	"header_member":   `http: {allow: "*", headers: {Authorization: 'MediaBrowser Client="x",Token="MARK"'}}`,
	"header_equals":   `http: {allow: "*", headers: {Authorization: "PVEAPIToken=u@pam!m=MARK"}}`,
	"header_pair":     `http: {allow: "*", headers: {X-Said: {secret: "root:MARK"}}}`,
	"header_word":     `http: {allow: "*", headers: {X-Db-Pass: MARK}}`,
	"body_env":        `http: {allow: "*", method: POST, body: {secret: "v1-${VARIABLE}-end"}}`,
	"body_xml":        `http: {allow: "*", method: POST, body: {secret: "<login><pass>MARK</pass></login>"}}`,
	"body_pair":       `http: {allow: "*", method: POST, body: {secret: '{"a": "root:MARK"}'}}`,
	"path_query":      `http: {allow: "*", path: "/parts?token=MARK"}`,
	"basic_user":      `http: {allow: "*", client: {basic_auth: {username: "${VARIABLE}", password: x}}}`,
	"basic_user_file": `http: {allow: "*", client: {basic_auth: {username_file: FILE, password: x}}}`,
	"basic_user_only": `http: {allow: "*", client: {basic_auth: {username: "${VARIABLE}"}}}`,
	"oauth2_body":     `http: {allow: "*", client: {oauth2: {client_id: monitor, client_secret: MARK, token_url: "TARGET/token-body"}}}`,
	"oauth2_more":     `http: {allow: "*", client: {oauth2: {client_id: monitor, client_secret: other, endpoint_params: {otp: MARK}, token_url: "TARGET/token-body"}}}`,
	"proxy":           `http: {allow: "*", client: {proxy_url: "http://monitor:MARK@ADDRESS"}}`,
	"proxy_connect":   `http: {allow: "*", scheme: https, client: {proxy_url: "http://ADDRESS", proxy_connect_header: {Proxy-Authorization: ["Basic MARK"]}}}`,
}

const secretAuths = `
auths:
  auth_header: {allow: "*", headers: {X-Pass: {secret: MARK_auth_header}}}
  auth_client: {allow: "*", client: {authorization: {credentials: MARK_auth_client}}}
  auth_basic: {allow: "*", client: {basic_auth: {username: monitor, password: MARK_auth_basic}}}
`

// mark is what is looked for: no text that anything else would hold.
const mark = "Mq7Zx"

// marked fills in a module or anything else.
func marked(text, name, target string) string {
	return strings.NewReplacer(
		"MARK_", mark, "MARK", mark+name, "FILE", "secret_"+name, "VARIABLE", "SECRET_"+name,
		"TARGET", target, "ADDRESS", strings.TrimPrefix(target, "http://"),
	).Replace(text)
}

// An echo is a target that sends back what it was sent, in many wrong ways.
type echo struct {
	*httptest.Server
	mu   sync.Mutex
	seen strings.Builder
}

func newEcho(t *testing.T) *echo {
	e := &echo{}
	e.Server = httptest.NewServer(e)
	t.Cleanup(e.Close)
	return e
}

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var all strings.Builder
	fmt.Fprintf(&all, "%s %s %s ", r.Method, r.URL.RequestURI(), body)
	for name, values := range r.Header {
		fmt.Fprintf(&all, "%s: %s; ", name, strings.Join(values, ", "))
	}
	back := strings.NewReplacer("\r", " ", "\n", " ", `"`, "'").Replace(all.String())
	e.mu.Lock()
	e.seen.WriteString(back + "\n")
	e.mu.Unlock()
	e.answer(w, r, back)
}

// answer does what the path says.
func (e *echo) answer(w http.ResponseWriter, r *http.Request, back string) {
	raw := func(text string) {
		conn, _, _ := w.(http.Hijacker).Hijack()
		defer conn.Close()
		io.WriteString(conn, text)
	}
	switch r.URL.Path {
	case "/token":
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"access_token": "`+mark+`token", "token_type": "bearer"}`)
	case "/token-body":
		if r.Header.Get("Authorization") != "" { // the secret belongs into the body
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Server", back)
		io.WriteString(w, `{"access_token": "`+mark+`token", "token_type": "bearer", "expires_in": 1}`)
	case "/unsolicited":
		raw("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"value\": 42}" + back)
	case "/all":
		fmt.Fprintf(w, `{"value": 42, "said": %q}`, back)
	case "/parts":
		user, _, _ := r.BasicAuth()
		fmt.Fprintf(w, `{"value": 42, "said": %q}`, strings.Join(parts.FindAllString(user+" "+back, -1), " "))
	case "/login":
		io.WriteString(w, `{"token": "`+mark+`session"}`)
	case "/status-text":
		raw("HTTP/1.1 500 " + back + "\r\nContent-Length: 0\r\n\r\n")
	case "/malformed":
		raw(back + "\r\n\r\n")
	case "/malformed-header":
		raw("HTTP/1.1 200 OK\r\n" + back + "\r\n\r\n")
	case "/malformed-length":
		raw("HTTP/1.1 200 OK\r\nContent-Length: " + back + "\r\n\r\n")
	case "/malformed-chunk":
		raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + back + "\r\n")
	case "/encoding":
		w.Header().Set("Content-Encoding", back)
	case "/headers":
		w.Header().Set("WWW-Authenticate", back)
		w.Header().Set("Set-Cookie", back)
		w.Header().Set("X-Api-Key", back)
		w.Header().Set("Link", "<http://user:"+mark+"@127.0.0.1/?pass="+mark+`>; rel="next"`)
		w.WriteHeader(http.StatusUnauthorized)
	case "/redirect":
		w.Header().Set("Location", "http://user:"+mark+"link@127.0.0.66/?pass="+url.QueryEscape(back))
		w.WriteHeader(http.StatusFound)
	case "/redirect-nowhere":
		w.Header().Set("Location", "gopher://user:"+mark+"@h/?"+url.QueryEscape(back))
		w.WriteHeader(http.StatusFound)
	case "/redirect-malformed":
		w.Header()["Location"] = []string{"http://[" + back}
		w.WriteHeader(http.StatusFound)
	case "/said":
		fmt.Fprintf(w, `{"value": 42, "said": %q}`, r.Header.Get("X-Pass"))
	case "/500":
		http.Error(w, back, http.StatusInternalServerError)
	case "/short":
		raw("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + back)
	case "/hang":
		<-r.Context().Done()
	case "/large":
		w.Header().Set("Content-Length", "99999999999")
	default:
		if strings.HasSuffix(r.URL.Path, "/500") {
			w.WriteHeader(http.StatusInternalServerError)
		}
		io.WriteString(w, healthy)
	}
}

// parts finds secrets without what stands around them.
var parts = regexp.MustCompile(mark + `\w*`)

var echoPaths = []string{
	"/", "/all", "/parts", "/unsolicited", "/status-text", "/malformed", "/malformed-header", "/malformed-length", "/malformed-chunk", "/encoding", "/headers",
	"/redirect", "/redirect-nowhere", "/redirect-malformed", "/said", "/500", "/short", "/large", "/hang",
}

// quoted are those who put what they were sent into headers that every server
// sends, which debug=true shows: a target that was trusted with a secret can tell
// it in many ways.
var quoted = regexp.MustCompile(`%2F(encoding|redirect-malformed)$`)

// TestSecretsNeverLeave plants a secret in every place that takes one, drives
// every endpoint and failure, and looks for it in all that comes out.
func TestSecretsNeverLeave(t *testing.T) {
	target := newEcho(t)
	dir := t.TempDir()
	names := slices.Sorted(maps.Keys(secretPlaces))
	var config strings.Builder
	var env []string
	config.WriteString("modules:\n")
	for _, name := range names {
		write(t, filepath.Join(dir, "secret_"+name), mark+name+"\n")
		env = append(env, "SECRET_"+name+"="+mark+name)
		fmt.Fprintf(&config, "  %s:\n    %s\n    metrics: [{name: shop_value, value: .value}, {name: shop_said, value: .said | duration, optional: true}]\n", name, marked(secretPlaces[name], name, target.URL))
	}
	config.WriteString("  plain: {metrics: [{name: shop_value, value: .value}]}\n")
	config.WriteString(marked(secretAuths, "", target.URL))
	env = append(env, "SECRET_URL="+mark+"url")
	fmt.Fprintf(&config, "default: {target: \"%s/bot${SECRET_URL}/?pass=%sdefault\", module: header}\n", target.URL, mark)
	fmt.Fprintf(&config, "targets: [{name: shop-1, url: \"%s/?pass=%snamed\", module: plain}, {name: path, url: \"%s/parts/${SECRET_URL}/500\", module: plain}]\n", target.URL, mark, target.URL)
	file := write(t, filepath.Join(dir, "config.yml"), config.String())

	out := &output{t: t}
	for _, flags := range [][]string{nil, {"--web.enable-debug"}} {
		exporter := program.Start(t, env, append(flags, "--config.file="+file, "--log.level=debug", "--web.enable-lifecycle", "--probe.deny-targets=127.0.0.66")...)
		out.exporter = exporter
		for _, path := range []string{"/", "/metrics", "/config", "/-/healthy", "/probe"} {
			out.get(path)
		}
		var group sync.WaitGroup
		places := make(chan struct{}, 8)
		ask := func(query string) {
			group.Go(func() {
				places <- struct{}{}
				out.get("/probe?" + query)
				if !quoted.MatchString(query) {
					out.get("/probe?debug=true&" + query)
				}
				<-places
			})
		}
		targets := []string{
			closedPort(t), "https://127.0.0.1:1", "http://shop.invalid", "http://127.0.0.66", "http://169.254.169.254/",
			"http://user:" + mark + "user@127.0.0.1:1/", "user:" + mark + "user@127.0.0.1", "http://user:" + mark + "user@[", "http://user:" + mark + "?user@h/", "user:" + mark + "#user@h/", "file:///etc/passwd?pass=" + mark, "http://127.0.0.1:1/?pass=" + mark + "query",
			"https://" + strings.TrimPrefix(target.URL, "http://"),
		}
		for _, path := range echoPaths {
			targets = append(targets, target.URL+path)
		}
		for _, name := range names {
			for _, to := range targets {
				if name == "proxy_connect" {
					to = strings.Replace(to, "http://", "https://", 1)
				}
				ask("module=" + name + "&target=" + url.QueryEscape(to))
			}
		}
		for _, to := range targets {
			for _, auth := range []string{"auth_header", "auth_client", "auth_basic"} {
				ask("module=plain&auth=" + auth + "&target=" + url.QueryEscape(to))
			}
		}
		ask("target=shop-1")
		ask("target=path")
		ask("target=shop-2%3fpass=" + mark)
		ask("module=plain&target=x&pass=" + mark + "&unknown=1")
		group.Wait()
		if a, err := exporter.Do(context.Background(), http.MethodPost, "/-/reload"); err != nil || a.Status != http.StatusOK {
			t.Errorf("reload: %v %d %s", err, a.Status, a.Body)
		}
		mistakes(t, exporter, out, file, config.String())
		out.add("the log", exporter.Log())
		t.Logf("%d answers and a log of %d bytes were searched", out.answers, len(exporter.Log()))
	}
	// The secrets were there to leave.
	for _, name := range append(names, "auth_header", "auth_client", "auth_basic") {
		if !holds(target.seen.String(), mark+name) {
			t.Errorf("the secret of %s was never sent", name)
		}
	}
}

// mistakes reloads configurations with a mistake beside or in a secret.
func mistakes(t *testing.T, exporter *program.Exporter, out *output, file, good string) {
	wrong := map[string]string{
		"a list for a text":           `client: {bearer_token: [MARK]}`,
		"a text for a mapping":        `client: {basic_auth: MARK}`,
		"a text for authorization":    `client: {authorization: "Bearer MARK"}`,
		"an unknown key":              `client: {authorization: {credentals: MARK}}`,
		"an unknown key of a secret":  `headers: {X-Pass: {secert: MARK}}`,
		"two keys of a secret":        `headers: {X-Pass: {secret: MARK, secret_file: x}}`,
		"a list in headers":           `headers: {Authorization: [MARK]}`,
		"a mapping in a secret":       `headers: {X-Pass: {secret: {secret: MARK}}}`,
		"a line break":                `headers: {X-Api-Key: "MARK\nb"}`,
		"exclusive keys":              `client: {bearer_token: MARK, basic_auth: {username: u, password: MARK}}`,
		"a key that is none":          `client: {tls_config: {cert: MARK, key: MARK}}`,
		"a proxy that is none":        `client: {proxy_url: "monitor:MARK@proxy:3128"}`,
		"a proxy of another kind":     `client: {proxy_url: "ftp://monitor:MARK@proxy:3128"}`,
		"a proxy that is no URL":      `client: {proxy_url: "http://monitor:MARK@pro xy:%zz"}`,
		"a proxy's odd password":      `client: {proxy_url: "http://monitor:MARK?a@proxy:3128"}`,
		"a token URL's odd password":  `client: {oauth2: {client_id: m, client_secret: MARK, token_url: "https://m:MARK?a@login"}}`,
		"an allow list's odd user":    `allow: ["http://monitor:MARK?a@shop"]`,
		"a user in a token URL":       `client: {oauth2: {client_id: m, client_secret: MARK, token_url: "https://m:MARK@login"}}`,
		"a number for a secret":       `client: {oauth2: {client_id: m, client_secret: {a: MARK}, token_url: "https://login"}}`,
		"a list of connect headers":   `client: {proxy_url: "http://p:1", proxy_connect_header: {Proxy-Authorization: [[MARK]]}}`,
		"an unset variable":           `headers: {X-Pass: {secret: "MARK${UNSET_VARIABLE}"}}`,
		"an open variable":            `headers: {X-Pass: {secret: "MARK${UNSET"}}`,
		"a text for headers":          `headers: "X-Pass: MARK"`,
		"a text for login":            `login: MARK`,
		"a text for a login's body":   `login: {path: /l, body: {secret: [MARK]}}`,
		"the key twice":               `client: {bearer_token: MARK, bearer_token: MARK}`,
		"an expression in a header":   `headers: {Authorization: 'MARK\(1 +)'}`,
		"a syntax error":              `headers: {X-Pass: {secret: MARK}`,
		"a syntax error in a secret":  `headers: {X-Pass: {secret: "MARK}}`,
		"a syntax error in a mapping": `headers: {X-Pass: {secret: MARK: b}}`,
		"a tab":                       "\tclient: {bearer_token: MARK}",
		"an unknown alias":            `headers: {X-Pass: {secret: *MARK}}`,
	}
	for _, name := range slices.Sorted(maps.Keys(wrong)) {
		module := "modules:\n  shop:\n    http:\n      " + wrong[name] + "\n    metrics: [{name: shop_value, value: .value}]\n"
		out.wrong(exporter, file, name, marked(module, "wrong", "http://127.0.0.1"))
	}
	out.wrong(exporter, file, "a user in the default target", marked("default: {target: \"http://monitor:MARK@shop\", module: app}\n", "wrong", ""))
	out.wrong(exporter, file, "an odd password in a named target", marked("targets: [{name: a, url: \"http://monitor:MARK?a@shop\", module: app}]\n", "wrong", ""))
	out.wrong(exporter, file, "a user in a named target", marked("targets: [{name: a, url: \"http://monitor:MARK@shop\", module: app}]\n", "wrong", ""))
	for name, text := range map[string]string{
		"a text for auths":                        "auths: MARK\n",
		"a text for default":                      "default: \"http://monitor:MARK@shop\"\n",
		"a text for targets":                      "targets: \"http://monitor:MARK@shop\"\n",
		"a text for a target":                     "targets: [\"http://monitor:MARK@shop\"]\n",
		"a text for http":                         "modules: {shop: {http: MARK}}\n",
		"a text for client":                       "auths: {prod: {client: MARK}}\n",
		"a text for all":                          "MARK\n",
		"a query without a name":                  "default: {target: \"http://shop:x/?MARK\", module: app}\n",
		"a query without a name in a target":      "targets: [{name: a, url: \"http://shop:x/?MARK\", module: app}]\n",
		"a query without a name in an allow list": "auths: {prod: {allow: \"http://shop/?a=1&MARK\"}}\n",
	} {
		out.wrong(exporter, file, name, marked(text, "wrong", ""))
	}
	out.wrong(exporter, file, "a text for an entry under auths", marked("auths: {prod: MARK}\n", "wrong", ""))
	write(t, file, good)
}

// An output searches all that comes out of an exporter.
type output struct {
	t        *testing.T
	exporter *program.Exporter
	mu       sync.Mutex
	answers  int
}

func (o *output) get(path string) {
	a, err := o.exporter.Get(path, "X-Prometheus-Scrape-Timeout-Seconds", "1")
	if err != nil {
		o.t.Error(err)
		return
	}
	o.add(path, fmt.Sprint(a.Header, "\n", a.Body))
}

func (o *output) wrong(e *program.Exporter, file, name, text string) {
	write(o.t, file, text)
	a, err := e.Do(context.Background(), http.MethodPost, "/-/reload")
	if err != nil || a.Status != http.StatusInternalServerError {
		o.t.Errorf("%s: reload answered %v %d %s", name, err, a.Status, a.Body)
	}
	o.add("reload with "+name, a.Body)
	said, code := program.Run(o.t, nil, "check", file)
	if code != 1 {
		o.t.Errorf("%s: check ended with %d", name, code)
	}
	o.add("check with "+name, said)
}

func (o *output) add(what, text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answers++
	found := 0
	for line := range strings.Lines(text) {
		if found < 5 && holds(line, mark) {
			o.t.Errorf("%s holds a secret:\n%.600s", what, line)
			found++
		}
	}
}

// holds tells whether a text holds a secret as it is or in base64, as a user's
// password is sent.
func holds(text, secret string) bool {
	if strings.Contains(text, secret) {
		return true
	}
	for before := range 3 {
		// The characters that depend on what stands before and after are left out.
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + secret))
		encoded = encoded[(before*8+5)/6 : (before+len(secret))*8/6]
		if strings.Contains(text, encoded) {
			return true
		}
	}
	return false
}

// TestSecretsAreBound asks for a secret to be sent where nothing allows it.
func TestSecretsAreBound(t *testing.T) {
	target := newEcho(t)
	other := newEcho(t)
	redirecting := handles(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/", http.StatusTemporaryRedirect)
	})(t)
	exporter := start(t, marked(`
modules:
  bound: {http: {headers: {X-Pass: {secret: MARK}}}, metrics: [{name: shop_value, value: .value}]}
  listed: {http: {allow: ["http://127.0.0.1:*"], headers: {X-Pass: {secret: MARK}}, client: {basic_auth: {username: m, password: MARK}}}, metrics: [{name: shop_value, value: .value}]}
  plain: {metrics: [{name: shop_value, value: .value}]}
auths:
  prod: {headers: {X-Pass: {secret: MARK}}}
targets:
  - {name: shop, url: "TARGET", module: bound}
`, "bound", target.URL))
	tests := []struct {
		query  string
		status int
		says   string
	}{
		{"module=bound&target=" + other.URL, http.StatusForbidden, "module bound holds a secret and has no allow list"},
		{"module=plain&auth=prod&target=" + other.URL, http.StatusForbidden, "auths entry prod holds a secret"},
		{"module=listed&target=http://localhost:1", http.StatusForbidden, "the allow list of module listed does not name it"},
		{"target=shop", http.StatusOK, "shop_value 42"},
		{"module=bound&target=" + target.URL, http.StatusOK, "shop_value 42"},
		{"module=listed&target=" + redirecting, http.StatusOK, "shop_value 42"},
	}
	for _, test := range tests {
		a, err := exporter.Get("/probe?" + test.query)
		if err != nil || a.Status != test.status || !strings.Contains(a.Body, test.says) {
			t.Errorf("%s: answered %v %d, want %d with %q:\n%s", test.query, err, a.Status, test.status, test.says, a.Body)
		}
	}
	if other.seen.String() == "" || holds(other.seen.String(), mark) {
		t.Errorf("the host that was redirected to was sent %q, expected a request without the secret", other.seen.String())
	}
	if !holds(target.seen.String(), mark) {
		t.Error("the configured target was not sent the secret")
	}
}

// TestDeniedAddresses: what is denied is never connected to, however it is written.
func TestDeniedAddresses(t *testing.T) {
	var connections int
	local := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		connections++
		io.WriteString(w, healthy)
	}))
	defer local.Close()
	port := local.URL[strings.LastIndexByte(local.URL, ':'):]
	exporter := start(t, configuration, "--probe.deny-targets=127.0.0.0/8", "--probe.deny-targets=::1")
	tests := map[string]int{
		"http://127.0.0.1" + port:                403,
		"http://127.1.2.3" + port:                403,
		"http://[::1]" + port:                    403,
		"http://[::ffff:127.0.0.1]" + port:       403,
		"http://[::ffff:7f00:1]" + port:          403,
		"http://[64:ff9b::7f00:1]" + port:        403,
		"http://0.0.0.0" + port:                  403,
		"http://[::]" + port:                     403,
		"http://localhost" + port:                200, // found out when the name has an address
		"http://localhost." + port:               200,
		"http://2130706433" + port:               403, // as inet_aton reads it
		"http://0x7f.1" + port:                   403,
		"http://169.254.169.254/latest":          403,
		"http://[fd00:ec2::254]/latest":          403,
		"http://[::ffff:169.254.169.254]/latest": 403,
		"http://[::ffff:a9fe:a9fe]/latest":       403,
		"http://[64:ff9b::a9fe:a9fe]/":           403,
		"http://[fe80::1%25lo]/":                 403,
		"http://100.100.100.200/":                403,
		"http://168.63.129.16/":                  403,
		"http://metadata.google.internal/":       200,
		"file:///etc/passwd":                     400,
		"gopher://127.0.0.1/":                    400,
		"unix:/run/docker.sock:/info":            403,
	}
	for _, target := range slices.Sorted(maps.Keys(tests)) {
		a, err := exporter.Get("/probe?module=shop&target="+url.QueryEscape(target), "X-Prometheus-Scrape-Timeout-Seconds", scrapeTimeout)
		if err != nil || a.Status != tests[target] {
			t.Errorf("%s: answered %v %d, want %d: %s", target, err, a.Status, tests[target], about(a.Body))
			continue
		}
		if a.Status == http.StatusOK && a.Number("probe_success") != 0 {
			t.Errorf("%s was asked", target)
		}
		if strings.HasPrefix(target, "http://localhost:") && a.Number(`status_probe_failure_info{document="status",reason="refused"}`) != 1 {
			t.Errorf("%s failed for another reason:\n%s", target, about(a.Body))
		}
	}
	if connections > 0 {
		t.Errorf("a denied address was asked %d times", connections)
	}
}
