package document_test

import (
	"os"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/document"
	"status_exporter/collector/tree"
	"status_exporter/config/options"
)

func TestFormatMistakes(t *testing.T) {
	for _, c := range []struct{ config, want string }{
		{`jsn`, `format.yml:1:1: found the text "jsn", expected one of json, yaml, xml, csv, keyvalue, regexp; did you mean "json"?`},
		{`7`, `format.yml:1:1: found the number 7, expected one of json, yaml, xml, csv, keyvalue, regexp`},
		{`[csv]`, `format.yml:1:1: found a list, expected one of json, yaml, xml, csv, keyvalue, regexp`},
		{`{key_value: {}}`, `format.yml:1:2: found the text "key_value", expected one of json, yaml, xml, csv, keyvalue, regexp; did you mean "keyvalue"?`},
		{`{csv: {}, xml: {}}`, `format.yml:1:1: "format" has 2 keys, expected one: the name of the format, with its options under it`},
		{`{json: {strict: true}}`, `format.yml:1:8: found a mapping under json, which has no options`},
		{`{yaml: x}`, `format.yml:1:8: found the text "x" under yaml, which has no options`},
		{`{xml: {array: x}}`, `format.yml:1:8: unknown key "array" in xml; did you mean "arrays"? expected arrays`},
		{`{csv: ";"}`, `format.yml:1:7: csv is a text, expected a mapping (key: value)`},
		{`{csv: {seperator: ";"}}`, `format.yml:1:8: unknown key "seperator" in csv; expected one of comment, delimiter, header, header_prefix, lazy_quotes, tables`},
		{`{csv: {delimiter: ", "}}`, `format.yml:1:19: delimiter: found the text ", ", expected one character such as ";" or "\t", neither a quote nor a line break`},
		{`{csv: {delimiter: '"'}}`, `format.yml:1:19: delimiter: found the text "\"", expected one character such as ";" or "\t", neither a quote nor a line break`},
		{`{csv: {comment: ""}}`, `format.yml:1:17: comment: found the text "", expected one character such as ";" or "\t", neither a quote nor a line break`},
		{`{csv: {delimiter: "\0"}}`, `format.yml:1:19: delimiter: found the text "\x00", expected one character such as ";" or "\t", neither a quote nor a line break`},
		{`{csv: {delimiter: {a: b}}}`, `format.yml:1:19: delimiter: found a mapping, expected one character`},
		{`{csv: {delimiter: ";", comment: ";"}}`, `format.yml:1:7: delimiter and comment are both ";", expected two characters`},
		{`{csv: {header: name}}`, `format.yml:1:16: header: found the text "name", expected true, false or a list of column names`},
		{`{csv: {header: []}}`, `format.yml:1:16: header: found a list, expected true, false or a list of column names`},
		{`{csv: {header: false, header_prefix: "# "}}`, `format.yml:1:7: header_prefix needs a header line, expected header: true`},
		{`{csv: {comment: "#", header_prefix: "# "}}`, `format.yml:1:7: the header begins with "# " and would be skipped as a comment, expected either header_prefix or comment`},
		{`{csv: {tables: 2, lazy_quotes: maybe}}`, "format.yml:1:16: tables: found the number 2, expected true or false\nformat.yml:1:32: lazy_quotes: found the text \"maybe\", expected true or false"},
		{`{keyvalue: {separator: ""}}`, `format.yml:1:24: separator: found an empty text, expected one such as ":" or "="`},
		{`{keyvalue: {separator: }}`, `format.yml:1:24: separator: found an empty value, expected a text`},
		{`{keyvalue: {comment: ""}}`, `format.yml:1:22: comment: found an empty text, expected one such as "#"`},
		{`regexp`, `format.yml:1:1: the format regexp has no pattern, expected format: {regexp: {pattern: 'Active: (?P<active>\d+)'}} or a list under patterns`},
		{`{regexp: {repeat: true}}`, `format.yml:1:10: the format regexp has no pattern, expected format: {regexp: {pattern: 'Active: (?P<active>\d+)'}} or a list under patterns`},
		{`{regexp: {pattern: '(a'}}`, "format.yml:1:20: pattern: found the text \"(a\", expected a regular expression (missing closing ): `(a`)"},
		{`{regexp: {pattern: 'a(\d)'}}`, `format.yml:1:20: the pattern has no named group, expected at least one such as (?P<active>\d+)`},
		{`{regexp: {patterns: ['(?P<a>a)', 'b']}}`, `format.yml:1:34: the pattern has no named group, expected at least one such as (?P<active>\d+)`},
		{`{regexp: {patterns: 'b'}}`, `format.yml:1:21: "patterns" is a text, expected a list`},
	} {
		d := options.NewDecoder(os.LookupEnv)
		var f document.Format
		f.DecodeYAML(d, d.Parse("format.yml", []byte(c.config)))
		err := d.Err()
		if err == nil {
			t.Errorf("%s: accepted", c.config)
			continue
		}
		if diff := cmp.Diff(c.want, err.Error()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.config, diff)
		}
		if f.Decoder == nil {
			t.Errorf("%s: left without a decoder", c.config)
		}
	}
}

func TestFormatNames(t *testing.T) {
	for config, want := range map[string]string{
		"json":                                   "json",
		"{json: {}}":                             "json",
		"{yaml: }":                               "yaml",
		"xml":                                    "xml",
		"{xml: {arrays: service}}":               "xml",
		"{csv: }":                                "csv",
		"{keyvalue: {separator: ' '}}":           "keyvalue",
		"{regexp: {patterns: ['(?<active>.)']}}": "regexp",
	} {
		if got := format(t, config); got.Name != want {
			t.Errorf("%s: got %s, want %s", config, got.Name, want)
		}
	}
}

func TestGuess(t *testing.T) {
	for _, c := range []struct{ body, contentType, want, value string }{
		{`{"a": 1}`, "text/plain", "json", `{"a": 1}`},
		{" [1]\n[2]", "", "json", `[[1], [2]]`},
		{"7", "application/health+json; charset=utf-8", "json", "7"},
		{"5\n", "text/plain", "json", "5"},
		{"-.5", "", "keyvalue", `{"": ["-.5"]}`},
		{"null", "", "json", "null"},
		{"\"a\"", "", "json", `"a"`},
		{"\"a\",\"b\"\n\"1\",\"2\"\n", "application/json", "csv", `[{"a": "1", "b": "2"}]`},
		{"<?xml version='1.0'?><a>1</a>", "text/plain", "xml", `{"a": "1"}`},
		{"<a>1</a>", "application/json", "xml", `{"a": "1"}`},
		{"a,b\n1,2\n", "application/json", "csv", `[{"a": "1", "b": "2"}]`},
		{"a,b\n1,2\n", "text/xml", "csv", `[{"a": "1", "b": "2"}]`},
		{"a:\n  b: 1", "application/json", "yaml", `{"a": {"b": 1}}`},
		{"a: 1\nb: 2", "application/json", "keyvalue", `{"a": "1", "b": "2"}`},
		{"load,.5\nsize,1e3\n", "", "{csv: {header: false}}", `[["load", ".5"], ["size", "1e3"]]`},
		{"a: 1", "application/yaml", "yaml", `{"a": 1}`},
		{"---\na: 1", "", "yaml", `{"a": 1}`},
		{"a:\n  b: 1", "", "yaml", `{"a": {"b": 1}}`},
		{"a:\n- 1", "", "yaml", `{"a": [1]}`},
		{"a,b\n1,2\n", "", "csv", `[{"a": "1", "b": "2"}]`},
		{"# a,b,\n1,2,\n", "", `{csv: {header_prefix: "#"}}`, `[{"a": "1", "b": "2"}]`},
		{"a;b\n1;2\n3;4", "", `{csv: {delimiter: ";"}}`, `[{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]`},
		{"a\tb\n1\t2\n", "", `{csv: {delimiter: "\t"}}`, `[{"a": "1", "b": "2"}]`},
		{"load,1\nversion,\"9.2, x\"\n", "text/csv", "{csv: {header: false}}", `[["load", "1"], ["version", "9.2, x"]]`},
		{"a,b\n1,2\n\na\n3\n", "text/csv", "{csv: {tables: true}}", `[[{"a": "1", "b": "2"}], [{"a": "3"}]]`},
		{"host\nTotal Accesses: 7\nScoreboard: _W,", "text/plain", "keyvalue", `{"": ["host"], "Total Accesses": "7", "Scoreboard": "_W,"}`},
		{"a=1\nb=2:3", "", `{keyvalue: {separator: "="}}`, `{"a": "1", "b": "2:3"}`},
		{"a 1\nb 2", "", `{keyvalue: {separator: " "}}`, `{"a": "1", "b": "2"}`},
		{"OK", "", "keyvalue", `{"": ["OK"]}`},
	} {
		f, spelling := document.Guess(t.Context(), []byte(c.body), c.contentType)
		if spelling != c.want {
			t.Errorf("%q: guessed %s, want %s", c.body, spelling, c.want)
			continue
		}
		if configured := format(t, spelling); !reflect.DeepEqual(f, configured) {
			t.Errorf("%q: guessed %#v, but %s is %#v", c.body, f, spelling, configured)
		}
		got, err := f.Decode(t.Context(), []byte(c.body), c.contentType, document.DefaultLimits)
		if err != nil {
			t.Errorf("%q: %v", c.body, err)
		}
		if diff := cmp.Diff(value(t, c.value), tree.Go(got)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.body, diff)
		}
	}
	for body, want := range map[string]string{
		"":                                    "the answer is empty, expected JSON",
		"<!doctype html><title>Login</title>": `the answer is an HTML page titled "Login", expected JSON`,
	} {
		f, _ := document.Guess(t.Context(), []byte(body), "text/html")
		_, err := f.Decode(t.Context(), []byte(body), "", document.DefaultLimits)
		if err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", body, err, want)
		}
	}
}
