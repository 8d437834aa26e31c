package fetch_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"status_exporter/collector/fetch"
)

// TestManySessions: each of many targets that close every connection goes on with
// its TLS session.
func TestManySessions(t *testing.T) {
	const targets = 100
	var resumed atomic.Int32
	s := httptest.NewUnstartedServer(text("{}"))
	s.Config.SetKeepAlivesEnabled(false)
	s.TLS = &tls.Config{VerifyConnection: func(s tls.ConnectionState) error {
		if s.DidResume {
			resumed.Add(1)
		}
		return nil
	}}
	s.StartTLS()
	defer s.Close()
	for i := range targets {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", fmt.Sprintf("127.0.1.%d:%s", i, portOf(s)))
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = s.Config.Serve(tls.NewListener(l, s.TLS)) }()
	}
	c := newClient(t, "http: {client: {tls_config: {insecure_skip_verify: true}}}", fetch.Settings{})
	for range 2 {
		for i := range targets {
			one(t, read(t, c, fmt.Sprintf("https://127.0.1.%d:%s", i, portOf(s))))
		}
	}
	if resumed.Load() != targets {
		t.Errorf("%d of %d sessions were resumed", resumed.Load(), targets)
	}
}
