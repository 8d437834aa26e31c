package fetch

import (
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/prometheus/common/config"
	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
)

// clientOptions is what stands under `client:`: HTTPClientConfig of
// prometheus/common, with its names and its defaults.
type clientOptions struct {
	config.HTTPClientConfig
	given map[string]bool // the keys that stand there
	tls   *yaml.Node      // what stands under tls_config; nil where the key is absent
	files []namedFile
}

// A namedFile is a file that the options name, and where.
type namedFile struct {
	node *yaml.Node
	name string
}

func defaultClientOptions() clientOptions {
	return clientOptions{HTTPClientConfig: config.DefaultHTTPClientConfig}
}

// decode decodes `client:`. File names become absolute; check looks at the files.
func (c *clientOptions) decode(d *options.Decoder, n *yaml.Node) {
	*c = defaultClientOptions()
	c.given = make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		c.given[n.Content[i].Value] = true
	}
	failed := d.Failed()
	d.Mapping(n, "client", join(options.Fields{
		"basic_auth":        c.decodeBasicAuth(d),
		"authorization":     c.decodeAuthorization(d),
		"oauth2":            c.decodeOAuth2(d),
		"bearer_token":      secret(d, &c.BearerToken),
		"bearer_token_file": c.file(d, &c.BearerTokenFile),
		"tls_config": func(n *yaml.Node) {
			c.tls = n
			c.decodeTLS(d, n, &c.TLSConfig)
		},
		"follow_redirects": d.Bool(&c.FollowRedirects),
		"enable_http2":     d.Bool(&c.EnableHTTP2),
		"http_headers":     func(n *yaml.Node) { c.decodeHeaders(d, n) },
	}, proxyFields(d, &c.ProxyConfig)))
	exclusive(d, n, "client", "basic_auth", "authorization", "oauth2", "bearer_token", "bearer_token_file")
	if d.Failed() > failed {
		c.tls = nil
		return
	}
	if err := c.Validate(); err != nil {
		d.Errorf(n, "client: %v", err)
	}
}

// check notes the files that cannot be used.
func (c *clientOptions) check(d *options.Decoder) {
	missing := false
	for _, f := range c.files {
		opened, err := os.Open(f.name)
		if err != nil {
			missing = true
			d.Errorf(f.node, "the file cannot be read: %v", err)
			continue
		}
		_ = opened.Close()
	}
	if missing || c.tls == nil {
		return
	}
	if _, err := newTLSConfig(&c.TLSConfig); err != nil {
		d.Errorf(c.tls, "tls_config: %v", err)
	}
}

func (c *clientOptions) decodeBasicAuth(d *options.Decoder) func(*yaml.Node) {
	return func(n *yaml.Node) {
		c.BasicAuth = &config.BasicAuth{}
		secretMapping(d, n, "basic_auth", options.Fields{
			"username":      d.Expanded(&c.BasicAuth.Username),
			"username_file": c.file(d, &c.BasicAuth.UsernameFile),
			"password":      secret(d, &c.BasicAuth.Password),
			"password_file": c.file(d, &c.BasicAuth.PasswordFile),
		})
		exclusive(d, n, "basic_auth", "username", "username_file")
		exclusive(d, n, "basic_auth", "password", "password_file")
	}
}

func (c *clientOptions) decodeAuthorization(d *options.Decoder) func(*yaml.Node) {
	return func(n *yaml.Node) {
		c.Authorization = &config.Authorization{}
		secretMapping(d, n, "authorization", options.Fields{
			"type":             d.Text(&c.Authorization.Type),
			"credentials":      secret(d, &c.Authorization.Credentials),
			"credentials_file": c.file(d, &c.Authorization.CredentialsFile),
		})
		exclusive(d, n, "authorization", "credentials", "credentials_file")
	}
}

func (c *clientOptions) decodeOAuth2(d *options.Decoder) func(*yaml.Node) {
	return func(n *yaml.Node) {
		o := &config.OAuth2{}
		c.OAuth2 = o
		secretMapping(d, n, "oauth2", join(options.Fields{
			"client_id":                   d.Expanded(&o.ClientID),
			"client_secret":               secret(d, &o.ClientSecret),
			"client_secret_file":          c.file(d, &o.ClientSecretFile),
			"client_certificate_key_id":   d.Text(&o.ClientCertificateKeyID),
			"client_certificate_key":      secret(d, &o.ClientCertificateKey),
			"client_certificate_key_file": c.file(d, &o.ClientCertificateKeyFile),
			"grant_type":                  d.Enum(&o.GrantType, "client_credentials", jwtBearer),
			"signature_algorithm":         d.Enum(&o.SignatureAlgorithm, "RS256", "RS384", "RS512"),
			"iss":                         d.Text(&o.Iss),
			"audience":                    d.Text(&o.Audience),
			"claims":                      func(n *yaml.Node) { decodeClaims(d, n, &o.Claims) },
			"scopes":                      d.Texts(&o.Scopes),
			"token_url":                   func(n *yaml.Node) { decodeTokenURL(d, n, &o.TokenURL) },
			"endpoint_params":             secrets(d, "endpoint_params", &o.EndpointParams),
			"tls_config":                  func(n *yaml.Node) { c.decodeTLS(d, n, &o.TLSConfig) },
		}, proxyFields(d, &o.ProxyConfig)))
		exclusive(d, n, "oauth2", "client_secret", "client_secret_file")
		exclusive(d, n, "oauth2", "client_certificate_key", "client_certificate_key_file")
		if err := o.ProxyConfig.Validate(); err != nil {
			d.Errorf(n, "oauth2: %v", err)
		}
	}
}

func (c *clientOptions) decodeTLS(d *options.Decoder, n *yaml.Node, into *config.TLSConfig) {
	var least, most string
	failed := d.Failed()
	d.Mapping(n, "tls_config", options.Fields{
		"ca":                   d.Text(&into.CA),
		"ca_file":              c.file(d, &into.CAFile),
		"cert":                 d.Text(&into.Cert),
		"cert_file":            c.file(d, &into.CertFile),
		"key":                  secret(d, &into.Key),
		"key_file":             c.file(d, &into.KeyFile),
		"server_name":          d.Text(&into.ServerName),
		"insecure_skip_verify": d.Bool(&into.InsecureSkipVerify),
		"min_version":          d.Enum(&least, "TLS10", "TLS11", "TLS12", "TLS13"),
		"max_version":          d.Enum(&most, "TLS10", "TLS11", "TLS12", "TLS13"),
	})
	exclusive(d, n, "tls_config", "ca", "ca_file")
	exclusive(d, n, "tls_config", "cert", "cert_file")
	exclusive(d, n, "tls_config", "key", "key_file")
	into.MinVersion, into.MaxVersion = config.TLSVersions[least], config.TLSVersions[most]
	if d.Failed() > failed {
		return
	}
	switch certificate, key := into.Cert+into.CertFile != "", string(into.Key)+into.KeyFile != ""; {
	case certificate && !key:
		d.Errorf(n, "tls_config has a client certificate and no key, expected key or key_file beside it")
	case key && !certificate:
		d.Errorf(n, "tls_config has a client key and no certificate, expected cert or cert_file beside it")
	}
}

// decodeHeaders decodes `http_headers:`: names to values, secrets and files.
func (c *clientOptions) decodeHeaders(d *options.Decoder, n *yaml.Node) {
	c.HTTPHeaders = &config.Headers{Headers: make(map[string]config.Header)}
	secretEntries(d, n, "http_headers", func(key, value *yaml.Node) {
		var h config.Header
		secretMapping(d, value, "the header "+key.Value, options.Fields{
			"values": func(n *yaml.Node) {
				if sensitive(key.Value) {
					d.Hide(n)
				}
				d.Texts(&h.Values)(n)
			},
			"secrets": func(n *yaml.Node) {
				d.Sequence(n, "secrets", func(item *yaml.Node) {
					h.Secrets = append(h.Secrets, "")
					secret(d, &h.Secrets[len(h.Secrets)-1])(item)
				})
			},
			"files": func(n *yaml.Node) {
				d.Sequence(n, "files", func(item *yaml.Node) {
					h.Files = append(h.Files, "")
					c.file(d, &h.Files[len(h.Files)-1])(item)
				})
			},
		})
		c.HTTPHeaders.Headers[key.Value] = h
	})
}

func proxyFields(d *options.Decoder, into *config.ProxyConfig) options.Fields {
	return options.Fields{
		"proxy_url": func(n *yaml.Node) {
			var text string
			d.Expanded(&text)(n)
			u, err := url.Parse(text)
			if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) {
				d.Errorf(n, "proxy_url: found %s, expected the URL of a proxy such as http://proxy:3128", describeURL(n))
				return
			}
			if u.User != nil {
				d.Hide(n)
			}
			into.ProxyURL = config.URL{URL: u}
		},
		"no_proxy":               d.Expanded(&into.NoProxy),
		"proxy_from_environment": d.Bool(&into.ProxyFromEnvironment),
		"proxy_connect_header": func(n *yaml.Node) {
			into.ProxyConnectHeader = make(config.ProxyHeader)
			secretEntries(d, n, "proxy_connect_header", func(key, value *yaml.Node) {
				d.Sequence(value, "the header "+key.Value, func(item *yaml.Node) {
					var s config.Secret
					secret(d, &s)(item)
					into.ProxyConnectHeader[key.Value] = append(into.ProxyConnectHeader[key.Value], s)
				})
			})
		},
	}
}

// decodeTokenURL decodes the URL of a token endpoint, whose query may hold a key.
func decodeTokenURL(d *options.Decoder, n *yaml.Node, into *string) {
	d.Expanded(into)(n)
	d.HideQuery(n)
	u, err := url.Parse(*into)
	if err == nil {
		_, err = originOf(u)
	}
	if err != nil || u.User != nil {
		d.Errorf(n, "token_url: found %s, expected a URL such as https://login.example/token", describeURL(n))
	}
}

// describeURL is options.Describe for what may hold a password.
func describeURL(n *yaml.Node) string {
	c := *n
	c.Value = printable(n.Value)
	return options.Describe(&c)
}

// secretMapping decodes a mapping as d.Mapping does, and does not quote a text
// that stands in its place: it is likely a secret.
func secretMapping(d *options.Decoder, n *yaml.Node, what string, fields options.Fields) {
	if n.Kind == yaml.ScalarNode {
		d.Hide(n)
		d.Errorf(n, "%s has no keys, expected a mapping with %s", what, strings.Join(slices.Sorted(maps.Keys(fields)), ", "))
		return
	}
	d.Mapping(n, what, fields)
}

// secretEntries decodes a mapping as d.Entries does, and does not quote a text
// that stands in its place either.
func secretEntries(d *options.Decoder, n *yaml.Node, what string, each func(key, value *yaml.Node)) {
	if n.Kind == yaml.ScalarNode {
		d.Hide(n)
		d.Errorf(n, "%s has no keys, expected a mapping (key: value)", what)
		return
	}
	d.Entries(n, what, each)
}

// secret decodes a text that is shown to nobody; ${NAME} is expanded.
func secret(d *options.Decoder, into *config.Secret) func(*yaml.Node) {
	return func(n *yaml.Node) {
		d.Hide(n)
		var text string
		if n.Kind != yaml.ScalarNode {
			d.Errorf(n, "found %s, expected a text", options.Describe(n))
			return
		}
		d.Expanded(&text)(n)
		*into = config.Secret(text)
	}
}

// secrets decodes names to texts that are shown to nobody.
func secrets(d *options.Decoder, what string, into *map[string]string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		*into = make(map[string]string, len(n.Content)/2)
		secretEntries(d, n, what, func(key, value *yaml.Node) {
			var s config.Secret
			secret(d, &s)(value)
			(*into)[key.Value] = string(s)
		})
	}
}

// file decodes the name of a file.
func (c *clientOptions) file(d *options.Decoder, into *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		failed := d.Failed()
		d.File(into)(n)
		if d.Failed() == failed {
			c.files = append(c.files, namedFile{n, *into})
		}
	}
}

func decodeClaims(d *options.Decoder, n *yaml.Node, into *map[string]any) {
	if n.Kind != yaml.MappingNode {
		d.Errorf(n, "claims is %s, expected a mapping (key: value)", options.Describe(n))
		return
	}
	if err := n.Decode(into); err != nil {
		d.Errorf(n, "claims cannot be read as a mapping of names to values")
	}
}

// exclusive notes an error where more than one of keys stands in n.
func exclusive(d *options.Decoder, n *yaml.Node, what string, keys ...string) {
	first := ""
	for _, name := range keys {
		key, _ := options.Get(n, name)
		switch {
		case key == nil:
		case first == "":
			first = name
		default:
			d.Errorf(key, "%s has both %s and %s, expected one of them", what, first, name)
		}
	}
}

func join(fields ...options.Fields) options.Fields {
	all := make(options.Fields)
	for _, f := range fields {
		maps.Copy(all, f)
	}
	return all
}

// credentials are the keys of a client that say who asks.
var credentials = []string{"basic_auth", "authorization", "oauth2", "bearer_token", "bearer_token_file", "http_headers"}

// hasSecret tells whether the client shows a target who asks.
func (c *clientOptions) hasSecret() bool {
	return slices.ContainsFunc(credentials, func(key string) bool { return c.given[key] }) || c.hasKey()
}

func (c *clientOptions) hasKey() bool { return c.TLSConfig.Key != "" || c.TLSConfig.KeyFile != "" }

// with returns c with the credentials of auth in the place of its own, and with
// what else stands in auth.
func (c *clientOptions) with(auth *clientOptions) clientOptions {
	all := *c
	all.BasicAuth, all.Authorization, all.OAuth2, all.HTTPHeaders = auth.BasicAuth, auth.Authorization, auth.OAuth2, auth.HTTPHeaders
	all.BearerToken, all.BearerTokenFile = "", ""
	if auth.given["tls_config"] {
		all.TLSConfig = auth.TLSConfig
	}
	if auth.given["follow_redirects"] {
		all.FollowRedirects = auth.FollowRedirects
	}
	if auth.given["enable_http2"] {
		all.EnableHTTP2 = auth.EnableHTTP2
	}
	if auth.given["proxy_url"] || auth.given["proxy_from_environment"] {
		all.ProxyConfig = auth.ProxyConfig
	}
	return all
}

// usesProxy tells whether targets are asked through a proxy.
func usesProxy(p *config.ProxyConfig) bool {
	return p.ProxyFromEnvironment || p.ProxyURL.URL != nil
}
