package fetch_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"status_exporter/collector/document"
	"status_exporter/collector/fetch"
)

// TestPagesKeepTheBody: a page at another host is not asked for with the body.
func TestPagesKeepTheBody(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the other host was asked") }))
	defer other.Close()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "<"+other.URL+`/2>; rel="next"`)
		fmt.Fprint(w, "[1]")
	}))
	defer target.Close()
	c := newClient(t, "http: {body: '{\"pass\": 1}', pages: {link: header}}", fetch.Settings{})
	contains(t, failure(t, readWith(t, c, fetch.Request{Target: target.URL}), document.ReasonRedirect), "which is not sent the body")
}
