package fetch_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"status_exporter/collector/document"
	"status_exporter/collector/fetch"
)

// TestLongLocations asks targets that redirect to long addresses, of which little is
// shown and kept.
func TestLongLocations(t *testing.T) {
	path := "/" + strings.Repeat("a", 50_000)
	for name, test := range map[string]struct {
		location func(number int) string
		want     string
	}{
		"a circle":     {func(int) string { return path }, "it is redirected in a circle, back to http://"},
		"a long chain": {func(n int) string { return fmt.Sprint(path, n) }, "more than 10 redirects, the last one at http://"},
		"a long host":  {func(int) string { return "http://" + strings.Repeat("a.", 30_000) + "example/" }, "the host has 60007 bytes, expected at most 255"},
		"many credentials": {func(n int) string {
			var query strings.Builder
			for i := range 5000 {
				fmt.Fprintf(&query, "pass%d=word%d&", i, i)
			}
			return fmt.Sprint("/?n=", n, "&", query.String())
		}, "more than 10 redirects"},
	} {
		t.Run(name, func(t *testing.T) {
			number := 0
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				number++
				w.Header().Set("Location", test.location(number))
				w.WriteHeader(http.StatusFound)
			})
			docs := readWith(t, newClient(t, "", fetch.Settings{}), fetch.Request{Target: s.URL + "/%20d", Explain: true})
			said := failure(t, docs, document.ReasonRedirect)
			contains(t, said, "asking "+s.URL+"/%20d: ", test.want)
			if len(said) > 1000 || strings.Contains(said, "%!") {
				t.Errorf("the error has %d bytes: %.1000s", len(said), said)
			}
			for _, e := range docs[0].Exchanges {
				if n := len(e.URL) + len(e.ResponseHeader.Get("Location")); n > 400 {
					t.Errorf("an exchange shows %d bytes of addresses", n)
				}
			}
			if n := len(docs[0].Secrets); n > 10_000 {
				t.Errorf("%d texts are taken for secrets", n)
			}
		})
	}
}

// TestLongTold asks a target that tells of its failure at length.
func TestLongTold(t *testing.T) {
	for _, letter := range []string{"a", "ä"} {
		s := serve(t, text(`{"error": "`+strings.Repeat(letter, 1_000_000)+`"}`))
		c := newClient(t, "http: {fail_when: .error}", fetch.Settings{})
		contains(t, failure(t, read(t, c, s.URL), document.ReasonTold), ": "+strings.Repeat(letter, 197)+"...")
	}
}
