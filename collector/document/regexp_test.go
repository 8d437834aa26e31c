package document_test

import "testing"

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
