package document_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/document"
	"status_exporter/collector/tree"
)

func TestRegexp(t *testing.T) {
	const nginx = "Active connections: 291 \nserver accepts handled requests\n 16630948 16630947 31070465 \nReading: 6 Writing: 179 Waiting: 106 \n"
	for _, c := range []decoding{
		{name: "documented", format: `{regexp: {pattern: 'Active connections: (?P<active>\d+)'}}`, body: nginx, want: `{"active": "291"}`},
		{name: "over lines", format: `{regexp: {pattern: 'requests\s+(?<accepts>\d+) (?<handled>\d+) (?<requests>\d+)'}}`, body: nginx, want: `{"accepts": "16630948", "handled": "16630947", "requests": "31070465"}`},
		{name: "patterns", format: `{regexp: {patterns: ['^Active.*: (?P<active>\d+)', 'Reading: (?P<reading>\d+)', 'Sleeping: (?P<sleeping>\d+)']}}`, body: nginx, want: `{"active": "291", "reading": "6"}`},
		{name: "lines and the dot", format: `{regexp: {pattern: '^b: (?P<b>.*)$'}}`, body: "a: 1\nb: 2\nc: 3", want: `{"b": "2"}`},
		{name: "no part in the match", format: `{regexp: {pattern: '(?P<a>x)|(?P<b>y)'}}`, body: "y", want: `{"a": null, "b": "y"}`},
		{name: "empty part", format: `{regexp: {pattern: 'a(?P<a>x*)'}}`, body: "ab", want: `{"a": ""}`},
		{name: "one name twice", format: `{regexp: {patterns: ['a(?P<n>x)?', 'b(?P<n>\d)', 'c(?P<n>x)?']}}`, body: "abc b1", want: `{"n": "1"}`},
		{name: "repeat", format: `{regexp: {pattern: '^(?P<pid>\d+) (?P<name>\w+)', repeat: true}}`, body: "1 a\n2 b\nx\n3 c\n", want: `[{"pid": "1", "name": "a"}, {"pid": "2", "name": "b"}, {"pid": "3", "name": "c"}]`},
		{name: "repeat patterns", format: `{regexp: {patterns: ['a(?P<a>\d)', 'b(?P<b>\d)'], repeat: true}}`, body: "b1 a2 b3", want: `[{"a": "2"}, {"b": "1"}, {"b": "3"}]`},
		{name: "repeat without a match", format: `{regexp: {pattern: '(?P<n>\d)', repeat: true}}`, body: "none", want: `[]`},
		{name: "an HTML page that matches", format: `{regexp: {pattern: '<b>(?P<n>\d)</b>'}}`, body: "<html><b>7</b>", want: `{"n": "7"}`},

		{name: "repeat in a page", format: `{regexp: {pattern: 'n: (?P<n>\d)', repeat: true}}`, body: "<html><title>Login</title>", wantErr: `the answer is an HTML page titled "Login", expected matches of the pattern "n: (?P<n>\\d)"`},
		{name: "no match", format: `{regexp: {pattern: 'n: (?P<n>\d)'}}`, body: "\nnothing to see\nhere", wantErr: `found no match of the pattern "n: (?P<n>\\d)" in the answer, which begins "nothing to see"`},
		{name: "no match of any", format: `{regexp: {patterns: ['(?P<n>\d)', '(?P<m>\d\d)']}}`, body: "nothing", wantErr: `found no match of any of the 2 patterns in the answer, which begins "nothing"`},
	} {
		c.run(t)
	}
}

// Matches of repeat are those of package regexp, in long texts, too.
func TestRepeatIsFindAll(t *testing.T) {
	long := strings.Repeat("Queue a: 1 äöü\n\nQueue bc : 22 \xff,x", 5000)
	for _, pattern := range []string{`(?P<w>\w+)`, `^(?P<w>\w*)`, `(?P<w>\w*)$`, `\b(?P<w>\d)?`, `Queue (?P<w>\w+):`, `^Queue (?P<w>\w+)(?P<x> )?:`, `(?P<w>)`, `(?P<w>x*)\B`, `\A(?P<w>Q)|(?P<x>c)`, `(?P<w>\s+)|(?P<x>,)`} {
		f := format(t, "{regexp: {pattern: '"+pattern+"', repeat: true}}")
		for _, text := range []string{"a\nb ab, Queue c:\n", long} {
			v, err := f.Decode(t.Context(), []byte(text), "text/plain; charset=utf-8", document.DefaultLimits)
			if err != nil {
				t.Fatal(err)
			}
			text = strings.ToValidUTF8(text, "\uFFFD")
			want := []any{}
			re := regexp.MustCompile("(?m)" + pattern)
			for _, match := range re.FindAllStringSubmatchIndex(text, -1) {
				object := make(map[string]any)
				for i, name := range re.SubexpNames()[1:] {
					object[name] = nil
					if start := match[2*i+2]; start >= 0 {
						object[name] = text[start:match[2*i+3]]
					}
				}
				want = append(want, object)
			}
			if diff := cmp.Diff(want, tree.Go(v)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", pattern, diff)
			}
		}
	}
}

// Decoding ends soon after its deadline, whatever the pattern and the text.
func TestRegexpEndsAtTheDeadline(t *testing.T) {
	const (
		deadline = 300 * time.Millisecond
		most     = 250 * time.Millisecond
		size     = 1 << 20
	)
	for _, c := range []struct{ format, text string }{
		{`{regexp: {pattern: '(?P<k>\w+)(?: = (?P<v>.*) end)?', repeat: true}}`, "k = "},
		{`{regexp: {pattern: '(?P<x>a)(?:.*b)?', repeat: true}}`, "a"},
		{`{regexp: {pattern: '^(?P<x>a)(?s:.*b)?', repeat: true}}`, "a\n"},
		{`{regexp: {pattern: '(?P<x>x)(?:x{900}y)?', repeat: true}}`, "x"},
		{`{regexp: {pattern: '(?P<x>(a|b|ab){1000}c)'}}`, "a"},
		{`{regexp: {pattern: '(?:\b|\B)(?P<x>(a|b|ab){1000}c)', repeat: true}}`, "a"},
		{`{regexp: {patterns: ['(?P<x>(a|b|ab){900}c)', '(?P<x>(a|b|ab){900}d)']}}`, "a"},
	} {
		f := format(t, c.format)
		body := []byte(strings.Repeat(c.text, size/len(c.text)))
		var late time.Duration
		for range 3 { // a machine may have other work, too
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			start := time.Now()
			_, err := f.Decode(ctx, body, "", document.DefaultLimits)
			late = time.Since(start) - deadline
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v, want %v", c.format, err, context.DeadlineExceeded)
			}
			if late < most {
				break
			}
		}
		t.Logf("%s: %v after the deadline", c.format, late.Round(time.Millisecond))
		if late >= most {
			t.Errorf("%s ends %v after its deadline, want at most %v", c.format, late, most)
		}
	}
}

// A pattern that looks for the rest of the text after each match is refused.
func TestRegexpLooksAgain(t *testing.T) {
	f := format(t, `{regexp: {patterns: ['(?P<z>z)', '(?P<k>\w+)(?: = (?P<v>.*) end)?'], repeat: true}}`)
	_, err := f.Decode(t.Context(), []byte(strings.Repeat("k = ", 1<<14)), "", document.DefaultLimits)
	const want = `the pattern "(?P<k>\\w+)(?: = (?P<v>.*) end)?" looks at the same text again and again, expected one that does not search the rest of a text of 65536 bytes after each match`
	if !isLimit(err) || err.Error() != want {
		t.Errorf("got the error %v, want a failure with the reason limit: %s", err, want)
	}
}
