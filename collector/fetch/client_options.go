package fetch

import (
	"net/url"
	"slices"

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
		_, _, err := options.ReadShort(f.name)
		if err != nil {
			missing = true
			d.Errorf(f.node, "the file cannot be read: %v", err)
		}
	}
	if missing || c.tls == nil {
		return
	}
	if _, err := newTLSConfig(&c.TLSConfig); err != nil {
		d.Errorf(c.tls, "tls_config: %v", err)
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

func proxyFields(d *options.Decoder, into *config.ProxyConfig) options.Fields {
	return options.Fields{
		"proxy_url": func(n *yaml.Node) {
			var text string
			d.ExpandedURL(&text)(n)
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
		"no_proxy":               d.ExpandedHosts(&into.NoProxy),
		"proxy_from_environment": d.Bool(&into.ProxyFromEnvironment),
		"proxy_connect_header": func(n *yaml.Node) {
			into.ProxyConnectHeader = make(config.ProxyHeader)
			d.SecretEntries(n, "proxy_connect_header", func(key, value *yaml.Node) {
				if !headerName(d, key) {
					return
				}
				d.Sequence(value, "the header "+key.Value, func(item *yaml.Node) {
					var s config.Secret
					secret(d, &s)(item)
					into.ProxyConnectHeader[key.Value] = append(into.ProxyConnectHeader[key.Value], s)
				})
			})
		},
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
