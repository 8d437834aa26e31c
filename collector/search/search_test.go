package search_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/search"
)

func compile(t testing.TB, expression string) *search.Pattern {
	t.Helper()
	p, err := search.Compile(expression)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func always() error { return nil }

// all returns all matches, or the error that ends the search.
func all(s *search.Search) (matches [][]int, err error) {
	for match, err := range s.All() {
		if err != nil {
			return matches, err
		}
		matches = append(matches, match)
	}
	return matches, nil
}

// checkAgainstRegexp checks that the matches are those of package regexp, with
// and without the reader.
func checkAgainstRegexp(t *testing.T, expression, text string) {
	t.Helper()
	want := regexp.MustCompile(expression).FindAllStringSubmatchIndex(text, -1)
	p := compile(t, expression)
	for way, s := range map[string]*search.Search{"directly": p.In(text, always), "through the reader": p.In(text, always).Slowly()} {
		got, err := all(s)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q in %q %s: %v (-want +got)\n%s", expression, text, way, err, diff)
		}
	}
}

var (
	expressions = []string{
		"", "a", "a*", "b|", "(?P<x>a)", "(a)|(b)", "(?:(a)|b)*", "^", "$", "^a", "a$", `\Aa`, `a\z`, `\Aa\z`, `(?m)^`, `(?m)$`, `(?m)^a`, `(?m)a$`, `(?m)^.*$`,
		`(?m)^\b`, `(?m)^\Aa`, `(?m)(^a|b)`, `(?m)(^a|^b)+`, `(?m)(?:^)?a`, `(?m)^*a`, `(?m)\n^a`, `(?m)(?-m:^)a`, `(?m)^|b`, `\b`, `\B`, `\ba`, `a\b`, `\Ba`, `(\b|a)b`,
		`\w+`, `(\w+)\s*`, `[^a]`, `ab*`, `ab+c?`, `(?i)A`, `(?s).`, `.`, `x*`, `ö`, `\x{FFFD}`, `\Qa`, `a(?:.*b)?`, `a{2}`, `日`, `[^\x00-\x7f]`, `abc`, `ab\z`, `(?m)^ab\b`,
	}
	texts = []string{
		"", "a", "aaa", "abab", "a,b;c", "xyz", "äöü a ö", "a\nb\nc", "\n\na\n\nb\n", "foo bar  foo", "ab\nab abc\nabcab", "日本語 ab", "\xff\xfea\xff", "a\xff\nb", "\n", "aé\xe6\x97ab",
	}
)

func TestMatchesAreThoseOfRegexp(t *testing.T) {
	for _, expression := range expressions {
		for _, text := range texts {
			checkAgainstRegexp(t, expression, text)
		}
	}
}

func FuzzAll(f *testing.F) {
	for i, expression := range expressions {
		f.Add(expression, texts[i%len(texts)])
	}
	f.Fuzz(func(t *testing.T, expression, text string) {
		if len(text) > 500 || len(expression) > 50 {
			t.Skip("long enough to be slow")
		}
		if _, err := search.Compile(expression); err != nil {
			t.Skip("no expression")
		}
		checkAgainstRegexp(t, expression, text)
	})
}

func TestMistakes(t *testing.T) {
	for _, expression := range []string{"(", "[", "a{1001}", `\C`} {
		_, want := regexp.Compile(expression)
		if _, err := search.Compile(expression); err == nil || err.Error() != want.Error() {
			t.Errorf("%s: %v, want %v", expression, err, want)
		}
	}
}

// What ordinary patterns look at stays far below what they may, and also what they
// look at up to the end of a line.
func TestOrdinaryPatternsMayLookAtAllText(t *testing.T) {
	const size = 50_000
	lines := strings.Repeat("Queue orders.europe.00042: production-1 rabbit@node-2 42 17 0.5% äöü, open, yes\n", size/80)
	for _, expression := range []string{
		"", ".", `\w`, `\w+`, `\s+`, `\S+`, `\b`, `\B`, `(?m)^`, `(?m)$`, `(?m)^.*$`, `[^,]+(?:, )?`, `(?m)^Queue (?P<name>\S+): (?P<vhost>\S+)`,
		`(?P<k>\w+)(?:: (?P<v>.*))?`, `(?s).`, `(?s).*`, `\d+%|\w+`, `never`, `(?m)never$|^never`, "\n", `[a-z]*`, `(?i)queue.*?\n`,
	} {
		for _, text := range []string{lines, strings.Repeat("a\n", size/2), strings.Repeat("a", size), strings.Repeat("äb ", size/4)} {
			if _, err := all(compile(t, expression).In(text, always).Slowly()); err != nil {
				t.Errorf("%q in %.10q…: %v", expression, text, err)
			}
		}
	}
	for _, expression := range []string{`(\w+)(?:.*never)?`, `\w+ .*never|\w+`} {
		if _, err := all(compile(t, expression).In(lines, always).Slowly()); err != nil {
			t.Errorf("%q: %v", expression, err)
		}
	}
}

func TestPatternsThatLookAgainEnd(t *testing.T) {
	const size = 1 << 14
	for _, test := range []struct{ expression, text string }{
		{`a(?:.*b)?`, "a"},
		{`a(?:a*b)?`, "a"},
		{`(?m)^a(?s:.*b)?`, "a\n"},
		{`x(?:x{900}y)?`, "x"},
		{`\bk(?: = .* end)?`, "k = "},
		{`(?s)(?:.*b)?`, "ä"},
	} {
		matches, err := all(compile(t, test.expression).In(strings.Repeat(test.text, size/len(test.text)), always))
		if !errors.Is(err, search.ErrAgain) || len(matches) == 0 {
			t.Errorf("%s: %d matches, %v, want %v", test.expression, len(matches), err, search.ErrAgain)
		}
	}
}

// A search ends within one match when it is told to, after few more letters.
func TestSearchesEndWithinAMatch(t *testing.T) {
	for _, expression := range []string{`(a|b|ab)*c`, `((a|b|ab){1000})c`, `\b(a|b)*c`, `(?m)^(a|b)*c`, `a.*c`} {
		for _, left := range []int{0, 1, 3} {
			looks := 0
			s := compile(t, expression).In("  \n"+strings.Repeat("a", 4<<20), func() error {
				if looks++; looks > left {
					return context.Canceled
				}
				return nil
			})
			match, err := s.From(2)
			if match != nil || !errors.Is(err, context.Canceled) || looks != left+1 {
				t.Errorf("%s: %v, %v after %d looks, want %v after %d", expression, match, err, looks, context.Canceled, left+1)
			}
		}
	}
}

// From begins anywhere, and sees what stands before.
func TestFrom(t *testing.T) {
	for _, test := range []struct {
		expression, text string
		at               int
		want             []int
	}{
		{`a(b)?`, "ab a", 1, []int{3, 4, -1, -1}},
		{`a`, "aa", 2, nil},
		{`^a`, "aa", 1, nil},
		{`(?m)^a`, "aa\na", 1, []int{3, 4}},
		{`(?m)^a`, "b\na", 2, []int{2, 3}},
		{`(?m)^`, "a\n", 2, []int{2, 2}},
		{`(?m)^\Aa`, "b\na", 2, nil},
		{`(?m)^a|c`, "baca", 1, []int{2, 3}},
		{`\b(b)`, "ab äb b", 1, []int{5, 6, 5, 6}},
		{`\Bb`, "b ab", 2, []int{3, 4}},
		{`b\b`, "bb", 1, []int{1, 2}},
		{`$`, "ab", 1, []int{2, 2}},
		{`$`, "ab", 2, []int{2, 2}},
	} {
		p := compile(t, test.expression)
		for _, s := range []*search.Search{p.In(test.text, always), p.In(test.text, always).Slowly()} {
			got, err := s.From(test.at)
			if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
				t.Errorf("%q in %q from %d: %v (-want +got)\n%s", test.expression, test.text, test.at, err, diff)
			}
		}
	}
}
