package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/prometheus/common/config"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"status_exporter/collector/document"
)

const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// tokens gets access tokens from the token endpoint of `oauth2:`, by client
// credentials (RFC 6749 section 4.4) or a signed assertion (RFC 7523). One token
// serves all targets of a client.
type tokens struct {
	session
	options   *config.OAuth2
	secret    config.SecretReader // nil: none
	transport http.RoundTripper
	proxy     func(*http.Request) (*url.URL, error) // nil: none
	url       *url.URL
	origin    origin

	// client learns how the endpoint wants to be shown the secret; it is used by
	// one renewal of the session at a time, and made anew for another secret.
	client clientcredentials.Config
}

func newTokens(o *config.OAuth2, rt http.RoundTripper) (*tokens, error) {
	u, err := url.Parse(o.TokenURL)
	if err != nil {
		return nil, errors.New("the token_url of oauth2 is not a URL")
	}
	t := &tokens{options: o, transport: rt, url: u, secret: reader(o.ClientSecret, o.ClientSecretFile)}
	if o.GrantType == jwtBearer {
		t.secret = reader(o.ClientCertificateKey, o.ClientCertificateKeyFile)
	}
	if usesProxy(&o.ProxyConfig) {
		t.proxy = o.Proxy()
	}
	t.origin, err = settle(u)
	return t, err
}

// earlyRenewal is how long before its end a token is no longer used.
const earlyRenewal = 10 * time.Second

// fetch gets a new token within ctx. What goes wrong on the way there has its own
// reason; a refusal is a failed login.
func (t *tokens) fetch(ctx context.Context, f *fetch) (*credential, *document.Failure) {
	secret := ""
	if t.secret != nil {
		var err error
		if secret, err = t.secret.Fetch(ctx); err != nil {
			return nil, document.Failf(document.ReasonLogin, "reading the secret of oauth2: %w", err)
		}
	}
	client := &http.Client{
		Transport:     &tokenTransport{ctx: ctx, tokens: t, fetch: f},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	token, err := t.source(context.WithValue(ctx, oauth2.HTTPClient, client), secret).Token()
	if err != nil {
		return nil, t.failed(ctx, err)
	}
	c := &credential{header: http.Header{"Authorization": {token.Type() + " " + token.AccessToken}}}
	if !token.Expiry.IsZero() {
		c.expires = token.Expiry.Add(-earlyRenewal)
	}
	return c, nil
}

func (t *tokens) source(ctx context.Context, secret string) oauth2.TokenSource {
	params := make(url.Values, len(t.options.EndpointParams))
	for name, value := range t.options.EndpointParams {
		params.Set(name, value)
	}
	if t.options.GrantType != jwtBearer {
		if t.client.TokenURL == "" || t.client.ClientSecret != secret {
			t.client = clientcredentials.Config{
				ClientID: t.options.ClientID, ClientSecret: secret, TokenURL: t.options.TokenURL,
				Scopes: t.options.Scopes, EndpointParams: params,
			}
		}
		return t.client.TokenSource(ctx)
	}
	c := &config.JwtGrantTypeConfig{
		PrivateKey: []byte(secret), PrivateKeyID: t.options.ClientCertificateKeyID, SigningAlgorithm: jwt.SigningMethodRS256,
		Iss: t.options.Iss, Subject: t.options.ClientID, Audience: t.options.Audience, PrivateClaims: t.options.Claims,
		TokenURL: t.options.TokenURL, Scopes: t.options.Scopes, EndpointParams: params,
	}
	switch t.options.SignatureAlgorithm {
	case "RS384":
		c.SigningAlgorithm = jwt.SigningMethodRS384
	case "RS512":
		c.SigningAlgorithm = jwt.SigningMethodRS512
	}
	if c.Iss == "" {
		c.Iss = t.options.ClientID
	}
	return c.TokenSource(ctx)
}

// failed says why there is no token. The libraries quote answers in their errors;
// such texts are not passed on.
func (t *tokens) failed(ctx context.Context, err error) *document.Failure {
	var (
		known *document.Failure
		told  *oauth2.RetrieveError
	)
	where := shown(t.url)
	switch {
	case errors.As(err, &known):
		return document.Failf(known.Reason, "getting a token: %w", known.Err)
	case timedOut(ctx, err):
		return document.AsFailure(ctx, document.ReasonTimeout, fmt.Errorf("getting a token at %s: the deadline passed", where))
	case errors.As(err, &told) && told.Response != nil && told.Response.StatusCode != http.StatusOK:
		return document.Failf(document.ReasonLogin, "getting a token at %s: it answered %s, expected 200 OK", where, statusText(told.Response))
	case t.options.GrantType == jwtBearer && errors.Is(err, jwt.ErrInvalidKey), errors.Is(err, jwt.ErrKeyMustBePEMEncoded), errors.Is(err, jwt.ErrNotRSAPrivateKey):
		return document.Failf(document.ReasonLogin, "getting a token: the client_certificate_key of oauth2 is not an RSA key in PEM")
	}
	return document.Failf(document.ReasonLogin, "getting a token at %s: the answer holds no access token", where)
}

// tokenTransport sends the requests of one token, within the context of the probe
// and to the endpoint that the configuration names. After one that failed it sends
// no other: package oauth2 would try to show the secret in another way.
type tokenTransport struct {
	ctx     context.Context
	tokens  *tokens
	fetch   *fetch
	failure *document.Failure
}

func (t *tokenTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.failure != nil {
		return nil, t.failure
	}
	h := t.fetch.client.newHop(t.ctx, t.tokens.origin, t.fetch.client.guard.atConfigured(t.tokens.origin))
	t.fetch.doc.Secrets = t.tokens.addSecrets(t.fetch.doc.Secrets, req)
	req = req.Clone(h.ctx)
	req.URL.Host = t.tokens.url.Host // as it was checked
	if t.tokens.proxy != nil {
		u, err := t.tokens.proxy(req)
		if err != nil {
			return nil, document.Failf(document.ReasonConnect, "choosing a proxy for %s: %w", shown(req.URL), err)
		}
		h.proxied = u != nil
	}
	if err := h.guard.name(h.origin, h.proxied); err != nil {
		return nil, &document.Failure{Reason: document.ReasonRefused, Err: err}
	}
	r, err := t.tokens.transport.RoundTrip(req)
	answered := r
	if err == nil {
		err = keepBody(r)
	}
	if err != nil {
		t.failure = failed(t.ctx, err, &h.trace, shown(req.URL))
	}
	t.fetch.end(h, req.Method, req.URL, answered)
	if t.failure != nil {
		return nil, t.failure
	}
	return r, nil
}

// addSecrets adds those in the body of a request for a token: the params that the
// configuration keeps secret, and what is named like a credential.
func (t *tokens) addSecrets(secrets []string, req *http.Request) []string {
	if req.GetBody == nil {
		return secrets
	}
	body, err := req.GetBody()
	if err != nil {
		return secrets
	}
	text, _ := io.ReadAll(body)
	form, _ := url.ParseQuery(string(text))
	for name, values := range form {
		if _, own := t.options.EndpointParams[name]; own || sensitiveMember(name) || strings.HasSuffix(name, "assertion") {
			secrets = append(secrets, values...)
		}
	}
	return secrets
}

// keepBody reads the body of an answer, so that its failure is known here.
func keepBody(r *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, loginLimit))
	_ = r.Body.Close()
	r.Body = io.NopCloser(bytes.NewReader(body))
	return err
}
