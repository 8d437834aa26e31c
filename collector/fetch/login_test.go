package fetch_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"status_exporter/collector/document"
	"status_exporter/collector/fetch"
)

// TestHandshake asks as Transmission wants it: 409 hands out an id.
func TestHandshake(t *testing.T) {
	var id atomic.Value
	id.Store("one")
	var asked atomic.Int32
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Header.Get("X-Transmission-Session-Id") != id.Load() {
			w.Header().Set("X-Transmission-Session-Id", id.Load().(string))
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, "<h1>409: Conflict</h1>")
			return
		}
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	})
	c := newClient(t, `http: {body: '{"method": "session-stats"}', login: {on: [409], header: X-Transmission-Session-Id}}`, fetch.Settings{})
	for i, want := range []int32{2, 3, 4} {
		doc := one(t, read(t, c, s.URL))
		if asked.Load() != want {
			t.Errorf("after probe %d the target was asked %d times, want %d", i, asked.Load(), want)
		}
		if doc.StatusCode != 200 {
			t.Errorf("got status %d", doc.StatusCode)
		}
		for _, e := range doc.Exchanges {
			if got := e.RequestHeader.Get("X-Transmission-Session-Id"); got != "" && got != "<secret>" {
				t.Errorf("the session is shown: %s", got)
			}
		}
	}
	id.Store("two")
	one(t, read(t, c, s.URL))
	if asked.Load() != 6 {
		t.Errorf("the target was asked %d times, want 6", asked.Load())
	}
}

// door is a target with a login: each login gives another token, and forget makes
// all tokens bad.
type door struct {
	*httptest.Server
	logins, asked atomic.Int32
	valid         atomic.Int32 // the number of the token that is good
	slow          chan struct{}
}

func newDoor(t *testing.T) *door {
	d := &door{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if string(body) != "user=u&password=p" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		n := d.logins.Add(1)
		if d.slow != nil {
			<-d.slow
		}
		d.valid.Store(n)
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: fmt.Sprint("c", n), Path: "/", HttpOnly: true})
		http.SetCookie(w, &http.Cookie{Name: "old", Value: "x", MaxAge: -1})
		w.Header().Set("X-Session", fmt.Sprint("h", n))
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(map[bool]int{true: http.StatusFound, false: http.StatusOK}[r.URL.Query().Has("redirect")])
		fmt.Fprintf(w, `{"data": {"token": "t%d"}}`, n)
	})
	mux.HandleFunc("GET /{name}", func(w http.ResponseWriter, r *http.Request) {
		d.asked.Add(1)
		n := d.valid.Load()
		good := r.Header.Get("Authorization") == fmt.Sprint("Bearer t", n) || r.Header.Get("Cookie") == fmt.Sprint("lang=de; sid=c", n) ||
			r.Header.Get("X-Session") == fmt.Sprint("h", n) || r.Header.Get("X-Key") == fmt.Sprint("t", n)
		if n == 0 || !good {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, `{}`)
	})
	d.Server = httptest.NewServer(mux)
	t.Cleanup(d.Close)
	return d
}

const loginBody = `path: /login, body: {secret: "user=u&password=p"}`

func TestLogin(t *testing.T) {
	for name, login := range map[string]string{
		"token":                 `{` + loginBody + `, token: .data.token}`,
		"token in a header":     `{` + loginBody + `, token: .data.token, header: X-Key}`,
		"token with its prefix": `{` + loginBody + `, token: '"Bearer " + .data.token', prefix: ""}`,
		"token by variables":    `{` + loginBody + `, token: 'if $status == 200 then "t" + $headers["x-session"][1:] else null end'}`,
		"token of the root":     `{` + loginBody + `, token: $root.data.token}`,
		"header":                `{` + loginBody + `, header: X-Session}`,
		"cookie":                `{` + loginBody + `}`,
		"cookie and a redirect": `{` + loginBody + `, params: {redirect: ""}}`,
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t)
			c := newClient(t, "http: {path: /status, headers: {Cookie: lang=de}, allow: '*', login: "+login+"}", fetch.Settings{})
			for range 3 {
				one(t, read(t, c, d.URL))
			}
			if d.logins.Load() != 1 || d.asked.Load() != 3 {
				t.Errorf("%d logins for %d requests, want 1 for 3", d.logins.Load(), d.asked.Load())
			}
			d.valid.Store(0) // forgotten
			doc := one(t, read(t, c, d.URL))
			if d.logins.Load() != 2 || d.asked.Load() != 5 {
				t.Errorf("%d logins for %d requests, want 2 for 5", d.logins.Load(), d.asked.Load())
			}
			if len(doc.Exchanges) != 3 {
				t.Errorf("got %d exchanges, want 3", len(doc.Exchanges))
			}
		})
	}
}

// TestLoginOnce lets many probes find out at once that they need a login.
func TestLoginOnce(t *testing.T) {
	d := newDoor(t)
	d.slow = make(chan struct{})
	c := newClient(t, "{http: {allow: '*', login: {"+loginBody+", token: .data.token}}, documents: {a: {path: /a}, b: {path: /b}}}", fetch.Settings{})
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			p, err := c.Probe(fetch.Request{Target: d.URL})
			if err != nil {
				t.Error(err)
				return
			}
			for _, doc := range p.Read(t.Context()) {
				if doc.Failure != nil {
					t.Error(doc.Failure)
				}
			}
		})
	}
	d.slow <- struct{}{}
	wg.Wait()
	if d.logins.Load() != 1 || d.asked.Load() != 20 {
		t.Errorf("%d logins for %d requests, want 1 for 20", d.logins.Load(), d.asked.Load())
	}
}

// TestLoginOfAnother lets a probe wait for the login of one that goes away.
func TestLoginOfAnother(t *testing.T) {
	d := newDoor(t)
	d.slow = make(chan struct{})
	c := newClient(t, "http: {path: /status, allow: '*', login: {"+loginBody+", token: .data.token}}", fetch.Settings{})
	probe := func(ctx context.Context) <-chan *document.Document {
		done := make(chan *document.Document, 1)
		p, err := c.Probe(fetch.Request{Target: d.URL})
		if err != nil {
			t.Fatal(err)
		}
		go func() { done <- p.Read(ctx)[0] }()
		return done
	}
	wait := func(n int32) {
		for deadline := time.Now().Add(5 * time.Second); d.logins.Load() < n; {
			if time.Now().After(deadline) {
				t.Fatalf("%d logins, want %d", d.logins.Load(), n)
			}
		}
	}
	first, leave := context.WithCancel(t.Context())
	a := probe(first)
	wait(1)
	b := probe(t.Context())
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if doc := <-probe(short); doc.Failure == nil || doc.Failure.Reason != document.ReasonTimeout {
		t.Errorf("waiting ended with %v, want a timeout", doc.Failure)
	}
	leave()
	if doc := <-a; doc.Failure == nil || doc.Failure.Reason != document.ReasonTimeout {
		t.Errorf("the cancelled login ended with %v, want a timeout", doc.Failure)
	}
	wait(2)
	close(d.slow)
	if doc := <-b; doc.Failure != nil {
		t.Errorf("the waiting probe ended with %v", doc.Failure)
	}
}

func TestLoginFails(t *testing.T) {
	d := newDoor(t)
	tests := []struct{ name, login, want string }{
		{"not accepted", `{path: /login, body: {secret: s3cret}}`, "logging in at URL/login: the target answered 403 Forbidden, expected 2xx or 3xx"},
		{"another status", `{` + loginBody + `, valid_status_codes: [204]}`, "logging in at URL/login: the target answered 200 OK, expected 204"},
		{"no token", `{` + loginBody + `, token: .token}`, "logging in at URL/login: token .token found no text in the answer"},
		{"a token that cannot be evaluated", `{` + loginBody + `, token: '.data[0]'}`, "logging in at URL/login: token .data[0] cannot be evaluated on the answer"},
		{"no header", `{` + loginBody + `, header: X-Other}`, "logging in at URL/login: the answer, 200 OK, has no header X-Other"},
		{"no cookie", `{path: /nothing, on: [404]}`, "logging in at URL/nothing: the target answered 401 Unauthorized, expected 2xx or 3xx"},
		{"refused again", `{` + loginBody + `, token: '"wrong"', header: X-Key}`, "asking URL/status: the target answered 401 Unauthorized, also after a new login"},
		{"a handshake without a header", `{on: [401], header: X-Id}`, "logging in at URL/status: the answer, 401 Unauthorized, has no header X-Id"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newClient(t, "http: {path: /status, allow: '*', login: "+test.login+"}", fetch.Settings{})
			checkLeaks(t, c)
			got := strings.ReplaceAll(failure(t, read(t, c, d.URL), document.ReasonLogin), d.URL, "URL")
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
	c := newClient(t, "http: {allow: '*', login: {"+loginBody+"}}", fetch.Settings{})
	contains(t, failure(t, read(t, c, "http://"+closedPort(t)), document.ReasonConnect), "logging in: asking http://127.0.0.1:")
}

// TestLoginSize lets a login answer with more than is read of it.
func TestLoginSize(t *testing.T) {
	const (
		limit = 1 << 20
		token = `{"token": "t"}`
	)
	padding := strings.Repeat(" ", limit-len(token))
	for _, test := range []struct {
		name  string
		login http.HandlerFunc
		ok    bool
	}{
		{"as long as allowed", text(token + padding), true},
		{"one more", text(token + padding + " "), false},
		{"gzip, one more", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(gzipped(token + padding + " "))
		}, false},
		{"without end", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, padding)
			}
		}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.HandleFunc("/login", test.login)
			mux.HandleFunc("/status", func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") == "" {
					w.WriteHeader(http.StatusUnauthorized)
				}
				_, _ = io.WriteString(w, "{}")
			})
			s := serve(t, mux.ServeHTTP)
			docs := read(t, newClient(t, "http: {path: /status, login: {path: /login, token: .token}}", fetch.Settings{}), s.URL)
			if test.ok {
				one(t, docs)
				return
			}
			contains(t, failure(t, docs, document.ReasonTooLarge), "logging in: asking "+s.URL+"/login: the answer is larger than what is read after a login, 1048576 bytes")
		})
	}
}

// TestLoginsAreApart checks that a login at one target is not used at another.
func TestLoginsAreApart(t *testing.T) {
	a, b := newDoor(t), newDoor(t)
	c := newClient(t, "http: {path: /status, allow: '*', login: {"+loginBody+", token: .data.token}}", fetch.Settings{})
	one(t, read(t, c, a.URL))
	one(t, read(t, c, b.URL))
	if a.logins.Load() != 1 || b.logins.Load() != 1 {
		t.Errorf("%d and %d logins, want 1 and 1", a.logins.Load(), b.logins.Load())
	}
}
