package fetch

import (
	"context"
	"net/http"
	"strings"

	"github.com/prometheus/common/config"

	"status_exporter/config/options"
)

// A secretFile is a config.SecretReader. Unlike those of prometheus/common it reads
// nothing that would keep a probe waiting past its deadline, such as a named pipe.
type secretFile string

// Fetch returns the text of the file.
func (f secretFile) Fetch(context.Context) (string, error) {
	b, _, err := options.ReadShort(string(f))
	return strings.TrimSpace(string(b)), err
}

// Description names the file.
func (f secretFile) Description() string { return "file " + string(f) }

// Immutable tells that the file may change.
func (f secretFile) Immutable() bool { return false }

// A headersTripper adds the headers of `http_headers:`.
type headersTripper struct {
	headers *config.Headers
	next    http.RoundTripper
}

// RoundTrip makes the request with the headers.
func (t *headersTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for name, h := range t.headers.Headers {
		for _, value := range h.Values {
			r.Header.Add(name, value)
		}
		for _, secret := range h.Secrets {
			r.Header.Add(name, string(secret))
		}
		for _, file := range h.Files {
			secret, err := secretFile(file).Fetch(r.Context())
			if err != nil {
				return nil, err
			}
			r.Header.Add(name, secret)
		}
	}
	return t.next.RoundTrip(r)
}

// CloseIdleConnections closes those of the transport.
func (t *headersTripper) CloseIdleConnections() { closeIdle(t.next) }
