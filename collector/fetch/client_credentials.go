package fetch

import (
	"net/url"

	"github.com/prometheus/common/config"
	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
)

func (c *clientOptions) decodeBasicAuth(d *options.Decoder) func(*yaml.Node) {
	return func(n *yaml.Node) {
		c.BasicAuth = &config.BasicAuth{}
		d.SecretMapping(n, "basic_auth", options.Fields{
			"username":      d.ExpandedName(&c.BasicAuth.Username),
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
		d.SecretMapping(n, "authorization", options.Fields{
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
		d.SecretMapping(n, "oauth2", join(options.Fields{
			"client_id":                   d.ExpandedName(&o.ClientID),
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

// decodeTokenURL decodes the URL of a token endpoint, whose query may hold a key.
func decodeTokenURL(d *options.Decoder, n *yaml.Node, into *string) {
	d.ExpandedURL(into)(n)
	d.HideQuery(n)
	u, err := url.Parse(*into)
	if err == nil {
		_, err = originOf(u)
	}
	if err != nil || u.User != nil {
		d.Errorf(n, "token_url: found %s, expected a URL such as https://login.example/token", describeURL(n))
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

// decodeHeaders decodes `http_headers:`: names to values, secrets and files.
func (c *clientOptions) decodeHeaders(d *options.Decoder, n *yaml.Node) {
	c.HTTPHeaders = &config.Headers{Headers: make(map[string]config.Header)}
	d.SecretEntries(n, "http_headers", func(key, value *yaml.Node) {
		var h config.Header
		if !headerName(d, key) {
			return
		}
		d.SecretMapping(value, "the header "+key.Value, options.Fields{
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

// credentials are the keys of a client that say who asks.
var credentials = []string{"basic_auth", "authorization", "oauth2", "bearer_token", "bearer_token_file", "http_headers"}

// secret says what shows a target who asks, "" for nothing.
func (c *clientOptions) secret() string {
	for _, key := range credentials {
		if c.given[key] {
			return key
		}
	}
	return c.key()
}

func (c *clientOptions) key() string {
	if c.TLSConfig.Key == "" && c.TLSConfig.KeyFile == "" {
		return ""
	}
	return "the key of tls_config"
}
