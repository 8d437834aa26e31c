package accesslog

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// compare fails where the scanner and the reference parser differ.
func compare(t *testing.T, format, line string, got found, ok bool, want found, wantOK bool) {
	t.Helper()
	if ok != wantOK {
		t.Fatalf("format %q\nline %q\nmatches: got %t, the reference says %t", format, line, ok, wantOK)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("format %q\nline %q (-reference +got):\n%s", format, line, diff)
	}
}

// FuzzScan reads any line in any format.
func FuzzScan(f *testing.F) {
	combined := `::1 - john doe [10/Oct/2000:13:55:36 -0700] "POST /a?b=c HTTP/1.1" 404 2326 "http://x/\"y\"" "Mozilla\\"`
	for _, format := range []string{
		"common", "combined", nginxTimed, nginxVhost, nginxAsJSON, apacheVhost, apacheTimed, apacheSeconds,
		`$upstream_status $status`, `"$upstream_response_time" $status`, `$http_a$http_b "$http_c$http_d" $status`,
	} {
		f.Add(format, combined)
		f.Add(format, strings.TrimSuffix(combined, ` "http://x/\"y\"" "Mozilla\\"`))
		f.Add(format, `1.2.3.4 - - [t] "GET / HTTP/1.1" 200 5 "-" "-" rt=0.125 urt=0.100, 0.025 : -`)
		f.Add(format, `shop.example 200 GET /x 10.0.0.1:80, 10.0.0.2:80 : 10.0.0.3:80 0.5, - : 0.25 77`)
		f.Add(format, `{"code":"201","request":"PUT /\"x\" HTTP/2.0","time":1e-5}`)
		f.Add(format, `200 1 1500000`)
	}
	f.Fuzz(func(t *testing.T, format, line string) {
		s, err := compileFormat(format)
		if err != nil {
			return
		}
		text := format
		if named, ok := namedFormats[strings.TrimSpace(format)]; ok {
			text = named
		}
		parts, err := split(strings.TrimSpace(text))
		if err != nil {
			t.Fatalf("%q compiles and cannot be split: %v", format, err)
		}
		got, ok := parse(s, line)
		want, wantOK := reference(parts, line)
		compare(t, format, line, got, ok, want, wantOK)
	})
}

// FuzzFormat compiles any text, and reads a line that a server would write with
// that format.
func FuzzFormat(f *testing.F) {
	for _, format := range []string{
		"common", "combined", nginxTimed, nginxVhost, nginxAsJSON, apacheVhost, apacheTimed, apacheSeconds,
		"'$status' \"$request\" ;", "log_format a escape=none '$status\\'' ;", `LogFormat "%>s\t\"%r\" \\"`,
		"%{%Y-%m-%d}t %>s", "%!200,304>s %{Host}i %^ti", "${status}0$request", "$status$host$uri$is_args$args",
	} {
		f.Add(format)
	}
	f.Fuzz(func(t *testing.T, format string) {
		s, err := compileFormat(format)
		if err != nil {
			return
		}
		text := format
		if named, ok := namedFormats[strings.TrimSpace(format)]; ok {
			text = named
		}
		parts, err := split(strings.TrimSpace(text))
		if err != nil {
			t.Fatalf("%q compiles and cannot be split: %v", format, err)
		}
		values := map[field]string{
			codeField: "200", methodField: "GET", requestField: "GET /a?b HTTP/1.1", pathField: "/a", bytesField: "42",
			secondsField: "0.5", upstreamField: "0.25, -", vhostField: "shop", skipped: "-",
		}
		var line strings.Builder
		for _, p := range parts {
			line.WriteString(p.literal)
			if p.literal == "" {
				line.WriteString(values[p.field])
			}
		}
		got, ok := parse(s, line.String())
		want, wantOK := reference(parts, line.String())
		compare(t, format, line.String(), got, ok, want, wantOK)
	})
}

// FuzzJSON reads any line as JSON.
func FuzzJSON(f *testing.F) {
	for _, line := range []string{
		`{"status":200,"request_method":"GET","request_uri":"/a?b","host":"shop","body_bytes_sent":"42","request_time":1.5e-3,"upstream_response_time":"0.1, 0.2"}`,
		`{"request": {"a": [1, -0.5E+7, null, true, false, {"status": 500}]}, "status": "404", "request_time": ""}`,
		`{"request":"PUT \/x\u00e4\ud83d\ude00\ud800 HTTP\/1.1","st\u0061tus":"201","status":202}`,
		`{} `, `[]`, `{"status":200`, `{"status":200}}`, `{"status":2e2}`, `{"a":01,"status":200}`, "{\"a\":\"\t\"}", `{"status":null}`,
	} {
		f.Add(line)
	}
	s := compileJSON(nil)
	f.Fuzz(func(t *testing.T, line string) {
		if strings.Count(line, "{")+strings.Count(line, "[") > maxDepth {
			return
		}
		got, ok := parse(s, line)
		want, wantOK := referenceJSON(line)
		// encoding/json replaces what is no UTF-8, which the labels do later.
		got.Path, got.Vhost = strings.ToValidUTF8(got.Path, "\uFFFD"), strings.ToValidUTF8(got.Vhost, "\uFFFD")
		want.Path, want.Vhost = strings.ToValidUTF8(want.Path, "\uFFFD"), strings.ToValidUTF8(want.Vhost, "\uFFFD")
		got.Path, want.Path = collapse(got.Path), collapse(want.Path)
		got.Vhost, want.Vhost = collapse(got.Vhost), collapse(want.Vhost)
		if ok && !json.Valid([]byte(line)) {
			t.Fatalf("line %q matches and is no JSON", line)
		}
		compare(t, "json", line, got, ok, want, wantOK)
	})
}

// FuzzPattern matches any path with any pattern.
func FuzzPattern(f *testing.F) {
	for _, pattern := range []string{"/", "/a/*", "/**.css", "/*a*b*c", "**/x/*", "/user-*/**/edit"} {
		f.Add(pattern, "/a/x/user-7/b.css")
		f.Add(pattern, "/aabbcc")
	}
	stars := strings.NewReplacer(`\*\*`, `(?s:.*)`, `\*`, `[^/]*`)
	f.Fuzz(func(t *testing.T, text, path string) {
		p, err := compilePattern("", text)
		if err != nil || !utf8.ValidString(text) || !utf8.ValidString(path) {
			return
		}
		want := regexp.MustCompile("^(?:" + stars.Replace(regexp.QuoteMeta(text)) + ")$").MatchString(path)
		if got := p.match([]byte(path)); got != want {
			t.Fatalf("pattern %q of %q: got %t, want %t", text, path, got, want)
		}
	})
}

// collapse makes one replacement of several, which are counted differently.
func collapse(s string) string {
	for strings.Contains(s, "\uFFFD\uFFFD") {
		s = strings.ReplaceAll(s, "\uFFFD\uFFFD", "\uFFFD")
	}
	return s
}
