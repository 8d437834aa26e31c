package fetch

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/prometheus/common/config"

	"status_exporter/collector/document"
	"status_exporter/config/options"
)

const (
	headerLimit  = 256 << 10 // the largest header of an answer, in bytes
	streamWindow = 512 << 10 // what a target may send of a body ahead of who reads it, with HTTP/2
	// mostKept is how many idle connections, and how many TLS sessions, a client
	// keeps: more than the targets that one exporter can be asked for.
	mostKept = 20_000
)

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
		rt = &headersTripper{c.HTTPHeaders, rt}
	}
	return rt
}

// reader returns what reads a secret, or nil where there is none.
func reader(text config.Secret, file string) config.SecretReader {
	switch {
	case text != "":
		return config.NewInlineSecret(string(text))
	case file != "":
		return secretFile(file)
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
		tlsConfig.ClientSessionCache = tls.NewLRUClientSessionCache(mostKept)
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
	for _, file := range []string{o.CAFile, o.CertFile, o.KeyFile} {
		if file == "" {
			continue
		}
		if _, _, err := options.ReadShort(file); err != nil {
			return nil, fmt.Errorf("making the TLS settings: %w", err)
		}
	}
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
		HTTP2:                  &http.HTTP2Config{MaxReceiveBufferPerStream: streamWindow, SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second},
		DisableCompression:     true,
		MaxResponseHeaderBytes: headerLimit,
		MaxIdleConns:           mostKept,
		MaxIdleConnsPerHost:    32,
		IdleConnTimeout:        5 * time.Minute,
		// Requests are small, and what is larger than the buffer of a connection is
		// read past it: 4 KiB each were half of what an idle connection takes.
		WriteBufferSize: 1 << 10,
		ReadBufferSize:  2 << 10,
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

// A recorder notes the header as it is sent, with what was added on the way.
type recorder struct{ *http.Transport }

type sentHeader struct {
	mu     sync.Mutex
	header http.Header
}

func (s *sentHeader) get() http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.header
}

func (s *sentHeader) set(h http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.header = h
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	if h := hopOf(req.Context()); h != nil {
		h.sent.set(r.sent(req))
	}
	if req.URL.Scheme == "https" || r.Proxy != nil {
		knowRoots()
	}
	return r.Transport.RoundTrip(req)
}

// sent returns the header of a request with what net/http adds for a proxy that it
// hands the request to.
func (r *recorder) sent(req *http.Request) http.Header {
	if r.Proxy == nil || req.URL.Scheme != "http" {
		return req.Header
	}
	proxy, err := r.Proxy(req)
	if err != nil || proxy == nil || proxy.User == nil {
		return req.Header
	}
	password, _ := proxy.User.Password()
	shown := &http.Request{Header: make(http.Header)}
	shown.SetBasicAuth(proxy.User.Username(), password)
	h := req.Header.Clone()
	h["Proxy-Authorization"] = shown.Header["Authorization"]
	return h
}
