//go:build unix

package fetch_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"status_exporter/collector/document"
	"status_exporter/collector/fetch"
)

// TestFilesThatBecamePipes: a file of the client that became a named pipe fails the
// probe, which would wait for somebody to write into it, and the next configuration.
func TestFilesThatBecamePipes(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	for name, client := range map[string]string{
		"password":    "basic_auth: {username: u, password_file: %s}",
		"user":        "basic_auth: {username_file: %s, password: p}",
		"credentials": "authorization: {credentials_file: %s}",
		"header":      "http_headers: {X-Key: {files: [%s]}}",
		"secret":      "oauth2: {client_id: a, client_secret_file: %s, token_url: 'http://127.0.0.1:1'}",
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
				t.Fatal(err)
			}
			c := newClient(t, fmt.Sprintf("http: {client: {"+client+"}, allow: '*'}", file), fetch.Settings{})
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			if err := syscall.Mkfifo(file, 0o600); err != nil {
				t.Fatal(err)
			}
			docs := make(chan []*document.Document, 1)
			go func() { docs <- read(t, c, s.URL) }()
			select {
			case docs := <-docs:
				contains(t, failure(t, docs, document.ReasonLogin), "found a named pipe, expected a regular file")
			case <-time.After(10 * time.Second):
				t.Fatal("the probe does not end")
			}
		})
	}
}
