package fetch_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/document"
	"status_exporter/collector/fetch"
	"status_exporter/collector/tree"
)

// book has three pages with two items each, under several ways to go on.
func book(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	page := func(n int) string { return fmt.Sprintf("[%d, %d]", 2*n-1, 2*n) }
	number := func(r *http.Request, name string) int {
		n, err := strconv.Atoi(r.URL.Query().Get(name))
		if err != nil {
			return 1
		}
		return n
	}
	mux.HandleFunc("/number", func(w http.ResponseWriter, r *http.Request) {
		if n := number(r, "page"); n <= 3 && r.URL.Query().Get("size") == "2" {
			fmt.Fprint(w, page(n))
		} else {
			fmt.Fprint(w, "[]")
		}
	})
	mux.HandleFunc("/next", func(w http.ResponseWriter, r *http.Request) {
		next := "null"
		if n := number(r, "p"); n < 3 {
			next = fmt.Sprintf("%q", fmt.Sprintf("/next?p=%d", n+1))
		}
		fmt.Fprintf(w, `{"items": %s, "links": {"next": %s}}`, page(number(r, "p")), next)
	})
	mux.HandleFunc("/cursor", func(w http.ResponseWriter, r *http.Request) {
		n := number(r, "after")
		fmt.Fprintf(w, `{"items": %s, "cursor": %s}`, page(n), map[bool]string{true: fmt.Sprintf(`"%d"`, n+1), false: `""`}[n < 3])
	})
	mux.HandleFunc("/link", func(w http.ResponseWriter, r *http.Request) {
		if n := number(r, "p"); n < 3 {
			w.Header().Add("Link", `</link?p=1>; rel="first"; title="a, b", <?p=`+strconv.Itoa(n+1)+`>; title=x; rel="prefetch Next"`)
		}
		w.Header().Add("Link", `</link?p=3>; rel=last`)
		fmt.Fprint(w, page(number(r, "p")))
	})
	mux.HandleFunc("/header", func(w http.ResponseWriter, r *http.Request) {
		n := number(r, "p")
		if n < 3 {
			w.Header().Set("X-Next", fmt.Sprintf("/header?p=%d", n+1))
		}
		w.Header().Set("X-Items", []string{"a", "b", "c"}[n-1])
		w.WriteHeader(200 + n)
		fmt.Fprintf(w, `{"20%d": {%q: %s}}`, n, []string{"a", "b", "c"}[n-1], page(n))
	})
	mux.HandleFunc("/circle", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"items": [1], "links": {"next": "/circle"}}`)
	})
	mux.HandleFunc("/forever", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"items": [1], "links": {"next": "/forever?p=%d"}}`, number(r, "p")+1)
	})
	mux.HandleFunc("/elsewhere", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"items": [1], "links": {"next": "http://169.254.169.254/"}}`)
	})
	mux.HandleFunc("/file", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"items": [1], "links": {"next": "file:///etc/passwd"}}`)
	})
	mux.HandleFunc("/broken", func(w http.ResponseWriter, r *http.Request) {
		if number(r, "page") == 2 {
			w.WriteHeader(500)
		}
		fmt.Fprint(w, `[1]`)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func TestPages(t *testing.T) {
	s := book(t)
	tests := []struct{ name, yaml string }{
		{"numbers", "http: {path: /number, params: {size: '2'}, pages: {param: page}}"},
		{"next", "http: {path: /next, pages: {next: .links.next, items: .items}}"},
		{"cursor", "http: {path: /cursor, pages: {next: .cursor, param: after, items: .items}}"},
		{"link", "http: {path: /link, pages: {link: header}}"},
		{"header", `http: {path: /header, pages: {next: '$headers["x-next"]', items: '.[] | .[]'}}`},
		{"variables", `http: {path: /header, pages: {next: '$headers["x-next"]', items: '$root[$status | tostring][$headers["x-items"]]'}}`},
		{"variables read before", `http: {path: /header, fail_when: '$headers | has("x-items") | not', pages: {next: '$headers["x-next"]', items: '.[] | .[]'}}`},
		{"as many as allowed", "http: {path: /next, pages: {next: .links.next, items: .items, limit: 3}}"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			doc := one(t, read(t, newClient(t, test.yaml, fetch.Settings{}), s.URL))
			var want []any
			for i := range 6 {
				want = append(want, json.Number(strconv.Itoa(i+1)))
			}
			if diff := cmp.Diff(want, tree.Go(doc.Value)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for i, e := range doc.Exchanges {
				if e.Reused != (i > 0) {
					t.Errorf("page %d: reused %v", i+1, e.Reused)
				}
			}
		})
	}
	doc := one(t, read(t, newClient(t, "http: {path: /number, pages: {param: page}}", fetch.Settings{}), s.URL))
	if diff := cmp.Diff([]any{}, doc.Value); diff != "" {
		t.Errorf("no items (-want +got):\n%s", diff)
	}
}

func TestPagesFail(t *testing.T) {
	s := book(t)
	const next = "{next: .links.next, items: .items}"
	tests := []struct {
		path, pages string
		reason      document.Reason
		want        string
	}{
		{"/circle", next, document.ReasonLimit, "asking URL/circle: the pages lead in a circle, back to URL/circle"},
		{"/forever", next, document.ReasonLimit, "asking URL/forever: there are more than 100 pages (limit under pages)"},
		{"/next", "{next: .links.next, items: .items, limit: 2}", document.ReasonLimit, "asking URL/next: there are more than 2 pages (limit under pages)"},
		{"/elsewhere", next, document.ReasonRefused, "http://169.254.169.254 may not be asked: it is a link-local"},
		{"/file", next, document.ReasonRedirect, "asking URL/file: the next page cannot be asked for, to an address that is neither http nor https"},
		{"/broken", "{param: page}", document.ReasonStatus, "asking URL/broken?page=...: the target answered 500 Internal Server Error, expected 2xx"},
		{"/next", "{next: .links.next}", document.ReasonDecode, "asking URL/next: the page is not an array; items says where the page has one"},
		{"/next", "{next: .links.next, items: .links}", document.ReasonDecode, "asking URL/next: items .links is not an array; items says where the page has one"},
		{"/next", "{next: .items.x, items: .items}", document.ReasonDecode, "asking URL/next: next .items.x: "},
	}
	for _, test := range tests {
		c := newClient(t, "http: {path: "+test.path+", pages: "+test.pages+"}", fetch.Settings{})
		got := strings.ReplaceAll(failure(t, read(t, c, s.URL), test.reason), s.URL, "URL")
		if !strings.HasPrefix(got, test.want) {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

// TestPagesLimit checks that body_size_limit and limits.values hold for all pages together.
func TestPagesLimit(t *testing.T) {
	few := fetch.Settings{Limits: document.Limits{Depth: 10, Values: 15}} // a page has six
	c := newClient(t, "http: {path: /next, pages: {next: .links.next, items: .items}}", few)
	contains(t, failure(t, read(t, c, book(t).URL), document.ReasonLimit), "the document has more than 15 values, which is the limit")
	c = newClient(t, "http: {path: /next, body_size_limit: 100, pages: {next: .links.next, items: .items}}", fetch.Settings{})
	contains(t, failure(t, read(t, c, book(t).URL), document.ReasonTooLarge), "is larger than body_size_limit, 100 bytes")
}

// TestPagesElsewhere checks that a page at another host gets no credentials.
func TestPagesElsewhere(t *testing.T) {
	var got http.Header
	other := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		_, _ = w.Write([]byte(`{"items": [2]}`))
	})
	s := serve(t, text(`{"items": [1], "next": "`+other.URL+`"}`))
	c := newClient(t, "http: {headers: {X-Key: {secret: abc}}, client: {bearer_token: abc}, allow: '*', pages: {next: .next, items: .items}}", fetch.Settings{})
	doc := one(t, read(t, c, s.URL))
	if diff := cmp.Diff([]any{json.Number("1"), json.Number("2")}, tree.Go(doc.Value)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.Get("X-Key") != "" || got.Get("Authorization") != "" {
		t.Errorf("another host got %v", got)
	}
}

// TestPagesAfterRedirect checks that a host to which the target redirects cannot have
// it asked for other pages with its credentials, nor with the body.
func TestPagesAfterRedirect(t *testing.T) {
	var got []string
	var home string
	note := func(who string, r *http.Request) {
		got = append(got, fmt.Sprintf("%s %s %s credentials=%t", who, r.Method, r.RequestURI, r.Header.Get("X-Key")+r.Header.Get("Authorization") != ""))
	}
	other := serve(t, func(w http.ResponseWriter, r *http.Request) {
		note("other", r)
		next := map[string]string{"/link": home + "/admin?x=1", "/relative": "?p=2", "/cursor": "2"}[r.URL.Path]
		if r.URL.RawQuery != "" {
			next = ""
		} else if strings.HasPrefix(next, "http") || strings.HasPrefix(next, "?") {
			w.Header().Set("Link", "<"+next+`>; rel="next"`)
		}
		fmt.Fprintf(w, `{"items": [1], "next": %q}`, next)
	})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		note("target", r)
		switch n := r.URL.Query().Get("n"); {
		case r.URL.Path == "/admin" || n == "2":
			_, _ = w.Write([]byte(`{"items": []}`))
		case r.URL.Path == "/moved":
			http.Redirect(w, r, "/here/first", http.StatusFound)
		case r.URL.Path == "/here/first":
			_, _ = w.Write([]byte(`{"items": [1], "next": "second"}`))
		case r.URL.Path == "/here/second":
			_, _ = w.Write([]byte(`{"items": [2]}`))
		default:
			http.Redirect(w, r, other.URL+strings.TrimPrefix(r.URL.Path, "/to"), http.StatusFound)
		}
	})
	home = s.URL
	const secrets = "headers: {X-Key: {secret: abc}}, client: {bearer_token: abc}, allow: '*'"
	tests := []struct{ name, path, rest, want string }{
		{"a link back", "/to/link", "pages: {link: header, items: .items}", "target GET /to/link credentials=true, other GET /link credentials=false, target GET /admin?x=1 credentials=false"},
		{"an expression that leads back", "/to/link", "pages: {next: .next, items: .items}", "target GET /to/link credentials=true, other GET /link credentials=false, target GET /admin?x=1 credentials=false"},
		{"a link of its own", "/to/relative", "pages: {link: header, items: .items}", "target GET /to/relative credentials=true, other GET /relative credentials=false, other GET /relative?p=2 credentials=false"},
		{"a value for the target", "/to/cursor", "pages: {next: .next, param: n, items: .items}", "target GET /to/cursor credentials=true, other GET /cursor credentials=false, target GET /to/cursor?n=2 credentials=false"},
		{"numbers, which nobody else chooses", "/to/number", "pages: {param: n, items: .items}", "target GET /to/number?n=1 credentials=true, other GET /number credentials=false, target GET /to/number?n=2 credentials=true"},
		{"a link of the target, moved", "/moved", "pages: {next: .next, items: .items}", "target GET /moved credentials=true, target GET /here/first credentials=true, target GET /here/second credentials=true"},
		{"a link back, with a body", "/to/link", "body: {secret: abc}, pages: {link: header, items: .items}", "target POST /to/link credentials=true, other GET /link credentials=false"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got = nil
			docs := read(t, newClient(t, "http: {path: "+test.path+", "+secrets+", "+test.rest+"}", fetch.Settings{}), s.URL)
			if strings.Contains(test.rest, "body") {
				contains(t, failure(t, docs, document.ReasonRedirect), "the next page is at another host, or named by one", "which is not sent the body")
			} else {
				one(t, docs)
			}
			if diff := cmp.Diff(strings.Split(test.want, ", "), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestSecretsOfPages logs in once for many pages: the secrets are kept once.
func TestSecretsOfPages(t *testing.T) {
	target := serve(t, func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		switch {
		case r.URL.Path == "/login":
			for i := range 20 {
				http.SetCookie(w, &http.Cookie{Name: fmt.Sprint("a", i), Value: fmt.Sprint("s3cret", i)})
			}
		case page > 50:
			_, _ = io.WriteString(w, "[]")
		default:
			_, _ = io.WriteString(w, "[1]")
		}
	})
	c := newClient(t, "http: {path: /list, pages: {param: page}, allow: '*', login: {path: /login, method: POST}}", fetch.Settings{})
	found := one(t, read(t, c, target.URL)).Secrets
	if !slices.Contains(found, "s3cret19") {
		t.Errorf("a cookie is missing in %q", found)
	}
	if most := 200; len(found) > most {
		t.Errorf("51 pages left %d secrets, want at most %d", len(found), most)
	}
}
