package fetch

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
)

// TestRoots asks over HTTP and then over TLS in a process of its own that finds no
// root certificates on the machine.
func TestRoots(t *testing.T) {
	const nowhere = "/nowhere"
	if os.Getenv("SSL_CERT_FILE") != nowhere {
		cmd := exec.Command(os.Args[0], "-test.run=^TestRoots$")
		cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+nowhere, "SSL_CERT_DIR="+nowhere)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	known := func() bool {
		pool, err := x509.SystemCertPool()
		if err != nil {
			t.Fatal(err)
		}
		return !pool.Equal(x509.NewCertPool())
	}
	plain, secure := httptest.NewServer(http.NotFoundHandler()), httptest.NewTLSServer(http.NotFoundHandler())
	defer plain.Close()
	defer secure.Close()
	transport := &recorder{&http.Transport{}}
	defer transport.CloseIdleConnections()
	for _, url := range []string{plain.URL, secure.URL} {
		if known() {
			t.Errorf("there are root certificates before %s was asked", url)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := transport.RoundTrip(req); err == nil {
			resp.Body.Close()
		}
	}
	if !known() {
		t.Error("there are no root certificates after a request over TLS")
	}
}
