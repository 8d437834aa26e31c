package document_test

import "testing"

func TestKeyValue(t *testing.T) {
	for _, c := range []decoding{
		{name: "documented", body: "localhost\nTotal Accesses: 7\nWorker: http://a\nWorker: http://b\n", want: `{"": ["localhost"], "Total Accesses": "7", "Worker": ["http://a", "http://b"]}`},
		{name: "white space", body: "\n \t a b \t:\t c d \n\n", want: `{"a b": "c d"}`},
		{name: "no value", body: "Memory:\nUsed: 1\n", want: `{"Memory": null, "Used": "1"}`},
		{name: "no key", body: ": x\nbare\n", want: `{"": [": x", "bare"]}`},
		{name: "only bare lines", body: "a\nb", want: `{"": ["a", "b"]}`},
		{name: "values in order", body: "a: 1\nb: 2\na:\na: 3\nb: 4", want: `{"a": ["1", null, "3"], "b": ["2", "4"]}`},
		{name: "separator", format: `{keyvalue: {separator: "="}}`, body: "a=1\nb = x=y\nc: 3", want: `{"a": "1", "b": "x=y", "": ["c: 3"]}`},
		{name: "long separator", format: `{keyvalue: {separator: " => "}}`, body: "a => 1\nb=>2", want: `{"a": "1", "": ["b=>2"]}`},
		{name: "white space as separator", format: `{keyvalue: {separator: " "}}`, body: "a   1 2\nb\t3\nc", want: `{"a": "1 2", "b": "3", "": ["c"]}`},
		{name: "comments", format: `{keyvalue: {comment: "//"}}`, body: "// x: 1\n  // y: 2\na: 3 // z", want: `{"a": "3 // z"}`},
	} {
		if c.format == "" {
			c.format = "keyvalue"
		}
		c.run(t)
	}
}
