package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestAcceptsGzip(t *testing.T) {
	for accept, want := range map[string]bool{
		"":                          false,
		"gzip":                      true,
		"GZIP ":                     true,
		"zstd, br;q=1, gzip; q=0.5": true,
		"gzip;q=0":                  false,
		"gzip; q=0.000, *":          false,
		"*":                         true,
		"*;q=0":                     false,
		"identity":                  false,
		"gzip;q=much":               false,
		"deflate,br,x-gzip":         true,
		"gzipped":                   false,
	} {
		if got := acceptsGzip(http.Header{"Accept-Encoding": {accept}}); got != want {
			t.Errorf("%q: %t, want %t", accept, got, want)
		}
	}
}

func TestCompressor(t *testing.T) {
	long := strings.Repeat("metric 1\n", 5000)
	var c compressor
	for _, test := range []struct {
		accept, text, want string
	}{
		{"gzip", "short", ""},
		{"gzip", long, "gzip"},
		{"", long, ""},
		{"gzip", long[:leastCompressed-1], ""},
		{"gzip", long + "more", "gzip"},
		{"gzip", "", ""},
	} {
		var out bytes.Buffer
		header := http.Header{}
		c.begin(&out, header, http.Header{"Accept-Encoding": {test.accept}})
		for rest := test.text; rest != ""; {
			n := min(len(rest), 4096)
			if _, err := io.WriteString(&c, rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := c.end(); err != nil {
			t.Fatal(err)
		}
		if got := header.Get("Content-Encoding"); got != test.want {
			t.Errorf("%d bytes, accepting %q: header %v", len(test.text), test.accept, header)
		}
		var in io.Reader = &out
		if test.want != "" {
			var err error
			if in, err = gzip.NewReader(&out); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := io.ReadAll(in); err != nil || string(got) != test.text {
			t.Errorf("%d bytes, accepting %q: %d bytes came back, error %v", len(test.text), test.accept, len(got), err)
		}
	}
}
