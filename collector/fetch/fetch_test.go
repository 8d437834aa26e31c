package fetch_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"status_exporter/collector/document"
	"status_exporter/collector/fetch"
	"status_exporter/config/options"
)

// decode reads a module from YAML: `http:`, `documents:` and `format:`.
func decode(text string, getenv func(string) (string, bool)) (*fetch.Options, *options.Decoder) {
	if getenv == nil {
		getenv = func(string) (string, bool) { return "", false }
	}
	d := options.NewDecoder(getenv)
	o := &fetch.Options{}
	format := document.JSON
	top := d.Parse("module.yml", []byte(text))
	if _, n := options.Get(top, "format"); n != nil {
		format.DecodeYAML(d, n)
	}
	_, asked := options.Get(top, "http")
	_, documents := options.Get(top, "documents")
	o.Decode(d, asked, documents, format)
	return o, d
}

// newClient returns the client of a module; settings without a name are for a
// module called test.
func newClient(t *testing.T, text string, s fetch.Settings) *fetch.Client {
	t.Helper()
	o, d := decode(text, nil)
	o.Check(d)
	if err := d.Err(); err != nil {
		t.Fatal(err)
	}
	if s.Module == "" {
		s.Module = "test"
	}
	c, err := fetch.New(o, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// decodeAuth reads an entry under `auths:`.
func decodeAuth(t *testing.T, name, text string) *fetch.Auth {
	t.Helper()
	d := options.NewDecoder(func(string) (string, bool) { return "", false })
	a := &fetch.Auth{}
	a.Decode(d, d.Parse("auths.yml", []byte(text)), name)
	if err := d.Err(); err != nil {
		t.Fatal(err)
	}
	return a
}

// read probes a target for 5 seconds at most.
func read(t *testing.T, c *fetch.Client, target string) []*document.Document {
	t.Helper()
	return readWith(t, c, fetch.Request{Target: target, Explain: true})
}

func readWith(t *testing.T, c *fetch.Client, r fetch.Request) []*document.Document {
	t.Helper()
	p, err := c.Probe(r)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	return p.Read(ctx)
}

// one returns the only document, which must have a value.
func one(t *testing.T, docs []*document.Document) *document.Document {
	t.Helper()
	if len(docs) != 1 {
		t.Fatalf("got %d documents, want 1", len(docs))
	}
	if docs[0].Failure != nil {
		t.Fatalf("%s: %v", docs[0].Failure.Reason, docs[0].Failure)
	}
	return docs[0]
}

// failure returns the failure of the only document.
func failure(t *testing.T, docs []*document.Document, want document.Reason) string {
	t.Helper()
	if len(docs) != 1 {
		t.Fatalf("got %d documents, want 1", len(docs))
	}
	f := docs[0].Failure
	if f == nil {
		t.Fatalf("got the value %v, want a failure with reason %s", docs[0].Value, want)
	}
	if f.Reason != want {
		t.Fatalf("got reason %s (%v), want %s", f.Reason, f, want)
	}
	if docs[0].Value != nil {
		t.Errorf("got the value %v beside a failure", docs[0].Value)
	}
	return f.Error()
}

// serve starts a target.
func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// text answers with a fixed body.
func text(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
}

// hostOf returns host:port of a server.
func hostOf(s *httptest.Server) string {
	u, _ := url.Parse(s.URL)
	return u.Host
}

// portOf returns the port of a server.
func portOf(s *httptest.Server) string {
	u, _ := url.Parse(s.URL)
	return u.Port()
}

func contains(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("got %q, want %q in it", got, w)
		}
	}
}
