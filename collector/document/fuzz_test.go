package document_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"status_exporter/collector/document"
	"status_exporter/collector/tree"
)

var fuzzLimits = document.Limits{Depth: 50, Values: 10_000}

// addSamples seeds a fuzz target with the samples whose names match.
func addSamples(f *testing.F, pattern string, more ...string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(files) == 0 {
		f.Fatalf("no samples: %v", err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, "")
	}
	for _, body := range more {
		f.Add([]byte(body), "text/plain; charset=iso-8859-1")
	}
}

// mustBeSound decodes a body and fails where the value is not what the package
// promises: its types, valid UTF-8, numbers of JSON, and the limits kept.
func mustBeSound(t *testing.T, f document.Format, body []byte, contentType string) {
	t.Helper()
	v, err := f.Decode(t.Context(), body, contentType, fuzzLimits)
	if err != nil {
		if !utf8.ValidString(err.Error()) {
			t.Fatalf("%q: the error %q is not valid UTF-8", body, err)
		}
		var failure *document.Failure
		if errors.As(err, &failure) && failure.Reason != document.ReasonLimit {
			t.Fatalf("%q: failed with the reason %s", body, failure.Reason)
		}
		return
	}
	values := 0
	var check func(v any, depth int)
	check = func(v any, depth int) {
		values++
		if depth > fuzzLimits.Depth+1 || // several documents in one body are one array more
			values > fuzzLimits.Values {
			t.Fatalf("%q: depth %d and %d values are beyond the limits", body, depth, values)
		}
		switch v := v.(type) {
		case nil, bool:
		case string:
			if !utf8.ValidString(v) {
				t.Fatalf("%q: the string %q is not valid UTF-8", body, v)
			}
		case json.Number:
			if !json.Valid([]byte(v)) {
				t.Fatalf("%q: the number %q is not one of JSON", body, v)
			}
		case []any:
			for _, item := range v {
				check(item, depth+1)
			}
		case map[string]any:
			for key, item := range v {
				if !utf8.ValidString(key) {
					t.Fatalf("%q: the key %q is not valid UTF-8", body, key)
				}
				check(item, depth+1)
			}
		default:
			t.Fatalf("%q: the value holds a %T", body, v)
		}
	}
	check(tree.Go(v), 0)
}

func FuzzYAML(f *testing.F) {
	addSamples(f, "*.yaml", "a: &x [1, *x]", "? [a]\n: b", "a: {<<: [*b]}", "- !!float 0x_\n- !!int '1'\n- .5\n- 1e400", "%YAML 1.1\n---\n...\n", bomb(6), "a: |+2\n  x", "\"\\ud83d\"", "!!bool x")
	yaml := format(f, "yaml")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) { mustBeSound(t, yaml, body, contentType) })
}

// FuzzYAMLTokens compares what is counted beforehand with what the library makes of a
// text.
func FuzzYAMLTokens(f *testing.F) {
	addSamples(f, "*.yaml", "- it's [\n- 'it''s ['\n- \"\\\"[\"\n- # [", "a: |2-\n    '\n  [\nb: x\n  ' [", "[?,:,a: b, {c\n: d}]", "- ? a\n  : b\n- - c\n-\n- &d !<e,> f\n- !g\n- *d", "- \"a\\\n  b\"\r- é\u2028  x\u0085- [", "%YAML 1.2\n---\na:\nb:\n...\n")
	f.Fuzz(func(t *testing.T, body []byte, _ string) {
		text := string(body)
		if !utf8.ValidString(text) || strings.Contains(text, "\ufeff") {
			return
		}
		loader, err := yaml.NewLoader(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		nodes := 0
		for {
			var n yaml.Node
			if err = loader.Load(&n); err != nil {
				break
			}
			nodes += countNodes(&n)
		}
		const atEnd = 3 // behind the last sign
		if got, _, read := document.YAMLTokens(text); errors.Is(err, io.EOF) && (got+atEnd < nodes || read < len(text)) {
			t.Errorf("%q: counted %d nodes in %d bytes, want %d in %d", text, got, read, nodes, len(text))
		}
		v, err := format(t, "yaml").Decode(t.Context(), body, "", document.DefaultLimits)
		if _, values, _ := document.YAMLTokens(text); err == nil && values > document.Count(v) && !strings.Contains(text, "<<") {
			t.Errorf("%q: counted %d values, want at most %d", text, values, document.Count(v))
		}
	})
}

func countNodes(n *yaml.Node) int {
	count := 0
	if n.Kind != yaml.DocumentNode {
		count++
	}
	for _, child := range n.Content {
		count += countNodes(child)
	}
	return count
}

func FuzzXML(f *testing.F) {
	addSamples(f, "*.xml", "<a xmlns:b='c' b:d=''><b:e/>x<e/></a>", "<a>&#xD800;&eacute;<![CDATA[]]></a><b/>", "<?xml version='1.0' encoding='utf-16'?><a/>", "<a><#text/></a>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>")
	xml := format(f, "{xml: {arrays: [service, e]}}")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) { mustBeSound(t, xml, body, contentType) })
}

func FuzzCSV(f *testing.F) {
	addSamples(f, "*.csv", "# a,b,\n1,\"2\"\"\n\",\n\n#c\n3", "a;b\n\"", "\n\n", "a,a,\n,,,\n1")
	formats := []document.Format{
		format(f, "csv"),
		format(f, `{csv: {header_prefix: "# ", delimiter: ";", tables: true}}`),
		format(f, `{csv: {comment: "#", tables: true, lazy_quotes: true}}`),
		format(f, `{csv: {header: false, tables: true}}`),
		format(f, `{csv: {header: [a, "", a]}}`),
	}
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		for _, csv := range formats {
			mustBeSound(t, csv, body, contentType)
		}
	})
}

func FuzzKeyValue(f *testing.F) {
	addSamples(f, "*.txt", "a:b\na: c\nd\n:e\nf:", "\x1b[1;31ma\x1b]0;x\x1b\\:b\x1b", "a = b = c", "#a\n\u0085b c")
	formats := []document.Format{
		format(f, "keyvalue"),
		format(f, `{keyvalue: {separator: " ", comment: "#"}}`),
		format(f, `{keyvalue: {separator: " = "}}`),
	}
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		for _, keyValue := range formats {
			mustBeSound(t, keyValue, body, contentType)
		}
	})
}

func FuzzRegexp(f *testing.F) {
	addSamples(f, "*.txt", "Active connections: 291 \nserver accepts", "a:\r\nb", "\x1b[31m1\x1b[0m")
	formats := []document.Format{
		format(f, `{regexp: {pattern: '(?P<n>\d+)(?P<unit>\w)?', repeat: true}}`),
		format(f, `{regexp: {patterns: ['^(?P<key>[^:\n]+): *(?P<value>.*)$', '(?s)(?P<all>.*)', '(?P<none>)x*']}}`),
		format(f, `{regexp: {patterns: ['(?P<empty>x*)', '\b(?P<word>\pL+)\b'], repeat: true}}`),
	}
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		for _, regexp := range formats {
			mustBeSound(t, regexp, body, contentType)
		}
	})
}

func FuzzGuess(f *testing.F) {
	addSamples(f, "*.*", "", "{", "<!doctype html>", "a\tb\n1\t2", "--- a")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		guessed, _ := document.Guess(t.Context(), body, contentType)
		mustBeSound(t, guessed, body, contentType)
	})
}
