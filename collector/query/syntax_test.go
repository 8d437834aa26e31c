package query_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"status_exporter/collector/query"
	"status_exporter/config/options"
)

func TestSyntaxErrors(t *testing.T) {
	const needsQuotes = "a key with other characters than letters, digits and _ needs quotes: "
	for _, test := range []struct{ source, want string }{
		{``, "the expression `` is wrong: it is empty; the whole document is a single dot"},
		{`# nothing`, "the expression `# nothing` is wrong: it says nothing; the whole document is a single dot"},
		{`up`, "the expression `up` is wrong at character 1: there is no function up; a text has quotes of its own within those of YAML: '\"up\"', and a key has a dot before it: .up"},
		{`.a | up`, "the expression `.a | up` is wrong at character 6: there is no function up; a text has quotes: \"up\", and a key has a dot before it: .up"},
		{`"\(up)"`, "the expression `\"\\(up)\"` is wrong at character 4: there is no function up; a text has quotes: \"up\", and a key has a dot before it: .up"},
		{`.up.up | .up | up`, "the expression `.up.up | .up | up` is wrong at character 16: there is no function up; a text has quotes: \"up\", and a key has a dot before it: .up"},
		{`lenght`, "the expression `lenght` is wrong at character 1: there is no function lenght; did you mean length?"},
		{`.x | duraton`, "the expression `.x | duraton` is wrong at character 6: there is no function duraton; did you mean duration?"},
		{`.x | manny`, "the expression `.x | manny` is wrong at character 6: there is no function manny; did you mean many?"},
		{`.x | len`, "the expression `.x | len` is wrong at character 6: there is no function len; jq has length"},
		{`.messages-ready`, "the expression `.messages-ready` is wrong at character 11: there is no function ready; " + needsQuotes + `.["messages-ready"]`},
		{`.a.messages-ready-now.x`, "the expression `.a.messages-ready-now.x` is wrong at character 13: there is no function ready; " + needsQuotes + `.["messages-ready-now"]`},
		{`.disk/used`, "the expression `.disk/used` is wrong at character 7: there is no function used; " + needsQuotes + `.["disk/used"]`},
		{`.a b`, "the expression `.a b` is wrong at character 4: jq expects no `b` here; " + needsQuotes + `.["a b"]`},
		{`.a:b`, "the expression `.a:b` is wrong at character 3: jq expects no `:` here; " + needsQuotes + `.["a:b"]`},
		{`.@timestamp`, "the expression `.@timestamp` is wrong at character 2: jq expects no `@timestamp` here; " + needsQuotes + `.["@timestamp"]`},
		{`.größe`, "the expression `.größe` is wrong at character 4: jq expects no `ö` here; " + needsQuotes + `.["größe"]`},
		{`.5xx`, "the expression `.5xx` is wrong at character 1: jq expects no `.5x` here; a key that begins with a digit needs quotes: .[\"5xx\"]"},
		{`.a.0.b`, "the expression `.a.0.b` is wrong at character 3: jq expects no `.0.` here; an item of an array is [0]"},
		{`.a[*]`, "the expression `.a[*]` is wrong at character 4: jq expects no `*` here; every item is .[]"},
		{`.a.*`, "the expression `.a.*` is wrong at character 4: jq expects no `*` here; every item is .[]"},
		{`$.a`, "the expression `$.a` is wrong at character 1: jq expects no `$` here; a path begins with a dot: .a.b"},
		{`{.a}`, "the expression `{.a}` is wrong at character 2: jq expects no `.a` here; a path has no braces around it: .a.b"},
		{`.[?(@.x=="y")]`, "the expression `.[?(@.x==\"y\")]` is wrong at character 3: jq expects no `?` here; items are chosen with .[] | select(.name == \"x\")"},
		{`.a == 'x'`, "the expression `.a == 'x'` is wrong at character 7: jq expects no `'` here; a text stands in double quotes: \"…\""},
		{`.a == “x”`, "the expression `.a == “x”` is wrong at character 7: jq expects no `“` here; a text stands in plain double quotes: \"…\""},
		{`.a && .b`, "the expression `.a && .b` is wrong at character 4: jq expects no `&` here; jq says and: .a and .b"},
		{`.a || .b`, "the expression `.a || .b` is wrong at character 5: jq expects no `|` here; jq says or: .a or .b"},
		{`!.a`, "the expression `!.a` is wrong at character 1: jq expects no `!` here; jq says not behind it: .a | not"},
		{`.a === 1`, "the expression `.a === 1` is wrong at character 6: jq expects no `=` here; equal is =="},
		{`.a == "x" ? 1 : 0`, "the expression `.a == \"x\" ? 1 : 0` is wrong at character 13: jq expects no `1` here; a choice is if … then … else … end"},
		{`{a: .b c: .d}`, "the expression `{a: .b c: .d}` is wrong at character 8: jq expects no `c` here; a comma stands before the next key"},
		{`{a-b: .c}`, "the expression `{a-b: .c}` is wrong at character 3: jq expects no `-` here; a key with such characters needs quotes: {\"a-b\": .c}"},
		{`length()`, "the expression `length()` is wrong at character 8: jq expects no `)` here; a function without arguments has no parentheses"},
		{`.a)`, "the expression `.a)` is wrong at character 3: jq expects no `)` here; there is nothing that it closes"},
		{`.a[0`, "the expression `.a[0` is wrong: it ends too early; the [ at character 3 needs its ]"},
		{`map(select(.a == "("`, "the expression `map(select(.a == \"(\"` is wrong: it ends too early; the ( at character 11 needs its )"},
		{`if .a then 1 else 2`, "the expression `if .a then 1 else 2` is wrong: it ends too early; the if at character 1 needs its end"},
		{`.a |`, "the expression `.a |` is wrong: it ends too early; something is missing after it"},
		{`.a == "x`, "the expression `.a == \"x` is wrong at character 7: the text that begins here does not end"},
		{`test("\d")`, "the expression `test(\"\\d\")` is wrong at character 7: \\d is no escape sequence of a JSON text; a backslash is written \\\\, in a regular expression too: test(\"\\\\d\")"},
		{`$foo`, "the expression `$foo` is wrong at character 1: there is no variable $foo; there are $docs, $headers, $root, $status, $target, $vars; a parameter of the module is $vars.NAME"},
		{`.a | $rot.b`, "the expression `.a | $rot.b` is wrong at character 6: there is no variable $rot; did you mean $root?"},
		{`sub("a", "b")`, "the expression `sub(\"a\", \"b\")` is wrong at character 1: sub takes 2 or 3 arguments, not 1; arguments are separated by ;"},
		{`many(1)`, "the expression `many(1)` is wrong at character 1: many takes 0 arguments, not 1"},
		{`bytes(1; 2)`, "the expression `bytes(1; 2)` is wrong at character 1: bytes takes 0 or 1 arguments, not 2"},
		{`break $x`, "the expression `break $x` is wrong at character 7: there is no label $x"},
		{`env.HOME`, "the expression `env.HOME` is wrong: the environment cannot be read here; the parameters of the module are $vars"},
		{`.a | $ENV.HOME`, "the expression `.a | $ENV.HOME` is wrong: the environment cannot be read here; the parameters of the module are $vars"},
		{`[inputs]`, "the expression `[inputs]` is wrong: input and inputs have nothing to read here; the document is $root, and all documents are $docs"},
		{`.a | debug`, "the expression `.a | debug` is wrong at character 6: jq's debug cannot be used here"},
		{`stderr`, "the expression `stderr` is wrong at character 1: jq's stderr cannot be used here"},
		{`import "a" as a; a::x`, "the expression `import \"a\" as a; a::x` is wrong: modules of jq cannot be used here"},
		{`include "a"; .`, "the expression `include \"a\"; .` is wrong: modules of jq cannot be used here"},
		{".a\n| .b\n| fooo", "the expression `.a | .b | fooo` is wrong at character 11: there is no function fooo; a text has quotes: \"fooo\", and a key has a dot before it: .fooo"},
		{strings.Repeat(".a | ", 100) + "fooo" + strings.Repeat(" | .b", 100), "the expression `…" + strings.Repeat(".a | ", 12) + "fooo" + strings.Repeat(" | .b", 11) + "…` is wrong at character 501: there is no function fooo; a text has quotes: \"fooo\", and a key has a dot before it: .fooo"},
	} {
		_, err := query.Compile(test.source)
		if err == nil {
			t.Errorf("%s compiles", test.source)
			continue
		}
		if diff := cmp.Diff(test.want, err.Error()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.source, diff)
		}
		var syntax *query.SyntaxError
		if !errors.As(err, &syntax) || syntax.Source != test.source || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %#v", test.source, err)
		}
	}
}

func TestOption(t *testing.T) {
	for _, test := range []struct{ text, want, warnings string }{
		{`q: .a.b`, "", ""},
		{`q: 1`, "", ""},
		{`q: up`, "c.yml:1:4: the expression `up` is wrong at character 1: there is no function up; a text has quotes of its own within those of YAML: '\"up\"', and a key has a dot before it: .up", ""},
		{`q: .[] | select(.a = 1)`, "", "c.yml:1:4: in the expression `.[] | select(.a = 1)` `.a = 1` sets a value and is always true; to compare, write =="},
		{
			`q: if .a = 1 then 1 elif .b = 2 then 2 else 3 end`, "",
			"c.yml:1:4: in the expression `if .a = 1 then 1 elif .b = 2 then 2 else 3 end` `.a = 1` sets a value and is always true; to compare, write ==\n" +
				"c.yml:1:4: in the expression `if .a = 1 then 1 elif .b = 2 then 2 else 3 end` `.b = 2` sets a value and is always true; to compare, write ==",
		},
		{`q: '.[] | select(.a == 1) | .b = 2'`, "", ""},
	} {
		d := options.NewDecoder(func(string) (string, bool) { return "", false })
		top := d.Parse("c.yml", []byte(test.text))
		var q *query.Query
		d.Mapping(top, "the test", options.Fields{"q": query.Option(d, &q)})
		got := ""
		if err := d.Err(); err != nil {
			got = err.Error()
		}
		if got != test.want || d.Warnings().Error() != test.warnings || (q == nil) != (test.want != "") {
			t.Errorf("%s\nerrors:   %s\nwarnings: %s\nquery: %v", test.text, got, d.Warnings(), q)
		}
	}
}

// A node that is decoded elsewhere keeps its expression as it was written.
func TestString(t *testing.T) {
	const source = `.a  |  .b # why`
	var n yaml.Node
	n.Kind, n.Tag, n.Value = yaml.ScalarNode, "!!str", source
	var q *query.Query
	query.Option(options.NewDecoder(nil), &q)(&n)
	if q.String() != source {
		t.Errorf("%q", q)
	}
}

func FuzzCompile(f *testing.F) {
	for _, seed := range []string{".a.b", ".messages-ready", `.a | select(.b == 'x')`, `"\(up)" | test("\\d")`, "$foo", ".a.[", "if . then", "{a: .b c}", ". * 2 - .a", ".a // 0", `gsub("a"; "b")`, "def f: f; .", "até | 日本"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		if len(source) > 1000 {
			t.Skip("compiling deeply nested expressions takes long")
		}
		q, err := query.Compile(source)
		var syntax *query.SyntaxError
		switch {
		case err == nil && q.String() != source:
			t.Errorf("%q has become %q", source, q)
		case err != nil && !errors.As(err, &syntax):
			t.Errorf("%q: %#v", source, err)
		case err != nil && (syntax.Offset < -1 || syntax.Offset > len(source) || strings.Contains(err.Error(), "\n")):
			t.Errorf("%q: %#v", source, err)
		}
		if err == nil {
			q.Nearest(&query.Env{Root: map[string]any{"a": nil}}, map[string]any{"b": []any{1}})
		}
	})
}
