package fetch_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/document"
	"status_exporter/collector/fetch"
)

// TestShownHeaders checks what of the headers of an exchange is shown.
func TestShownHeaders(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Server", "x/1")
		h.Set("Set-Cookie", "a=s3cret")
		h.Set("X-Auth-Token", "s3cret")
		h.Set("Content-Location", "/a?b=s3cret")
		h.Set("Refresh", "3; url=https://u:s3cret@shop/")
		h.Set("Link", "</a?b=s3cret>; rel=next, <//u:s3cret@c/?d=s3cret>; rel=last")
		_, _ = w.Write([]byte("{}"))
	})
	c := newClient(t, "http: {headers: {X-Plain: a, X-Name: {secret: s3cret}, Api-Key: s3cret}, allow: '*'}", fetch.Settings{})
	doc := one(t, readWith(t, c, fetch.Request{Target: s.URL, Excerpt: 10}))
	e := doc.Exchanges[0]
	for name, want := range map[string]string{"X-Plain": "a", "X-Name": "<secret>", "Api-Key": "<secret>", "Accept": "application/json, */*;q=0.5"} {
		if got := e.RequestHeader.Get(name); got != want {
			t.Errorf("request header %s: got %q, want %q", name, got, want)
		}
	}
	e.ResponseHeader.Del("Date")
	want := http.Header{
		"Server": {"x/1"}, "Set-Cookie": {"<secret>"}, "X-Auth-Token": {"<secret>"}, "Content-Location": {"/a?..."},
		"Refresh": {"3; url=https://shop/"}, "Link": {"</a?...>; rel=next, <//c/?...>; rel=last"},
		"Content-Length": {"2"}, "Content-Type": {"text/plain; charset=utf-8"},
	}
	if diff := cmp.Diff(want, e.ResponseHeader); diff != "" {
		t.Errorf("response header (-want +got):\n%s", diff)
	}
	if doc.Header.Get("Set-Cookie") != "a=s3cret" {
		t.Error("the header that expressions read was changed")
	}
	// Where the document is not shown, neither is what the target says in its own headers.
	e = one(t, read(t, c, s.URL)).Exchanges[0]
	if e.ResponseHeader.Get("Refresh") != "..." || e.ResponseHeader.Get("X-Auth-Token") != "<secret>" || e.ResponseHeader.Get("Content-Length") != "2" {
		t.Errorf("the header of the answer is %v where the document is not shown", e.ResponseHeader)
	}
	if all := one(t, readWith(t, c, fetch.Request{Target: s.URL})).Exchanges; all != nil {
		t.Errorf("exchanges are kept for no report: %v", all)
	}
}

func TestDocumentNames(t *testing.T) {
	for text, want := range map[string][]string{
		"": {document.Status},
		"documents: {b: {path: /}, a: {path: /}}": {"b", "a"},
	} {
		o, _ := decode(text, nil)
		if diff := cmp.Diff(want, o.Documents()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

// A share refuses memory or turns.
type share struct{ memory, turn, values error }

func (s share) Reserve(int64) error        { return s.memory }
func (s share) Wait(context.Context) error { return s.turn }
func (s share) Decoded(int) error          { return s.values }

func (share) Rest() {}

func TestShare(t *testing.T) {
	s := serve(t, text("{}"))
	c := newClient(t, "", fetch.Settings{})
	one(t, readWith(t, c, fetch.Request{Target: s.URL, Share: share{}}))
	full := errors.New("no room")
	contains(t, failure(t, readWith(t, c, fetch.Request{Target: s.URL, Share: share{memory: full}}), document.ReasonOverloaded), "no room")
	contains(t, failure(t, readWith(t, c, fetch.Request{Target: s.URL, Share: share{turn: full}}), document.ReasonOverloaded), "no room")
	many := serve(t, text("["+strings.Repeat("0,", 40_000)+"0]"))
	contains(t, failure(t, readWith(t, c, fetch.Request{Target: many.URL, Share: share{values: full}}), document.ReasonOverloaded), "no room")
	// What it takes to decode YAML is asked for before: this is none.
	signs := serve(t, text(strings.Repeat("! ", 1000)))
	c = newClient(t, "format: yaml", fetch.Settings{})
	failure(t, readWith(t, c, fetch.Request{Target: signs.URL, Share: share{}}), document.ReasonDecode)
	failure(t, readWith(t, c, fetch.Request{Target: signs.URL, Share: share{values: full}}), document.ReasonOverloaded)
}
