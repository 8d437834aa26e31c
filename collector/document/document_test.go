package document_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/document"
	"status_exporter/collector/tree"
	"status_exporter/config/options"
)

// format returns a format as the configuration names it.
func format(t testing.TB, config string) document.Format {
	t.Helper()
	d := options.NewDecoder(os.LookupEnv)
	var f document.Format
	if n := d.Parse("format.yml", []byte(config)); n != nil {
		f.DecodeYAML(d, n)
	}
	if err := d.Err(); err != nil {
		t.Fatal(err)
	}
	return f
}

// value returns what a JSON text stands for, by encoding/json.
func value(t testing.TB, text string) any {
	t.Helper()
	var v any
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// A decoding is one body with the value, as JSON, or the error that it must give.
type decoding struct {
	name        string
	format      string
	body        string
	contentType string
	want        string
	wantErr     string
}

func (c decoding) run(t *testing.T) {
	t.Helper()
	t.Run(c.name, func(t *testing.T) {
		got, err := format(t, c.format).Decode(t.Context(), []byte(c.body), c.contentType, document.DefaultLimits)
		if c.wantErr != "" {
			if err == nil {
				t.Fatalf("got the value %v, want the error %q", got, c.wantErr)
			}
			if diff := cmp.Diff(c.wantErr, err.Error()); diff != "" {
				t.Fatalf("error (-want +got):\n%s", diff)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(value(t, c.want), tree.Go(got)); diff != "" {
			t.Errorf("value (-want +got):\n%s", diff)
		}
	})
}

func TestText(t *testing.T) {
	for _, c := range []decoding{
		{"mark", "json", "\xef\xbb\xbf{\"a\": 1}", "", `{"a": 1}`, ""},
		{"mark", "yaml", "\xef\xbb\xbfa: 1", "", `{"a": 1}`, ""},
		{"mark", "xml", "\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?><a>é</a>", "", `{"a": "é"}`, ""},
		{"mark", "csv", "\xef\xbb\xbfa\n1", "", `[{"a": "1"}]`, ""},
		{"mark", "keyvalue", "\xef\xbb\xbfa: 1", "", `{"a": "1"}`, ""},
		{"mark", "{regexp: {pattern: '^a(?P<n>.)'}}", "\xef\xbb\xbfa1", "", `{"n": "1"}`, ""},

		{"utf-16", "json", "\xff\xfe[\x001\x00]\x00", "", `[1]`, ""},
		{"utf-16", "yaml", "\xfe\xff\x00a\x00:\x00 \x001", "", `{"a": 1}`, ""},
		{"utf-16", "xml", "\xff\xfe<\x00a\x00>\x00\xe9\x00<\x00/\x00a\x00>\x00", "", `{"a": "é"}`, ""},
		{"utf-16", "csv", "\xff\xfea\x00\n\x001\x00", "", `[{"a": "1"}]`, ""},
		{"utf-16", "keyvalue", "\xff\xfea\x00:\x001\x00", "", `{"a": "1"}`, ""},
		{"utf-16", "{regexp: {pattern: '^a(?P<n>.)'}}", "\xff\xfea\x001\x00", "", `{"n": "1"}`, ""},
		{"utf-16 half a character", "json", "\xff\xfe\"\x00\"\x00\n", "", ``, "line 1, column 3: found \"\ufffd\", expected the end of the document, or a line break before the next one"},

		{"CRLF", "json", "[1,\r\n2]\r\n[3]\r\n", "", `[[1, 2], [3]]`, ""},
		{"CRLF", "yaml", "a: 1\r\nb: |\r\n  x\r\n  y\r\n", "", `{"a": 1, "b": "x\ny\n"}`, ""},
		{"CRLF", "xml", "<a>\r\n<b>x\r\ny</b>\r\n</a>", "", `{"a": {"b": "x\ny"}}`, ""},
		{"CRLF", "csv", "a,b\r\n1,2\r\n", "", `[{"a": "1", "b": "2"}]`, ""},
		{"CRLF", "keyvalue", "a: 1\r\nb: 2\r\n", "", `{"a": "1", "b": "2"}`, ""},
		{"CRLF", "{regexp: {pattern: '^a: (?P<a>.*)$'}}", "a: 1\r\nb: 2\r\n", "", `{"a": "1"}`, ""},

		{"invalid UTF-8", "json", "{\"a\xff\": \"\xc3\xc3\xa9\xed\xa0\x80\"}", "", `{"a\ufffd": "\ufffdé\ufffd\ufffd\ufffd"}`, ""},
		{"invalid UTF-8", "yaml", "a\xff: \xc3", "", `{"a\ufffd": "\ufffd"}`, ""},
		{"invalid UTF-8", "xml", "<a b='\xff'>\xc3</a>", "", `{"a": {"@b": "\ufffd", "#text": "\ufffd"}}`, ""},
		{"invalid UTF-8", "csv", "a\xff\n\xc3", "", `[{"a\ufffd": "\ufffd"}]`, ""},
		{"invalid UTF-8", "keyvalue", "a\xff: \xc3", "", `{"a\ufffd": "\ufffd"}`, ""},
		{"invalid UTF-8", "{regexp: {pattern: '^a: (?P<a>.*)$'}}", "a: \xff\xc3", "", `{"a": "\ufffd\ufffd"}`, ""},

		{"charset", "json", "\"\xe9\"", "application/json; charset=iso-8859-1", `"\ufffd"`, ""},
		{"charset", "yaml", "a: \xe9", "text/yaml; charset=iso-8859-1", `{"a": "é"}`, ""},
		{"charset", "xml", "<a>\xe9</a>", "text/xml; charset=iso-8859-1", `{"a": "é"}`, ""},
		{"charset", "csv", "a\n\xe9", "text/csv; charset=ISO-8859-1", `[{"a": "é"}]`, ""},
		{"charset", "keyvalue", "a: \xe9", "text/plain; charset=ISO-8859-1", `{"a": "é"}`, ""},
		{"charset", "{regexp: {pattern: '^a: (?P<a>.*)$'}}", "a: \xa4", `text/plain; charset="ISO-8859-15"`, `{"a": "€"}`, ""},
		{"unknown charset", "keyvalue", "a: é", "text/plain; charset=none", `{"a": "é"}`, ""},
		{"declaration before charset", "xml", "<?xml version='1.0' encoding='koi8-r'?><a>\xc1</a>", "text/xml; charset=utf-8", `{"a": "а"}`, ""},
		{"unknown declaration", "xml", "<?xml version='1.0' encoding='ebcdic'?><a/>", "", ``, `line 1: the document declares the encoding "ebcdic", which is unknown`},

		{"not finite", "xml", "<a><b>NaN</b><b>1e400</b></a>", "", `{"a": {"b": ["NaN", "1e400"]}}`, ""},
		{"not finite", "csv", "a,b\nNaN,1e400", "", `[{"a": "NaN", "b": "1e400"}]`, ""},
		{"not finite", "keyvalue", "a: NaN\nb: 1e400", "", `{"a": "NaN", "b": "1e400"}`, ""},
		{"not finite", "{regexp: {pattern: '^a: (?P<a>.*)$'}}", "a: 1e400", "", `{"a": "1e400"}`, ""},

		{"colours", "keyvalue", "\x1b[1;32mstate\x1b[0m: \x1b]0;title\x07\x1b[32mup\x1b[m", "", `{"state": "up"}`, ""},
		{"broken colours", "keyvalue", "a\x1b(B: \x1bé\x1b[é\x1b[1;é\x1b7\x1b]x\x1b", "", `{"a": "ééé"}`, ""},
		{"colours", "{regexp: {pattern: '^state: (?P<state>\\w+)$'}}", "state: \x1b[38;5;10mup\x1b[0m", "", `{"state": "up"}`, ""},
	} {
		c.name += " " + strings.Trim(strings.Split(c.format, ":")[0], "{")
		c.run(t)
	}
}

// What is not in the format at all says so, in every format.
func TestWrongKind(t *testing.T) {
	const page = "\n<!DOCTYPE html>\n<html><head><title>\n Sign in &amp; go </title></head><body>state: up, 1<br></body></html>"
	pattern := `{regexp: {pattern: 'no (?P<way>\d)'}}`
	for _, c := range []decoding{
		{"empty", "json", "", "", "", "the answer is empty, expected JSON"},
		{"empty", "yaml", "", "", "", "the answer is empty, expected YAML"},
		{"empty", "xml", "", "", "", "the answer is empty, expected XML"},
		{"empty", "csv", "", "", "", "the answer is empty, expected CSV"},
		{"empty", "keyvalue", "", "", "", "the answer is empty, expected lines of keys and values"},
		{"empty", pattern, "", "", "", `the answer is empty, expected a match of the pattern "no (?P<way>\\d)"`},
		{"blank", "json", " \r\n\t", "", "", "the answer is empty, expected JSON"},
		{"page", "json", page, "", "", `the answer is an HTML page titled "Sign in & go", expected JSON`},
		{"page", "yaml", page, "", "", `the answer is an HTML page titled "Sign in & go", expected YAML`},
		{"page", "xml", page, "", "", `the answer is an HTML page titled "Sign in & go", expected XML`},
		{"page", "csv", page, "", "", `the answer is an HTML page titled "Sign in & go", expected CSV`},
		{"page", "keyvalue", page, "", "", `the answer is an HTML page titled "Sign in & go", expected lines of keys and values`},
		{"page", pattern, page, "", "", `the answer is an HTML page titled "Sign in & go", expected a match of the pattern "no (?P<way>\\d)"`},
		{"page without a title", "json", "<html><body>502", "", "", "the answer is an HTML page, expected JSON"},
		{"page after a comment", "json", "<!-- x\n -->\n<HTML>", "", "", "the answer is an HTML page, expected JSON"},
	} {
		c.name += " " + strings.Trim(strings.Split(c.format, ":")[0], "{")
		c.run(t)
	}
}

func isLimit(err error) bool {
	var f *document.Failure
	return errors.As(err, &f) && f.Reason == document.ReasonLimit
}
