package accesslog

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// found is an entry as tests write it down.
type found struct {
	Code              int
	Method            string
	Bytes             uint64
	Path, Vhost       string
	Seconds, Upstream float64 // -1 where there is none
}

func parse(p parser, line string) (found, bool) {
	var e entry
	if !p.parse([]byte(line), &e) {
		return found{}, false
	}
	return found{e.code, methodNames[e.method], e.bytes, string(e.path), string(e.vhost), e.seconds, e.upstream}, true
}

const (
	nginxTimed    = `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" rt=$request_time urt=$upstream_response_time`
	nginxVhost    = `$host $status $request_method $request_uri $upstream_addr $upstream_response_time $bytes_sent`
	nginxAsJSON   = `log_format json escape=json '{"code":"$status","request":"$request",' '"time":$request_time}';`
	apacheVhost   = `%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"`
	apacheTimed   = `LogFormat "%h %t \"%m %U%q\" %>s %{ms}T %B" timed`
	apacheSeconds = `%>s %T %D`
)

func TestFormats(t *testing.T) {
	for _, test := range []struct {
		format, line string
		want         *found // nil for a line that does not match
	}{
		{
			"common", `127.0.0.1 user-identifier frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326`,
			&found{200, "GET", 2326, "/apache_pb.gif", "", -1, -1},
		},
		{
			"combined", `::1 - john doe [10/Oct/2000:13:55:36 -0700] "POST /a?b=c HTTP/1.1" 404 - "http://x/\"quoted\"" "Mozilla/4.08 [en] (Win98; I ;Nav)"`,
			&found{404, "POST", 0, "/a", "", -1, -1},
		},
		{"combined", `1.2.3.4 - - [t] "-" 408 0 "-" "-"`, &found{408, "other", 0, "", "", -1, -1}},
		{"combined", `1.2.3.4 - - [t] "\x16\x03\x01" 400 226 "-" "-"`, &found{400, "other", 226, "", "", -1, -1}},
		{"combined", `1.2.3.4 - - [t] "GET /\"a\\" 200 1 "-" "-"`, &found{200, "GET", 1, `/\"a\\`, "", -1, -1}},
		{"combined", `1.2.3.4 - - [t] "get / HTTP/1.1" 405 1 "-" "-"`, &found{405, "other", 1, "/", "", -1, -1}},
		{"combined", `1.2.3.4 - - [t] "PROPFIND / HTTP/1.1" 207 1 "-" "-"`, &found{207, "PROPFIND", 1, "/", "", -1, -1}},
		{"combined", `1.2.3.4 - - [t] "GET / HTTP/1.1" 200 1 "-" "a" "more"`, nil},
		{"combined", `1.2.3.4 - - [t] "GET / HTTP/1.1" 200 1 "-"`, nil},
		{"combined", `1.2.3.4 - - [t] "GET / HTTP/1.1" 2000 1 "-" "-"`, nil},
		{"combined", `1.2.3.4 - - [t] "GET / HTTP/1.1" 200 1x "-" "-"`, nil},
		{"combined", ``, nil},
		{"common", `1.2.3.4 - - [t] "GET / HTTP/1.1" 200 1 "-" "-"`, nil},
		{
			nginxTimed, `1.2.3.4 - - [t] "GET / HTTP/1.1" 200 5 "-" "-" rt=0.125 urt=0.100, 0.025 : -`,
			&found{200, "GET", 5, "/", "", 0.125, 0.125},
		},
		{nginxTimed, `1.2.3.4 - - [t] "GET / HTTP/1.1" 200 5 "-" "-" rt=0.125 urt=-`, &found{200, "GET", 5, "/", "", 0.125, -1}},
		{nginxTimed, `1.2.3.4 - - [t] "GET / HTTP/1.1" 200 5 "-" "-" rt=soon urt=-`, nil},
		{
			nginxVhost, `shop.example 200 GET /x 10.0.0.1:80, 10.0.0.2:80 : 10.0.0.3:80 0.5, - : 0.25 77`,
			&found{200, "GET", 77, "/x", "shop.example", -1, 0.75},
		},
		{nginxVhost, `shop.example 200 GET /x 10.0.0.1:80 0.5 77`, &found{200, "GET", 77, "/x", "shop.example", -1, 0.5}},
		{nginxAsJSON, `{"code":"201","request":"PUT /\"x\" HTTP/2.0","time":0.001}`, &found{201, "PUT", 0, `/\"x\"`, "", 0.001, -1}},
		{
			apacheVhost, `www.example.org:443 1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 304 180 "-" "curl"`,
			&found{304, "GET", 180, "/", "www.example.org", -1, -1},
		},
		{apacheTimed, `1.2.3.4 [t] "GET /a?b" 200 250 0`, &found{200, "GET", 0, "/a", "", 0.25, -1}},
		{apacheSeconds, `200 1 1500000`, &found{200, "other", 0, "", "", 1.5, -1}},
		{`%s %>s`, `301 200`, &found{200, "other", 0, "", "", -1, -1}},
		{`%%%>s\t%400,501{User-agent}i`, "%500\t-", &found{500, "other", 0, "", "", -1, -1}},
		{`$remote_addr$remote_user $request_method:$uri$is_args$args $status`, `1.2.3.4x PUT:/a?b 200`, &found{200, "PUT", 0, "/a", "", -1, -1}},
	} {
		s, err := compileFormat(test.format)
		if err != nil {
			t.Errorf("%s: %v", test.format, err)
			continue
		}
		got, ok := parse(s, test.line)
		switch {
		case !ok && test.want != nil:
			t.Errorf("%s\ndoes not match %s", test.line, test.format)
		case ok && test.want == nil:
			t.Errorf("%s\nmatches %s", test.line, test.format)
		case ok:
			if diff := cmp.Diff(*test.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.line, diff)
			}
		}
	}
}

func TestFormatErrors(t *testing.T) {
	for format, want := range map[string]string{
		"":                                 "the format \"\" is not known, expected common, combined, json",
		"combinde":                         "is not known",
		"%h %l":                            "has no status code",
		"$remote_addr":                     "has no status code",
		"%>s%b":                            "nothing stands between %>s and %b",
		"$status${request}":                "nothing stands between $status and ${request}",
		"$status $":                        "a dollar in the format stands before no name",
		"%>s %Z":                           `no directive of Apache begins with "%Z"`,
		"%>s %{Foo":                        `no directive of Apache begins with "%{Foo"`,
		"LogFormat %h":                     "expected a string in quotes",
		`LogFormat "%h`:                    `no closing "`,
		"log_format main":                  "expected its name and its strings",
		"log_format main '$status' x":      "expected a quote",
		"log_format main '$status":         "no closing '",
		"'$status' '$request":              "no closing '",
		"log_format main escape=json '$a'": "has no status code",
	} {
		if _, err := compileFormat(format); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want …%s…", format, err, want)
		}
	}
}

func TestDecimal(t *testing.T) {
	for text, want := range map[string]float64{
		"0": 0, "12": 12, "0.005": 0.005, "1.5e-05": 1.5e-05, "00.10": 0.1, "123456789.123456789123": 123456789.123456789123,
		"1E3": 1000, "99999999999999999999": 1e20, "0.1234567890123456": 0.1234567890123456,
		"": -1, "-": -1, ".5": -1, "5.": -1, "1.2.3": -1, "-1": -1, "+1": -1, "1e": -1, "0x1": -1, "1_0": -1,
		"inf": -1, "NaN": -1, "1e999": -1, "1.e5": -1, "1 ": -1, "12345678901234567890x": -1,
	} {
		got, ok := decimal([]byte(text))
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
	if n, ok := size([]byte(fmt.Sprint(uint64(math.MaxUint64)))); ok {
		t.Errorf("a size of 20 digits: got %d, want none", n)
	}
}

func TestPatterns(t *testing.T) {
	for _, test := range []struct {
		pattern, path string
		want          bool
	}{
		{"/", "/", true},
		{"/", "/a", false},
		{"/a", "/a", true},
		{"/a", "", false},
		{"/a/*", "/a/b", true},
		{"/a/*", "/a/", true},
		{"/a/*", "/a/b/c", false},
		{"/a/*/c", "/a/b/c", true},
		{"/a/*/c", "/a/b/b/c", false},
		{"/a/**", "/a/b/c", true},
		{"/a/**", "/a", false},
		{"/**.css", "/x/y.css", true},
		{"/**.css", "/x/y.css.map", false},
		{"/**/feed", "/blog/2026/feed", true},
		{"/**/feed", "/feed", false},
		{"*", "/", false},
		{"**", "", true},
		{"/*a*b*c", "/xxaxxaxxbxbxc", true},
		{"/*a*b*c", "/xxbxxaxxc", false},
		{"/user-*/**/edit", "/user-7/a/b/edit", true},
		{"/ä/*", "/ä/ö", true},
	} {
		p, err := compilePattern("", test.pattern)
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
			continue
		}
		if got := p.match([]byte(test.path)); got != test.want {
			t.Errorf("%s of %s: got %t, want %t", test.pattern, test.path, got, test.want)
		}
	}
	for pattern, want := range map[string]string{
		"":                                    "neither a slash nor a star",
		"a/b":                                 "neither a slash nor a star",
		"/a?b=*":                              "ends before its query",
		"/a/***":                              "three stars in a row",
		"/*" + strings.Repeat("x", maxPieces): "too long",
	} {
		if _, err := compilePattern("", pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want …%s…", pattern, err, want)
		}
	}
}
