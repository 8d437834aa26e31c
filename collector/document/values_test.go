package document_test

import (
	"testing"

	"status_exporter/collector/document"
)

// A document knows how many values were decoded for it, in whatever way it holds them.
func TestValues(t *testing.T) {
	for _, c := range []struct {
		format, body string
		want         int
	}{
		{"json", `{"a": [1, null, {}], "b": {"c": "x"}, "b": {"c": true}}`, 8}, // "x" took memory, too
		{"json", "null", 1},
		{"json", "1\n2", 3},
		{"yaml", "a: [1, null, {}]\nb: {c: x}", 7},
		{"xml", `<a b="1"><c/><c>2</c></a>`, 6},
		{"csv", "a,b\n1,\n3,4", 7},
		{"keyvalue", "a: 1\na: 2\nb: 3\nbare", 7},
	} {
		var doc document.Document
		for range 2 { // the answers of several pages add up
			if _, err := doc.Decode(t.Context(), format(t, c.format), []byte(c.body), "", document.DefaultLimits); err != nil {
				t.Fatal(err)
			}
		}
		if doc.Values != 2*c.want {
			t.Errorf("%s %q: %d values, want %d", c.format, c.body, doc.Values, 2*c.want)
		}
		doc.Release()
		for pages := range 3 { // and count against the limit together
			_, err := doc.Decode(t.Context(), format(t, c.format), []byte(c.body), "", document.Limits{Depth: 10, Values: 4*c.want + c.want/2})
			if isLimit(err) != (pages == 2) {
				t.Errorf("%s %q, page %d: %v, want a limit on page 5", c.format, c.body, pages+3, err)
			}
		}
		doc.Release()
	}
}
