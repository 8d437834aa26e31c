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
			for _, shown := range []string{c.String(), fmt.Sprint(c.Warnings), fmt.Sprintf("%v %+v", c, c.Modules["shop"])} {
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
