package document_test

import (
	"testing"
)

func TestYAML(t *testing.T) {
	for _, c := range []decoding{
		{name: "documented", body: "jobs: 3\nsince: 2026-11-20\nports: {8080: up}\n", want: `{"jobs": 3, "since": "2026-11-20", "ports": {"8080": "up"}}`},
		{name: "documents", body: "a: 1\n---\nb: 2\n...\n", want: `[{"a": 1}, {"b": 2}]`},
		{name: "documents of brackets", body: "\n {a: [1]} # x\n---\n[b]\n", want: `[{"a": [1]}, ["b"]]`},
		{name: "byte order marks", body: "\ufeffa: 1\n\ufeffb: \"[\"\n", want: `{"a": 1, "b": "["}`},
		{name: "null", body: "~", want: `null`},
		{name: "empty document", body: "---\n", want: `null`},
		{
			name: "numbers", body: "[1, -1.50, 0x1F, 0o17, 010, 0b11, 1_000, +2, .5, 5., 1e3, 18446744073709551615, 18446744073709551617, -9223372036854775808]",
			want: `[1, -1.50, 31, 15, 8, 3, 1000, 2, 0.5, 5, 1e3, 18446744073709551615, 18446744073709551617, -9223372036854775808]`,
		},
		{name: "no numbers", body: `[.nan, .inf, +.Inf, -.INF, 1e400, "1", 1:30, 1.2.3]`, want: `["NaN", "+Inf", "+Inf", "-Inf", "1e400", "1", "1:30", "1.2.3"]`},
		{name: "words", body: "[true, False, null, Null, yes, no, on, y, 2026-11-20T10:00:00Z]", want: `[true, false, null, null, "yes", "no", "on", "y", "2026-11-20T10:00:00Z"]`},
		{name: "tags", body: `[!!str 1, !!int "2", !!float 3, !own x, !!binary aGk=]`, want: `["1", 2, 3, "x", "aGk="]`},
		{name: "keys", body: "1: a\ntrue: b\n~: c\n2026-11-20: d\n1.50: e", want: `{"1": "a", "true": "b", "~": "c", "2026-11-20": "d", "1.50": "e"}`},
		{name: "the last of equal keys", body: "a: 1\na: 2", want: `{"a": 2}`},
		{name: "aliases", body: "a: &x {n: 1}\nb: *x\nc: [*x, *x]\n&k key: 1\n? *k\n: 2", want: `{"a": {"n": 1}, "b": {"n": 1}, "c": [{"n": 1}, {"n": 1}], "key": 2}`},
		{
			name: "merge keys", body: "base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\none: {<<: *b, x: 5}\ntwo: {<<: [*b, *m]}\nown: {y: 0, <<: [{y: 9}]}",
			want: `{"base": {"x": 1, "y": 2}, "more": {"y": 3, "z": 4}, "one": {"x": 5, "y": 2}, "two": {"x": 1, "y": 2, "z": 4}, "own": {"y": 0}}`,
		},
		{name: "text", body: "a: |\n  x\n  y\nb: >-\n  x\n  y\nc: 'it''s'\nd: plain text, with commas", want: `{"a": "x\ny\n", "b": "x y", "c": "it's", "d": "plain text, with commas"}`},
		{name: "JSON", body: `{"a": [1, {"b": null}], "c": "\u00e9\n"}`, want: `{"a": [1, {"b": null}], "c": "é\n"}`},

		{name: "no document", body: "# nothing\n", wantErr: "the answer holds no document, expected YAML"},
		{name: "broken", body: "a: 1\nb: [1, 2\n", wantErr: "line 3, column 1: did not find expected ',' or ']', expected YAML"},
		{name: "broken brackets", body: " \r\n\n  [1, }]", wantErr: "line 3, column 7: did not find expected node content, expected YAML"},
		{name: "broken behind brackets", body: "[\n1, }]", wantErr: "line 2, column 4: did not find expected node content, expected YAML"},
		{name: "tab", body: "a:\n\tb: 1", wantErr: "line 2, column 1: found character that cannot start any token, expected YAML"},
		{name: "complex key", body: "? [1, 2]\n: x", wantErr: "line 1, column 3: found a list or mapping as a key, expected a word"},
		{name: "merge of a word", body: "a: {<<: x}", wantErr: "line 1, column 9: found a single value under <<, expected a mapping or a list of mappings"},
		{name: "wrong tag", body: "a: !!int x", wantErr: `line 1, column 4: found "x", expected what its tag !!int says`},
		{name: "unknown alias", body: "a: *x", wantErr: "line 1, column 4: unknown anchor 'x' referenced, expected YAML"},
		{name: "alias within itself", body: "a: &x [*x]", wantErr: "the document is nested deeper than 1000, which is the limit"},
		{name: "merge within itself", body: "a: &x {<<: *x}", wantErr: "the document is nested deeper than 1000, which is the limit"},
		{name: "control character", body: "a: \x01", wantErr: "control characters are not allowed (value: 1), expected YAML"},
	} {
		c.format = "yaml"
		c.run(t)
	}
}
