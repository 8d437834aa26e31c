package fetch_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/document"
	"status_exporter/collector/fetch"
	"status_exporter/collector/tree"
)

func TestRead(t *testing.T) {
	var got *http.Request
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		w.Header().Set("X-Total", "1")
		_, _ = w.Write([]byte(`{"a": 1}`))
	})
	c := newClient(t, "http: {path: /status}", fetch.Settings{UserAgent: "test/1"})
	doc := one(t, readWith(t, c, fetch.Request{Target: hostOf(s), Excerpt: 4}))

	if diff := cmp.Diff(map[string]any{"a": json.Number("1")}, tree.Go(doc.Value)); diff != "" {
		t.Errorf("value (-want +got):\n%s", diff)
	}
	if doc.Name != document.Status || doc.StatusCode != 200 || doc.Bytes != 8 || doc.Header.Get("X-Total") != "1" || string(doc.Excerpt) != `{"a"` {
		t.Errorf("got %+v", doc)
	}
	if got.Method != "GET" || got.RequestURI != "/status" {
		t.Errorf("got %s %s, want GET /status", got.Method, got.RequestURI)
	}
	want := http.Header{"Accept": {"application/json, */*;q=0.5"}, "Accept-Encoding": {"gzip"}, "User-Agent": {"test/1"}}
	if diff := cmp.Diff(want, got.Header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	if len(doc.Exchanges) != 1 {
		t.Fatalf("got %d exchanges, want 1", len(doc.Exchanges))
	}
	e := doc.Exchanges[0]
	if e.Method != "GET" || e.URL != s.URL+"/status" || e.Address != hostOf(s) || e.Proto != "HTTP/1.1" || e.Status != "200 OK" || e.Reused {
		t.Errorf("got the exchange %+v", e)
	}
	for _, p := range []document.Phase{document.PhaseConnect, document.PhaseProcessing, document.PhaseTransfer, document.PhaseDecode} {
		if doc.Phases[p] <= 0 {
			t.Errorf("phase %s took %v", p, doc.Phases[p])
		}
	}
}

func TestConnectionsAndSessionsAreKept(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("http2 %v", http2), func(t *testing.T) {
			s := httptest.NewUnstartedServer(text(`{}`))
			s.EnableHTTP2 = http2
			s.StartTLS()
			defer s.Close()
			c := newClient(t, "http: {client: {tls_config: {insecure_skip_verify: true}}}", fetch.Settings{})
			for i := range 3 {
				doc := one(t, read(t, c, s.URL))
				e := doc.Exchanges[0]
				if e.Reused != (i > 0) {
					t.Errorf("probe %d: reused %v", i, e.Reused)
				}
				if want := map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[http2]; e.Proto != want {
					t.Errorf("probe %d: %s, want %s", i, e.Proto, want)
				}
				if doc.EarliestCertExpiry.IsZero() {
					t.Errorf("probe %d: no end of validity", i)
				}
			}
			s.CloseClientConnections()
			deadline := time.Now().Add(2 * time.Second)
			for {
				exchanges := one(t, read(t, c, s.URL)).Exchanges
				e := exchanges[len(exchanges)-1]
				if !e.Reused {
					if !e.Resumed {
						t.Error("the TLS session was not resumed")
					}
					return
				}
				if time.Now().After(deadline) {
					t.Fatal("no new connection")
				}
			}
		})
	}
}

func gzipped(s string) []byte {
	var b strings.Builder
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(s))
	_ = z.Close()
	return []byte(b.String())
}

func TestEncodings(t *testing.T) {
	body := gzipped(`{"a": 1}`)
	broken := append([]byte(nil), body...)
	broken[len(broken)-6] ^= 0xff
	tests := []struct {
		name, encoding string // lines of the header
		body           []byte
		reason         document.Reason
		message        string
	}{
		{"gzip", "gzip", body, "", ""},
		{"x-gzip", "X-GZIP", body, "", ""},
		{"identity", "identity", []byte(`{"a": 1}`), "", ""},
		{"members", "gzip", append(gzipped(`{"a":`), gzipped(` 1}`)...), "", ""},
		{"cut off", "gzip", body[:len(body)-9], document.ReasonEncoding, "the answer is broken gzip: unexpected EOF"},
		{"checksum", "gzip", broken, document.ReasonEncoding, "the answer is broken gzip: gzip: invalid checksum"},
		{"not gzip", "gzip", []byte(`{"a": 1} and so on`), document.ReasonEncoding, "the answer is said to be gzip: gzip: invalid header"},
		{"gzip beside identity", "identity, gzip", body, "", ""},
		{"lines", "identity\n gzip ", body, "", ""},
		{"nothing on a line", "\nidentity", []byte(`{"a": 1}`), "", ""},
		{"twice on lines", "gzip\nx-gzip", body, document.ReasonEncoding, `the answer is encoded as "gzip, x-gzip", expected gzip or no encoding`},
		{"again and again", strings.Repeat("gzip,", 10_000), body, document.ReasonEncoding, strings.Repeat("gzip, ", 32) + `gzip,...", expected gzip or no encoding`},
		{"empty", "gzip", nil, document.ReasonDecode, ""},
		{"brotli", "br", body, document.ReasonEncoding, `the answer is encoded as "br", expected gzip or no encoding`},
		{"twice", "gzip, gzip", body, document.ReasonEncoding, `the answer is encoded as "gzip, gzip", expected gzip or no encoding`},
		{"a word of the target's own", "s3cret", body, document.ReasonEncoding, "the answer is encoded as something unknown, expected gzip or no encoding"},
		{"such a word beside a known one", "gzip, s3cret", body, document.ReasonEncoding, "the answer is encoded as something unknown, expected gzip or no encoding"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Encoding"] = strings.Split(test.encoding, "\n")
				_, _ = w.Write(test.body)
			})
			c := newClient(t, "", fetch.Settings{})
			for range 2 { // the second time with a used reader
				docs := read(t, c, s.URL)
				if test.reason != "" {
					got := failure(t, docs, test.reason)
					contains(t, got, test.message)
					if strings.Contains(got, "s3cret") {
						t.Errorf("got %q, which quotes the target", got)
					}
				} else if diff := cmp.Diff(map[string]any{"a": json.Number("1")}, tree.Go(one(t, docs).Value)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestBodyLimit(t *testing.T) {
	const limit = 1000
	exact := `"` + strings.Repeat("a", limit-2) + `"`
	tests := []struct {
		name    string
		handler http.HandlerFunc
		ok      bool
	}{
		{"as long as allowed", text(exact), true},
		{"one more", text(exact + " "), false},
		{"chunked, as long as allowed", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, exact[:10])
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, exact[10:])
		}, true},
		{"chunked, without end", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, exact)
			}
		}, false},
		{"gzip, as long as allowed", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(gzipped(exact))
		}, true},
		{"gzip, one more", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(gzipped(exact + " "))
		}, false},
		{"said to be large", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(1<<40))
			w.WriteHeader(200)
		}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, test.handler)
			docs := read(t, newClient(t, "http: {body_size_limit: 1000}", fetch.Settings{}), s.URL)
			if !test.ok {
				contains(t, failure(t, docs, document.ReasonTooLarge), "the answer is larger than body_size_limit, 1000 bytes")
			} else if doc := one(t, docs); doc.Bytes != limit {
				t.Errorf("read %d bytes, want %d", doc.Bytes, limit)
			}
		})
	}
}

// TestGzipBomb reads 1 MB that says it is 1 GB.
func TestGzipBomb(t *testing.T) {
	bomb := strings.Repeat(string(gzipped(strings.Repeat("0", 16<<20))), 64)
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = io.WriteString(w, bomb)
	})
	c := newClient(t, "", fetch.Settings{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	failure(t, read(t, c, s.URL), document.ReasonTooLarge)
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 80<<20 {
		t.Errorf("allocated %d MiB for a limit of 16 MiB", used>>20)
	}
}

func TestRequest(t *testing.T) {
	tests := []struct {
		name, yaml, target string // the target after http://host
		want               string // method, URI, body
		header             http.Header
	}{
		{"nothing said", "", "", "GET / ", nil},
		{"the path of the module", "http: {path: /status}", "", "GET /status ", nil},
		{"a slash is no path", "http: {path: /status}", "/", "GET /status ", nil},
		{"the path of the target wins", "http: {path: /status}", "/other", "GET /other ", nil},
		{"sent as it stands", `http: {path: "/stats;csv/%2F/a+b/(x)/~"}`, "", "GET /stats;csv/%2F/a+b/(x)/~ ", nil},
		{"letters are escaped", `http: {path: "/stänge und"}`, "", "GET /st%C3%A4nge%20und ", nil},
		{"a query in the path", `http: {path: "/server-status?auto"}`, "", "GET /server-status?auto ", nil},
		{"params", `http: {path: "/s?auto", params: {b: "1 2", a: "&"}}`, "", "GET /s?auto&a=%26&b=1+2 ", nil},
		{"params of the target win", `http: {params: {full: "1", json: "1"}}`, "/s?full=2", "GET /s?full=2&json=1 ", nil},
		{"a target with only a query", `http: {path: /s, params: {a: "1"}}`, "?b=2", "GET /s?b=2&a=1 ", nil},
		{"method", "http: {method: HEAD, valid_status_codes: [200]}", "", "HEAD / ", nil},
		{"a body is posted", `http: {body: '{"command": "status-get"}'}`, "", `POST / {"command": "status-get"}`, http.Header{"Content-Type": {"application/json"}}},
		{"a body of another kind", "http: {body: a=b, method: PUT, headers: {content-type: text/plain}}", "", "PUT / a=b", http.Header{"Content-Type": {"text/plain"}}},
		{"headers", "http: {headers: {accept: text/x, X-A: b, Host: other.example}}", "", "GET / ", http.Header{"Accept": {"text/x"}, "X-A": {"b"}, "Host": {"other.example"}}},
		{"basic auth", "http: {client: {basic_auth: {username: u, password: p}}, allow: '*'}", "", "GET / ", http.Header{"Authorization": {"Basic dTpw"}}},
		{"authorization", "http: {client: {authorization: {credentials: abc}}, allow: '*'}", "", "GET / ", http.Header{"Authorization": {"Bearer abc"}}},
		{"bearer token", "http: {client: {bearer_token: abc}, allow: '*'}", "", "GET / ", http.Header{"Authorization": {"Bearer abc"}}},
		{"http headers", "http: {client: {http_headers: {X-Key: {secrets: [abc]}}}, allow: '*'}", "", "GET / ", http.Header{"X-Key": {"abc"}}},
		{"xml", "format: xml", "", "GET / ", http.Header{"Accept": {"application/xml, text/xml;q=0.9, */*;q=0.5"}}},
		{
			"variables", `{http: {path: '/pools/\($vars.pool)/x', params: {t: 'at \($target)'}, headers: {X-N: '\($vars.n + 1)'}, body: 'n=\($vars.n)'}}`, "",
			"POST /pools/a%20b%2Fc/x?t=at+TARGET n=4",
			http.Header{"X-N": {"5"}},
		},
		{"parentheses in an expression", `http: {headers: {X-A: '(\(("a" + ")") | ascii_upcase))'}}`, "", "GET / ", http.Header{"X-A": {"(A))"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got string
			var header http.Header
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got, header = r.Method+" "+r.RequestURI+" "+string(body), r.Header
				header.Set("Host", r.Host)
				_, _ = w.Write([]byte("<a/>"))
			})
			vars := map[string]any{"pool": "a b/c", "n": json.Number("4")}
			readWith(t, newClient(t, test.yaml, fetch.Settings{}), fetch.Request{Target: s.URL + test.target, Vars: vars})
			got = strings.ReplaceAll(got, "http%3A%2F%2F127.0.0.1%3A"+portOf(s), "TARGET")
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			for name, want := range test.header {
				if diff := cmp.Diff(want, header[name]); diff != "" {
					t.Errorf("header %s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

func TestVariablesThatCannotBePut(t *testing.T) {
	s := serve(t, text("{}"))
	target := "asking " + s.URL + ": making the "
	tests := []struct {
		yaml string
		vars map[string]any
		want string
	}{
		{`http: {path: '/a/\($vars.x)/b'}`, map[string]any{"x": ".."}, target + `path of the request: \($vars.x): ".." cannot stand in a path`},
		{`http: {path: '/a/\($vars.x)/b'}`, nil, target + `path of the request: \($vars.x): found nothing to put into the request`},
		{`http: {params: {p: '\($vars.x)'}}`, nil, target + `parameter p of the request: \($vars.x): found nothing to put into the request`},
		{`http: {headers: {X-A: '\($vars.x)'}}`, map[string]any{"x": "a\r\nX-B: c"}, target + `header X-A of the request: the value holds a control character, expected text on one line`},
	}
	for _, test := range tests {
		c := newClient(t, test.yaml, fetch.Settings{})
		if got := failure(t, readWith(t, c, fetch.Request{Target: s.URL, Vars: test.vars}), document.ReasonInternal); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

func TestDocuments(t *testing.T) {
	var inFlight, most atomic.Int32
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := inFlight.Add(1)
		defer inFlight.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		for deadline := time.Now().Add(2 * time.Second); most.Load() < 3 && time.Now().Before(deadline); {
			runtime.Gosched()
		}
		if r.URL.Path == "/base/c" {
			w.WriteHeader(500)
		}
		fmt.Fprintf(w, "[%q, %q]", r.RequestURI, r.Header.Get("X-A"))
	})
	c := newClient(t, `
http: {headers: {X-A: "1"}, params: {p: "1"}}
documents:
  a: {path: /a}
  b: {path: /b, headers: {X-A: "2"}, params: {q: "2"}, format: yaml}
  c: {path: /c, optional: true}
`, fetch.Settings{})
	docs := read(t, c, s.URL+"/base/")
	if most.Load() != 3 {
		t.Errorf("at most %d requests ran side by side, want 3", most.Load())
	}
	want := []struct {
		name     string
		optional bool
		value    any
		reason   document.Reason
	}{
		{"a", false, []any{"/base/a?p=1", "1"}, ""},
		{"b", false, []any{"/base/b?p=1&q=2", "2"}, ""},
		{"c", true, nil, document.ReasonStatus},
	}
	for i, w := range want {
		doc := docs[i]
		if doc.Name != w.name || doc.Optional != w.optional {
			t.Errorf("got document %s (optional %v), want %s (%v)", doc.Name, doc.Optional, w.name, w.optional)
		}
		if diff := cmp.Diff(w.value, tree.Go(doc.Value)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", w.name, diff)
		}
		if w.reason != "" && (doc.Failure == nil || doc.Failure.Reason != w.reason) {
			t.Errorf("%s: got %v, want reason %s", w.name, doc.Failure, w.reason)
		}
	}
}

func TestStatus(t *testing.T) {
	tests := []struct {
		yaml string
		code int
		want string
	}{
		{"", 204, "decode"},
		{"", 404, "the target answered 404 Not Found, expected 2xx"},
		{"http: {valid_status_codes: [200, 503]}", 201, "the target answered 201 Created, expected 200 or 503"},
		{"http: {valid_status_codes: [200, 503]}", 503, ""},
		{"http: {valid_status_codes: 404}", 404, ""},
		{"", 799, "the target answered 799, expected 2xx"},
		{"http: {client: {follow_redirects: false}}", 302, "the target answered 302 Found, expected 2xx; redirects are not followed (follow_redirects)"},
		{"http: {valid_status_codes: [302]}", 302, ""},
	}
	for _, test := range tests {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/")
			w.WriteHeader(test.code)
			_, _ = w.Write([]byte(`{}`))
		})
		docs := read(t, newClient(t, test.yaml, fetch.Settings{}), s.URL)
		switch test.want {
		case "":
			one(t, docs)
		case "decode":
			failure(t, docs, document.ReasonDecode)
		default:
			if got, want := failure(t, docs, document.ReasonStatus), "asking "+s.URL+"/: "+test.want; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		}
		if docs[0].StatusCode != test.code {
			t.Errorf("got status %d, want %d", docs[0].StatusCode, test.code)
		}
	}
}

func TestFailWhen(t *testing.T) {
	tests := []struct{ expr, body, want string }{
		{".error", `{"error": null}`, ""},
		{".error", `{"error": ""}`, ""},
		{".error", `{"error": false}`, ""},
		{".error", `{"error": "no such pool"}`, "tells of a failure: no such pool"},
		{`.result != "success"`, `{"result": "no"}`, `tells of a failure: fail_when .result != "success" is true`},
		{`.error.code`, `{"error": {"code": 3}}`, `tells of a failure: fail_when .error.code is true`},
		{`$status == 200 and $headers["x-state"] == "a, b"`, `{}`, "is true"},
		{`.a.b`, `{"a": "c"}`, "evaluating fail_when on the answer of"},
	}
	for _, test := range tests {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["X-State"] = []string{"a", "b"}
			_, _ = io.WriteString(w, test.body)
		})
		docs := read(t, newClient(t, "http: {fail_when: '"+test.expr+"'}", fetch.Settings{}), s.URL)
		if test.want == "" {
			one(t, docs)
			continue
		}
		contains(t, failure(t, docs, document.ReasonTold), test.want)
	}
}

// TestDeadConnections asks a target that closes every connection after one answer
// without saying so.
func TestDeadConnections(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		t.Run(method, func(t *testing.T) {
			s := httptest.NewUnstartedServer(nil)
			s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				conn, buf, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = buf.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
				_ = buf.Flush()
				_ = conn.Close()
			})
			s.Start()
			defer s.Close()
			c := newClient(t, "http: {method: "+method+", body: x}", fetch.Settings{})
			for range 200 {
				one(t, read(t, c, s.URL))
			}
		})
	}
}

// TestIdleConnections asks a target that closes idle connections at any moment.
func TestIdleConnections(t *testing.T) {
	s := httptest.NewUnstartedServer(text("{}"))
	s.Config.IdleTimeout = time.Millisecond
	s.Start()
	defer s.Close()
	c := newClient(t, "http: {body: x}", fetch.Settings{})
	reused := 0
	for range 200 {
		if one(t, read(t, c, s.URL)).Exchanges[0].Reused {
			reused++
		}
	}
	t.Logf("%d of 200 probes reused a connection", reused)
}

func BenchmarkRead(b *testing.B) {
	for _, size := range []int{84, 900_000} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			body := `"` + strings.Repeat("a", size-2) + `"`
			s := httptest.NewServer(text(body))
			defer s.Close()
			o, _ := decode("http: {path: /status}", nil)
			c, err := fetch.New(o, fetch.Settings{Module: "test"})
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			b.ReportAllocs()
			for b.Loop() {
				p, err := c.Probe(fetch.Request{Target: s.URL})
				if err != nil {
					b.Fatal(err)
				}
				if doc := p.Read(b.Context())[0]; doc.Failure != nil {
					b.Fatal(doc.Failure)
				}
			}
		})
	}
}
