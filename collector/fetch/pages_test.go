package fetch_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/document"
	"status_exporter/collector/fetch"
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
		{"as many as allowed", "http: {path: /next, pages: {next: .links.next, items: .items, limit: 3}}"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			doc := one(t, read(t, newClient(t, test.yaml, fetch.Settings{}), s.URL))
			var want []any
			for i := range 6 {
				want = append(want, json.Number(strconv.Itoa(i+1)))
			}
			if diff := cmp.Diff(want, doc.Value); diff != "" {
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

// TestPagesLimit checks that body_size_limit holds for all pages together.
func TestPagesLimit(t *testing.T) {
	c := newClient(t, "http: {path: /next, body_size_limit: 100, pages: {next: .links.next, items: .items}}", fetch.Settings{})
	failure(t, read(t, c, book(t).URL), document.ReasonTooLarge)
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
	if diff := cmp.Diff([]any{json.Number("1"), json.Number("2")}, doc.Value); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.Get("X-Key") != "" || got.Get("Authorization") != "" {
		t.Errorf("another host got %v", got)
	}
}
