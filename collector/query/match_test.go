package query_test

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/itchyny/gojq"

	"status_exporter/collector/query"
)

// matchCalls are calls of every function that has another definition here, on
// an input of the form {text, re, flags}.
var matchCalls = []string{
	`.text | match($in.re)`,
	`.text | match($in.re; $in.flags)`,
	`.text | match([$in.re, $in.flags])`,
	`.text | match([$in.re])`,
	`.text | test($in.re)`,
	`.text | test($in.re; $in.flags)`,
	`.text | test([$in.re, $in.flags])`,
	`.text | capture($in.re)`,
	`.text | capture($in.re; $in.flags)`,
	`.text | capture([$in.re, $in.flags])`,
	`.text | scan($in.re)`,
	`.text | scan($in.re; $in.flags)`,
	`.text | splits($in.re)`,
	`.text | splits($in.re; $in.flags)`,
	`.text | split($in.re; $in.flags)`,
	`.text | split($in.re)`,
	`.text | sub($in.re; "<\(.x)>")`,
	`.text | sub($in.re; "<\(.x)>"; $in.flags)`,
	`.text | gsub($in.re; "<\(.x)>")`,
	`.text | gsub($in.re; "<\(.x)>"; $in.flags)`,
	`.text | gsub($in.re; "1", "2")`,
	`.text | gsub($in.re; empty)`,
	`.text | gsub($in.re; null)`,
	`.text | gsub($in.re; if .x == "a" then "1", "2" else .x end)`,
	`.text | gsub($in.re; 1)`,
	`.text | gsub($in.re; $in.text)`,
	`.text | [limit(2; match($in.re; "g"))]`,
	`.text | first(splits($in.re))`,
	`.text | [sub($in.re, "b"; "c", .x; "g", "")]`,
	`.text | try gsub($in.re; error("x")) catch "x"`,
	`[label $out | .text | gsub($in.re; "x", break $out)]`,
	`.text |= sub($in.re; "x") | .text`,
}

// original compiles an expression with nothing of ours.
func original(t testing.TB, source string) *gojq.Code {
	t.Helper()
	parsed, err := gojq.Parse(source)
	if err != nil {
		t.Fatal(err)
	}
	code, err := gojq.Compile(parsed)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// checkAgainstJQ checks that q and the same expression in plain jq find the
// same and both fail or both do not.
func checkAgainstJQ(t *testing.T, q *query.Query, jq *gojq.Code, input any) {
	t.Helper()
	var want, got []any
	var wantFailure, failure error
	for it := jq.Run(input); ; {
		v, ok := it.Next()
		if !ok {
			break
		}
		if wantFailure, _ = v.(error); wantFailure != nil {
			break
		}
		want = append(want, v)
	}
	for v, err := range q.All(context.Background(), &query.Env{}, input) {
		if failure = err; err == nil {
			got = append(got, v)
		}
	}
	if !reflect.DeepEqual(got, want) || (failure == nil) != (wantFailure == nil) {
		t.Errorf("%v | %s\nhere: %v %v\njq:   %v %v", input, q, got, failure, want, wantFailure)
	}
}

func compile(t testing.TB, source string) *query.Query {
	t.Helper()
	q, err := query.Compile(source)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestRegularExpressionsAreThoseOfJQ(t *testing.T) {
	texts := []any{
		"", "a", "aaa", "abab", "a,b;c", "xyz", "äöü a ö", "a\nb\nc", "foo bar  foo", "1.5% of 20", "日本語", "\xff\xfea\xff", nil, 1, []any{"a"},
	}
	patterns := []any{
		"", "a", "a*", "b|", "(?<x>a)", "(?<x>[ab])|(?<y>c)", "(a)|(b)", "(?:(a)|b)*", "^", "$", "^a", "a$", "(?m)^.", `\b`, `\B`, `\ba`, `\Aa|b`,
		`\s+`, `[,;]`, `.`, `\d+(\.\d+)?`, `(?<x>\w+) (?<y>\w+)`, `ö`, `[^a]`, "x*", "(?i)A", "A", `a.b`, `\Qa`, `(`, "[", nil, 3, `a{2}`, `(?<x>a)(?<z>b)?`,
	}
	for _, call := range matchCalls {
		q, jq := compile(t, ". as $in | "+call), original(t, ". as $in | "+call)
		flags := []any{nil, "g", "", "gi", "m", "gn", 5}
		if !strings.Contains(call, "flags") {
			flags = flags[:2]
		}
		for _, text := range texts {
			for _, re := range patterns {
				for _, flag := range flags {
					checkAgainstJQ(t, q, jq, map[string]any{"text": text, "re": re, "flags": flag})
				}
			}
		}
	}
}

func FuzzRegularExpressions(f *testing.F) {
	f.Add("a,b;c", "[,;]", "g", uint(0))
	f.Add("foo bar", `(?<x>\w+)|\b`, "gi", uint(7))
	f.Add("äb\xff", `\b|^|b?`, "m", uint(18))
	f.Add("aXbX", `(?<x>x)|(?<y>[a-c]*)`, "ig", uint(21))
	f.Fuzz(func(t *testing.T, text, re, flags string, call uint) {
		if len(text) > 200 || len(re) > 50 {
			t.Skip("long enough to be slow in jq")
		}
		source := ". as $in | " + matchCalls[call%uint(len(matchCalls))]
		checkAgainstJQ(t, compile(t, source), original(t, source), map[string]any{"text": text, "re": re, "flags": flags})
	})
}

func TestRegularExpressionsTakeLinearTime(t *testing.T) {
	size := 1 << 20
	if raceDetector {
		size = 1 << 16
	}
	commas := strings.Repeat("ab,", size/3)
	for _, test := range []struct{ source, text string }{
		{`gsub("x"; "yy")`, strings.Repeat("x", size)},
		{`gsub("\\b"; "-")`, commas},
		{`gsub("(?<a>.)"; .a + .a)`, commas},
		{`sub("$"; "!")`, commas},
		{`[match(","; "g").offset] | length`, commas},
		{`[scan("a(b)")] | length`, commas},
		{`split(",+"; null) | length`, commas},
		{`test("x.*y")`, commas},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		q := compile(t, test.source)
		start := time.Now()
		_, count, err := q.One(ctx, &query.Env{}, test.text)
		if err != nil || count != 1 {
			t.Errorf("%s: %d results, %v", test.source, count, err)
		}
		t.Log(test.source, time.Since(start))
		cancel()
	}
}

// What looks for the rest of the text after each match ends long before the
// deadline does.
func TestRegularExpressionsThatLookAgain(t *testing.T) {
	text := strings.Repeat("a", 1<<16)
	for source, pattern := range map[string]string{
		`[scan("a(?:.*b)?")]`:            "a(?:.*b)?",
		`[splits("a(?:.*b)?")]`:          "a(?:.*b)?",
		`gsub("a(?:a*b)?"; "")`:          "a(?:a*b)?",
		`[scan("a(?:a{900}y)?")]`:        "a(?:a{900}y)?",
		`[match("A(?:.*b)?"; "gi")]`:     "A(?:.*b)?",
		`[capture("\\Ba(?:.*b)?"; "g")]`: `\Ba(?:.*b)?`,
		`gsub("(?:.*b)?"; "")`:           "(?:.*b)?",
	} {
		_, _, err := compile(t, source).One(t.Context(), &query.Env{}, text)
		want := fmt.Sprintf("the expression %q looks at the same text again and again, expected one that does not search the rest of a text of 65536 bytes after each match", pattern)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", source, err, want)
		}
	}
}

func TestPatternsOfATargetAreForgotten(t *testing.T) {
	q := compile(t, `.text as $text | .patterns[] | . as $p | $text | test($p)`)
	patterns := make([]any, 200)
	for i := range patterns {
		patterns[i] = fmt.Sprintf("a{%d}", i)
	}
	found := 0
	for v, err := range q.All(context.Background(), &query.Env{}, map[string]any{"text": strings.Repeat("a", 99), "patterns": patterns}) {
		if err != nil {
			t.Fatal(err)
		}
		if v == true {
			found++
		}
	}
	if found != 100 {
		t.Errorf("%d of 200 patterns match, want 100", found)
	}
}
