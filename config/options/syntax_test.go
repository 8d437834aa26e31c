package options_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"status_exporter/config/options"
)

func TestSyntaxErrors(t *testing.T) {
	const quotes = "; an expression with brackets, commas, colons or quotes in it needs quotes around all of it, or a block: |- after the key and the expression on the next line"
	tests := []struct{ name, yaml, want string }{
		{
			"index in a flow mapping", "metrics:\n  - {name: x, value: .a[0]}\n",
			"shop.yml:2:24: not valid YAML: expected ',' or '}' while reading {…}" + quotes,
		},
		{
			"object after a pipe", "metrics:\n  - name: x\n    each: .q[] | {k: .key}\n",
			"shop.yml:3:20: not valid YAML: a colon with a space behind it cannot stand here" + quotes,
		},
		{
			"iteration in a flow mapping", "metrics: [{each: .[], value: .a}]",
			"shop.yml:1:19: not valid YAML: expected ',' or '}' while reading {…}" + quotes,
		},
		{
			"text with a colon", "value: .a | select(.b == \"x: y\")",
			"shop.yml:1:28: not valid YAML: a colon with a space behind it cannot stand here" + quotes,
		},
		{
			"an array at the beginning", "value: [.a, .b] | add",
			"shop.yml:1:19: not valid YAML: expected comment or line break while reading a text" + quotes,
		},
		{
			"a text at the beginning", "value: \"a\" + .b",
			"shop.yml:1:12: not valid YAML: expected a key while reading a mapping" + quotes,
		},
		{
			"a format at the beginning", "value: @text",
			"shop.yml:1:8: not valid YAML: found a character with which no value begins" + quotes,
		},
		{
			"a colon in a text", "help: Jobs: those that wait",
			"shop.yml:1:11: not valid YAML: a colon with a space behind it cannot stand here; such a text needs quotes, and the keys of one mapping the same indentation",
		},
		{
			"deeper than its neighbour", "a:\n b: 1\n  c: 2",
			"shop.yml:3:4: not valid YAML: a colon with a space behind it cannot stand here; such a text needs quotes, and the keys of one mapping the same indentation",
		},
		{
			"indented with a tab", "http:\n\tport: 80",
			"shop.yml:2:1: not valid YAML: found a character with which no value begins; YAML is indented with spaces, never with tabs",
		},
		{
			"a tab among spaces", "http:\n  scheme: http\n  \tport: 80",
			"shop.yml:3:3: not valid YAML: found a tab character that violates indentation while reading a text; YAML is indented with spaces, never with tabs",
		},
		{
			"not closed", "http: {port: 80\ntargets: []\n",
			"shop.yml:2:8: not valid YAML: expected ',' or '}' while reading {…}",
		},
		{
			"quote not closed", "a: 'x\n",
			"shop.yml:2:1: not valid YAML: found unexpected end of stream while reading a text in quotes",
		},
		{
			"unknown alias", "a: *b",
			"shop.yml:1:4: not valid YAML: unknown anchor; a text that begins with * stands in quotes",
		},
		{
			"not UTF-8", "a: b\nc: \xe9t\xe9\n",
			"shop.yml:2:4: not valid YAML: found the byte 0xE9, which is not UTF-8",
		},
		{
			"control character", "a: b\r\nc: é\x01\n",
			"shop.yml:2:5: not valid YAML: found the control character U+0001",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := options.NewDecoder(noEnv)
			if d.Parse("shop.yml", []byte(test.yaml)) != nil {
				t.Error("Parse returned a node")
			}
			if d.Err() == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(test.want, d.Err().Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}
