package accesslog_test

import (
	"strings"
	"testing"
)

func TestOptions(t *testing.T) {
	for _, text := range []string{
		"{}", "path: a.log", "format: json", "{path: a, format: json, fields: {code: response.status, milliseconds: took}}",
		"{from: start, history: true}", "{labels: [code], buckets: [1, 2.5]}",
	} {
		if _, d := decode(t.TempDir(), text); d.Err() != nil {
			t.Errorf("%s: %v", text, d.Err())
		}
	}
	for text, want := range map[string]string{
		"path: []":                         `"path" is an empty list`,
		"path: 'a['":                       "is no glob",
		"from: middle":                     "expected one of start, end",
		"history: true":                    "expected from: start beside it",
		"format: combine":                  "expected common, combined, json",
		"format: '%h'":                     "no status code",
		"fields: {code: a}":                "expected format: json beside it",
		"{format: json, fields: {cod: a}}": `did you mean "code"?`,
		"{format: json, fields: {seconds: a, milliseconds: b}}": "expected one of them",
		"paths: [a]":        "neither a slash nor a star",
		"paths: [{nam: a}]": `did you mean "name"?`,
		"labels: [vhost]":   "does not hold the label vhost",
		"labels: [codes]":   `did you mean "code"?`,
		"buckets: [2, 1]":   "found the bound 1",
		"buckets: [.inf]":   "+Inf is added",
		"buckets: 5":        "expected a list",
		"series_limit: 0":   "expected a whole number from 1",
		"pth: a":            `did you mean "path"?`,
	} {
		if _, d := decode(t.TempDir(), text); d.Err() == nil || !strings.Contains(d.Err().Error(), want) {
			t.Errorf("%s: got %v, want …%s…", text, d.Err(), want)
		}
	}
	if _, d := decode(t.TempDir(), "{format: common, buckets: [1]}"); len(d.Warnings()) != 1 {
		t.Errorf("buckets without a time: got the warnings %v, want one", d.Warnings())
	}
}
