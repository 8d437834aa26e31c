package config_test

import (
	"fmt"
	"strings"
	"testing"

	"status_exporter/config"
)

const marker = "hunter2"

// secretPlaces are the places that take a secret, as a text in which %s stands
// for it.
var secretPlaces = map[string]string{
	"header":               `modules: {shop: {http: {headers: {X-Key: {secret: %s}}}, metrics: []}}`,
	"authorization header": `modules: {shop: {http: {headers: {Authorization: %s}}, metrics: []}}`,
	"cookie header":        `modules: {shop: {http: {headers: {cookie: %s}}, metrics: []}}`,
	"param":                `modules: {shop: {http: {params: {key: {secret: %s}}}, metrics: []}}`,
	"body":                 `modules: {shop: {http: {method: POST, body: {secret: %s}}, metrics: []}}`,
	"document header":      `modules: {shop: {documents: {a: {path: /, headers: {X-Key: {secret: %s}}}}, metrics: []}}`,
	"login body":           `modules: {shop: {http: {login: {path: /login, body: {secret: %s}}}, metrics: []}}`,
	"login header":         `modules: {shop: {http: {login: {path: /login, headers: {X-Key: {secret: %s}}}}, metrics: []}}`,
	"login param":          `modules: {shop: {http: {login: {path: /login, params: {key: {secret: %s}}}}, metrics: []}}`,
	"plain login body":     `modules: {shop: {http: {login: {path: /login, body: %s}}, metrics: []}}`,
	"plain param":          `modules: {shop: {http: {params: {full: 1, api_key: %s}}, metrics: []}}`,
	"plain login param":    `modules: {shop: {http: {login: {path: /login, params: {pass: %s}}}, metrics: []}}`,
	"password":             `modules: {shop: {http: {client: {basic_auth: {username: u, password: %s}}}, metrics: []}}`,
	"credentials":          `modules: {shop: {http: {client: {authorization: {credentials: %s}}}, metrics: []}}`,
	"bearer token":         `modules: {shop: {http: {client: {bearer_token: %s}}, metrics: []}}`,
	"client secret":        `modules: {shop: {http: {client: {oauth2: {client_id: c, token_url: "http://t", client_secret: %s}}}, metrics: []}}`,
	"endpoint param":       `modules: {shop: {http: {client: {oauth2: {client_id: c, token_url: "http://t", client_secret: s, endpoint_params: {password: %s}}}}, metrics: []}}`,
	"proxy header":         `modules: {shop: {http: {client: {proxy_url: "http://proxy", proxy_connect_header: {X-Key: [%s]}}}, metrics: []}}`,
	"http header":          `modules: {shop: {http: {client: {http_headers: {X-Key: {secrets: [%s]}}}}, metrics: []}}`,
	"auths header":         `auths: {prod: {headers: {X-Key: {secret: %s}}}}`,
	"auths password":       `auths: {prod: {client: {basic_auth: {username: u, password: %s}}}}`,
	"extended":             `modules: {shop: {http: {headers: {X-Key: {secret: %s}}}, metrics: []}, other: {extends: shop}, third: {extends: shop, http: {headers: {X-Key: {secret: x}}}}}`,
	"alias":                `modules: {shop: {http: &http {client: {bearer_token: %s}}, metrics: []}, other: {http: *http, metrics: []}, third: {http: {<<: *http}, metrics: []}}`,
}

// urlPlaces are the places that take a URL, which may hold a secret.
var urlPlaces = map[string]string{
	"default's query": `default: {target: "http://shop/?token=%s"}`,
	"target's query":  `targets: [{name: shop-1, url: "http://shop/?token=%s"}]`,
	"path's query":    `modules: {shop: {http: {path: "/status?full&t=%s"}, metrics: []}}`,
	"login's query":   `modules: {shop: {http: {login: {path: "/login?t=%s"}}, metrics: []}}`,
	"proxy's user":    `modules: {shop: {http: {client: {proxy_url: "http://u:%s@proxy"}}, metrics: []}}`,
}

func loadText(text string) (*config.Config, error) {
	return config.LoadAlone("secret.yml", []byte(text), func(name string) (string, bool) { return marker, name == "KEY" })
}

// TestSecretsAreNotShown plants a marker in every place that takes a secret.
func TestSecretsAreNotShown(t *testing.T) {
	for name, text := range secretPlaces {
		for _, planted := range []string{marker, `"` + marker + ` $$ x"`, `"${KEY}"`} {
			c, err := loadText(fmt.Sprintf(text, planted) + " # " + marker)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			shop, _ := c.Module("shop") // some have only auths
			for _, shown := range []string{c.String(), fmt.Sprint(c.Warnings), fmt.Sprintf("%v %+v", c, shop)} {
				if strings.Contains(shown, marker) {
					t.Errorf("%s: shown\n%s", name, shown)
				}
			}
			if !strings.Contains(c.String(), "<secret>") {
				t.Errorf("%s: there is no sign of a secret in\n%s", name, c)
			}
		}
	}
	for name, text := range urlPlaces {
		c, err := loadText(fmt.Sprintf(text, marker))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(c.String(), marker) {
			t.Errorf("%s: shown\n%s", name, c)
		}
	}
}

// TestErrorsTellNoSecrets makes a mistake at and around every secret.
func TestErrorsTellNoSecrets(t *testing.T) {
	wrong := []string{"[hunter2]", "[hunter2, hunter2]", "{x: hunter2}", "hunter2, secret: hunter2", "{secret: hunter2, secret_file: /gone}", `"${hunter2"`, `"hunter2${GONE}"`, "!hunter hunter2", `"hunter2\u0001\n"`, "*hunter2", "&hunter2 [x]", "{secret: [hunter2]}", `"hunter2`, `"hunter2" hunter2`, "\thunter2", "|hunter2"}
	for name, text := range secretPlaces {
		for _, planted := range wrong {
			c, err := loadText(fmt.Sprintf(text, planted))
			shown := c.String
			if err != nil {
				shown = err.Error
			}
			if text := shown(); strings.Contains(text, marker) {
				t.Errorf("%s: %s: shown\n%s", name, planted, text)
			}
		}
	}
	for name, text := range urlPlaces {
		for _, planted := range []string{"%s\x01", "%s%%zz", "%s ", "%s${GONE}", "%s:99999"} {
			planted = fmt.Sprintf(planted, marker)
			if _, err := loadText(fmt.Sprintf(text, planted)); err != nil && strings.Contains(err.Error(), marker) {
				t.Errorf("%s: %q: shown\n%v", name, planted, err)
			}
		}
	}
}

// TestMisplacedSecrets puts a secret where a name, an address or a word belongs.
func TestMisplacedSecrets(t *testing.T) {
	const url = `"http://u:hunter2@shop"`
	for text, want := range map[string]string{
		`targets: [{name: shop-1, url: "unix:/run/x:/%zz?t=hunter2"}]`:                                                       `"/%zz?t=..." is not a path`,
		`targets: [{name: ` + url + `, url: "http://shop"}]`:                                                                 `name: the target name "http://shop" could be an address`,
		`targets: [{name: shop-1, url: "http://shop", auth: hunter2}]`:                                                       "auth: there is no entry of this name under auths; the configuration has none",
		`default: {target: "http://shop", auth: hunter2}`:                                                                    "auth: there is no entry of this name under auths",
		`targets: [{name: shop-1, url: "http://shop", module: ` + url + `}]`:                                                 `module: there is no module "http://shop"`,
		`default: {target: "http://shop?t=hunter2", module: ` + url + `}`:                                                    `module: there is no module "http://shop"`,
		`modules: {shop: {http: {path: "api?token=hunter2"}, metrics: []}}`:                                                  `path: found the text "api?token=..."`,
		`modules: {shop: {http: {path: ` + url + `}, metrics: []}}`:                                                          `path: found the text "http://shop"`,
		`modules: {shop: {http: {path: "/%zz?hunter2"}, metrics: []}}`:                                                       `path: found the text "/%zz?..."`,
		`modules: {shop: {http: {headers: {X-Key: {hunter2}}}, metrics: []}}`:                                                "unknown key in a secret",
		`modules: {shop: {http: {headers: {"X-Key: hunter2": x}}, metrics: []}}`:                                             "a key is not the name of a header",
		`modules: {shop: {http: {headers: {X-Key: 'a\(hunter2)'}}, metrics: []}}`:                                            "begins no expression; expected",
		`modules: {shop: {http: {headers: {X-A: '${KEY}\(hunter2)'}}, metrics: []}}`:                                         "begins no expression; expected",
		`modules: {shop: {http: {params: {token: 'a\(hunter2)'}}, metrics: []}}`:                                             "begins no expression; expected",
		`modules: {shop: {http: {login: {path: /l, header: "X: hunter2"}}, metrics: []}}`:                                    "header: found what is not the name of a header",
		`modules: {shop: {http: {client: {basic_auth: {hunter2}}}, metrics: []}}`:                                            "unknown key in basic_auth",
		`modules: {shop: {http: {client: {http_headers: {"X: hunter2": {values: [a]}}}}, metrics: []}}`:                      "a key is not the name of a header",
		`modules: {shop: {http: {client: {proxy_url: "http://p", proxy_connect_header: {"X: hunter2": [a]}}}, metrics: []}}`: "a key is not the name of a header",
		`modules: {shop: {http: {allow: "http://shop/${KEY}"}, metrics: []}}`:                                                `"http://shop/${KEY}" cannot say who may be asked`,
		`modules: {shop: {http: {scheme: ` + url + `}, metrics: []}}`:                                                        "scheme: found ",
		`modules: {shop: {http: {port: ` + url + `}, metrics: []}}`:                                                          "port: found ",
		`modules: {shop: {http: {port: "http://shop/?token=hunter2"}, metrics: []}}`:                                         "port: found ",
	} {
		_, err := loadText(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), marker) {
			t.Errorf("%s:\ngot  %v\nwant %s", text, err, want)
		}
	}
}

// TestSecretsOfTargets checks what of the variables in the URLs of targets is a secret.
func TestSecretsOfTargets(t *testing.T) {
	c, err := loadText(`
default: {target: "http://${KEY}.example:8000/x?t=${KEY}"}
targets:
  - {name: path, url: "http://shop/bot${KEY}/x"}
  - {name: host, url: "http://${KEY}:8000"}
`)
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"http://hunter2.example:8000/x?t=hunter2": "[hunter2] []",
		"http://shop/bothunter2/x":                "[] [hunter2]",
		"http://hunter2:8000":                     "[] []",
		"http://shop":                             "[] []",
	} {
		if got := fmt.Sprint(c.Secrets(url)); got != want {
			t.Errorf("%s: got %s, want %s", url, got, want)
		}
	}
	for url, want := range map[string]string{
		"http://h:${KEY}/x":        `target "http://h:${KEY}/x": with what its variables hold it cannot be asked`,
		"http://u:${KEY}@h":        `target "http://h": it holds a user name or password`,
		"http://${KEY}${KEY}!/x":   `target "http://${KEY}${KEY}!/x": "11!" is not the name of a host`,
		"gopher://h/${KEY}":        `target "gopher://h/${KEY}": the scheme "gopher" is never fetched`,
		"http://h/%zz?pass=${KEY}": `target "http://h/%zz?pass=...": not a URL`,
	} {
		_, err := loadText(`targets: [{name: shop, url: "` + url + `"}]`)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), marker) {
			t.Errorf("%s:\ngot  %v\nwant %s", url, err, want)
		}
	}
}
