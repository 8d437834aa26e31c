package fetch

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/common/config"

	"status_exporter/collector/document"
)

// Settings are what the rest of the program says about the probes of a module.
type Settings struct {
	Module  string   // for errors
	Auth    *Auth    // credentials in the place of the module's own; nil: those
	Trusted []string // targets in the configuration that use the module (and Auth): may be sent secrets where no list says who may
	Policy  Policy

	UserAgent   string
	Limits      document.Limits // of each document; zero: document.DefaultLimits
	HeaderBytes int64           // the largest header of an answer; 0: 256 KiB
	Redirects   int             // the most redirects in a row; 0: 10
}

const (
	defaultHeaderBytes = 256 << 10
	defaultRedirects   = 10
)

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
	tokens        *tokens // OAuth 2.0; nil: none
	logins        sessions

	inflaters inflaters
	closed    atomic.Bool
}

// New returns the Client of a module. It fails where a file that the options name
// cannot be used.
func New(o *Options, s Settings) (*Client, error) {
	if s.Limits == (document.Limits{}) {
		s.Limits = document.DefaultLimits
	}
	if s.HeaderBytes == 0 {
		s.HeaderBytes = defaultHeaderBytes
	}
	if s.Redirects == 0 {
		s.Redirects = defaultRedirects
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
	c.secretHeaders = c.namesOfSecrets(&how)
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
	if c.guard, err = newGuard(c.options, &c.settings); err != nil {
		return err
	}
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

// withCredentials adds what the configuration says about who asks. Files are read
// again for each request.
func withCredentials(rt http.RoundTripper, c *config.HTTPClientConfig) http.RoundTripper {
	if a := c.Authorization; a != nil {
		rt = config.NewAuthorizationCredentialsRoundTripper(a.Type, reader(a.Credentials, a.CredentialsFile), rt)
	}
	if a := c.BasicAuth; a != nil {
		rt = config.NewBasicAuthRoundTripper(reader(config.Secret(a.Username), a.UsernameFile), reader(a.Password, a.PasswordFile), rt)
	}
	if c.HTTPHeaders != nil {
		rt = config.NewHeadersRoundTripper(c.HTTPHeaders, rt)
	}
	return rt
}

// reader returns what reads a secret, or nil where there is none.
func reader(text config.Secret, file string) config.SecretReader {
	switch {
	case text != "":
		return config.NewInlineSecret(string(text))
	case file != "":
		return config.NewFileSecret(file)
	}
	return nil
}

// newRoundTripper returns a transport with its own connections. Where it reads
// certificates from files, it begins anew when they change.
func (c *Client) newRoundTripper(how *clientOptions, tlsOptions *config.TLSConfig, proxy *config.ProxyConfig) (http.RoundTripper, error) {
	tlsConfig, err := newTLSConfig(tlsOptions)
	if err != nil {
		return nil, err
	}
	build := func(tlsConfig *tls.Config) (http.RoundTripper, error) {
		tlsConfig.ClientSessionCache = tls.NewLRUClientSessionCache(0)
		return &recorder{c.newTransport(how, tlsConfig, proxy)}, nil
	}
	files := config.TLSRoundTripperSettings{
		CA:   reader("", tlsOptions.CAFile),
		Cert: reader("", tlsOptions.CertFile),
		Key:  reader("", tlsOptions.KeyFile),
	}
	if files == (config.TLSRoundTripperSettings{}) {
		return build(tlsConfig)
	}
	return config.NewTLSRoundTripper(tlsConfig, files, build)
}

func newTLSConfig(o *config.TLSConfig) (*tls.Config, error) {
	tlsConfig, err := config.NewTLSConfigWithContext(context.Background(), o)
	if err != nil {
		return nil, fmt.Errorf("making the TLS settings: %w", err)
	}
	return tlsConfig, nil
}

func (c *Client) newTransport(how *clientOptions, tlsConfig *tls.Config, proxy *config.ProxyConfig) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(how.EnableHTTP2)
	t := &http.Transport{
		DialContext:            newDialer().DialContext,
		TLSClientConfig:        tlsConfig,
		Protocols:              protocols,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second},
		DisableCompression:     true,
		MaxResponseHeaderBytes: c.settings.HeaderBytes,
		MaxIdleConns:           20_000,
		MaxIdleConnsPerHost:    32,
		IdleConnTimeout:        5 * time.Minute,
	}
	if usesProxy(proxy) {
		t.Proxy = withoutSockets(proxy.Proxy())
		t.ProxyConnectHeader = proxy.GetProxyConnectHeader()
		t.OnProxyConnectResponse = checkProxy
	}
	return t
}

type proxyFunc = func(*http.Request) (*url.URL, error)

// withoutSockets returns a choice of proxies that asks unix sockets directly.
func withoutSockets(choose proxyFunc) proxyFunc {
	return func(r *http.Request) (*url.URL, error) {
		if socketOf(r.URL) != "" {
			return nil, nil
		}
		return choose(r)
	}
}

// checkProxy makes a failure of a proxy that does not connect to the target.
func checkProxy(_ context.Context, proxy *url.URL, _ *http.Request, r *http.Response) error {
	if r.StatusCode == http.StatusOK {
		return nil
	}
	return document.Failf(document.ReasonConnect, "the proxy %s://%s answered %s", proxy.Scheme, proxy.Host, statusText(r))
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

// A recorder notes the header as it is sent, with what was added on the way.
type recorder struct{ *http.Transport }

type sentHeader struct {
	mu     sync.Mutex
	header http.Header
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	if h := hopOf(req.Context()); h != nil {
		h.sent.mu.Lock()
		h.sent.header = req.Header
		h.sent.mu.Unlock()
	}
	return r.Transport.RoundTrip(req)
}
