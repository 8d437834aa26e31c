package fetch

import (
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"

	"status_exporter/collector/document"
	"status_exporter/collector/spare"
)

// Settings are what the rest of the program says about the probes of a module.
type Settings struct {
	Module  string   // for errors
	Auth    *Auth    // credentials in the place of the module's own; nil: those
	Trusted []string // targets in the configuration that use the module (and Auth): may be sent secrets where no list says who may
	Named   []string // those that may be asked with any module: may be sent the secrets of Auth alone
	Policy  Policy

	UserAgent string
	Limits    document.Limits // of each document; zero: document.DefaultLimits
}

// A Client asks the targets of one module with one set of credentials. What it
// keeps between probes are connections, TLS sessions, tokens and logins. It is
// safe for concurrent use.
type Client struct {
	settings  Settings
	options   *Options
	documents []documentOptions
	login     *login
	guard     *guard

	redirects bool              // are followed
	trusted   http.RoundTripper // adds the credentials
	bare      http.RoundTripper // for another host than the target: adds none
	proxy     func(*http.Request) (*url.URL, error)
	// secretHeaders are the names of headers that are sent with a secret.
	secretHeaders map[string]bool
	secretUser    bool                        // the name of basic_auth is a secret
	variables     []string                    // secrets that stand in the options
	userNames     []string                    // names that do
	texts         []text                      // secrets in params and bodies
	tokens        *tokens                     // OAuth 2.0; nil: none
	logins        spare.Map[string, *session] // by origin

	aims      spare.Map[string, *aim] // by target
	hops      sync.Pool               // of *hop
	inflaters inflaters
	closed    atomic.Bool
}

// New returns the Client of a module. It fails where a file that the options name
// cannot be used.
func New(o *Options, s Settings) (*Client, error) {
	if s.Limits == (document.Limits{}) {
		s.Limits = document.DefaultLimits
	}
	c := &Client{settings: s, options: o, documents: slices.Clone(o.documents)}
	for i := range c.documents {
		d := &c.documents[i]
		d.prepare(defaultHeader(d.format.Name, s.UserAgent), s.Auth)
	}
	if o.login != nil {
		l := *o.login
		l.prepare(defaultHeader("json", s.UserAgent), nil)
		c.login = &l
	}
	how := o.client
	if s.Auth != nil {
		how = o.client.with(&s.Auth.client)
	}
	c.variables, c.userNames = o.variables, o.userNames
	if s.Auth != nil {
		c.variables, c.userNames = slices.Concat(c.variables, s.Auth.variables), slices.Concat(c.userNames, s.Auth.userNames)
	}
	c.secretUser = how.BasicAuth != nil && how.BasicAuth.UsernameFile != ""
	c.secretHeaders, c.texts = c.namesOfSecrets(&how), c.secretTexts()
	return c, c.connect(&how)
}

// namesOfSecrets returns which headers hold a secret, whatever they are called.
func (c *Client) namesOfSecrets(how *clientOptions) map[string]bool {
	names := make(map[string]bool)
	add := func(headers map[string]text) {
		for name, t := range headers {
			if t.isSecret() {
				names[name] = true
			}
		}
	}
	for i := range c.documents {
		add(c.documents[i].headers)
	}
	if c.login != nil {
		add(c.login.headers)
		names[c.login.header] = true
	}
	if how.HTTPHeaders != nil {
		for name, h := range how.HTTPHeaders.Headers {
			if len(h.Secrets)+len(h.Files) > 0 {
				names[http.CanonicalHeaderKey(name)] = true
			}
		}
	}
	return names
}

// connect makes the ways to the targets.
func (c *Client) connect(how *clientOptions) error {
	var err error
	c.guard = newGuard(c.options, &c.settings)
	c.redirects = how.FollowRedirects
	if usesProxy(&how.ProxyConfig) {
		c.proxy = how.Proxy()
	}
	if c.trusted, err = c.newRoundTripper(how, &how.TLSConfig, &how.ProxyConfig); err != nil {
		return err
	}
	c.trusted = withCredentials(c.trusted, &how.HTTPClientConfig)
	anonymous := how.TLSConfig
	anonymous.Cert, anonymous.CertFile, anonymous.Key, anonymous.KeyFile = "", "", "", ""
	if c.bare, err = c.newRoundTripper(how, &anonymous, &how.ProxyConfig); err != nil {
		return err
	}
	if how.OAuth2 != nil {
		rt, err := c.newRoundTripper(how, &how.OAuth2.TLSConfig, &how.OAuth2.ProxyConfig)
		if err != nil {
			return err
		}
		c.tokens, err = newTokens(how.OAuth2, rt)
		return err
	}
	return nil
}

// Close closes the connections that nobody uses; those in use close when their
// probe is over.
func (c *Client) Close() {
	c.closed.Store(true)
	c.closeIdle()
}

func (c *Client) closeIdle() {
	for _, rt := range []http.RoundTripper{c.trusted, c.bare} {
		closeIdle(rt)
	}
	if c.tokens != nil {
		closeIdle(c.tokens.transport)
	}
}

func closeIdle(rt http.RoundTripper) {
	if c, ok := rt.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
