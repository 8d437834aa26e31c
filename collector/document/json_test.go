package document_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/document"
	"status_exporter/collector/tree"
)

func TestJSON(t *testing.T) {
	for _, c := range []decoding{
		{name: "object", body: `{"jobs": 3, "up": true}`, want: `{"jobs": 3, "up": true}`},
		{name: "single values", body: ` [null, true, false, "x", -0.5e+7, {}, []] `, want: `[null, true, false, "x", -0.5e+7, {}, []]`},
		{name: "null", body: `null`, want: `null`},
		{name: "nested", body: `{"a":[{"b":[[1],[2,3]]},{"b":[]}],"c":{"d":{"e":null}}}`, want: `{"a":[{"b":[[1],[2,3]]},{"b":[]}],"c":{"d":{"e":null}}}`},
		{name: "digits are kept", body: `[18446744073709551617, 0.10, 1e400, -0]`, want: `[18446744073709551617, 0.10, 1e400, -0]`},
		{name: "the last of equal keys", body: `{"a": 1, "b": 2, "a": 3}`, want: `{"a": 3, "b": 2}`},
		{
			name: "escapes", body: `["\"\\\/\b\f\n\r\t\u00e9\u00E9\ud83d\ude00x", "\ud83d", "\ud83dx", "\ude00\ud83d", "\ud83d\ud83d\ude00", {"k\u0065y": ""}]`,
			want: `["\"\\/\b\f\n\r\téé😀x", "\ufffd", "\ufffdx", "\ufffd\ufffd", "\ufffd😀", {"key": ""}]`,
		},
		{name: "lines", body: "{\"id\": 1}\n{\"id\": 2}\n\n{\"id\": 3}\n", want: `[{"id": 1}, {"id": 2}, {"id": 3}]`},
		{name: "lines of arrays", body: "[1]\n[2]", want: `[[1], [2]]`},
		{name: "one line", body: "{\"id\": 1}\n", want: `{"id": 1}`},

		{name: "two in a line", body: `{} {}`, wantErr: `line 1, column 4: found "{}", expected the end of the document, or a line break before the next one`},
		{name: "text after it", body: "{\"a\": 1}\nOK", wantErr: `line 2, column 1: found "OK", expected a value`},
		{name: "no JSON", body: "OK", wantErr: `line 1, column 1: found "OK", expected a value`},
		{name: "NaN", body: `{"load": NaN}`, wantErr: `line 1, column 10: found "NaN}", expected a value`},
		{name: "single quotes", body: "{\n  'a': 1\n}", wantErr: `line 2, column 3: found "'a': 1", expected a key in quotes`},
		{name: "trailing comma", body: `[1,]`, wantErr: `line 1, column 4: found "]", expected a value`},
		{name: "trailing comma in an object", body: `{"a":1,}`, wantErr: `line 1, column 8: found "}", expected a key in quotes`},
		{name: "no colon", body: `{"é" 1}`, wantErr: `line 1, column 6: found "1}", expected ":"`},
		{name: "no comma", body: `[1 2]`, wantErr: `line 1, column 4: found "2]", expected "," or "]"`},
		{name: "wrong bracket", body: `{"a":[1}`, wantErr: `line 1, column 8: found "}", expected "," or "]"`},
		{name: "wrong brace", body: `{"a":1]`, wantErr: `line 1, column 7: found "]", expected "," or "}"`},
		{name: "leading zero", body: `[01]`, wantErr: `line 1, column 3: found "1]", expected "," or "]"`},
		{name: "plus sign", body: `[+1]`, wantErr: `line 1, column 2: found "+1]", expected a value`},
		{name: "no digit", body: `[-]`, wantErr: `line 1, column 3: found "]", expected a digit`},
		{name: "no decimal", body: `[1.]`, wantErr: `line 1, column 4: found "]", expected a digit after the decimal point`},
		{name: "no exponent", body: `[1e+]`, wantErr: `line 1, column 5: found "]", expected a digit of the exponent`},
		{name: "misspelt", body: `[trie]`, wantErr: `line 1, column 4: found "ie]", expected true`},
		{name: "control character", body: "[\"a\nb\"]", wantErr: `line 1, column 4: found "\n", expected control characters in a string to be escaped`},
		{name: "unknown escape", body: `["\x41"]`, wantErr: `line 1, column 3: found "\\x41\"]", expected an escape such as \n or \u00e9`},
		{name: "half an escape", body: `["\u00g0"]`, wantErr: `line 1, column 3: found "\\u00g0\"]", expected an escape such as \n or \u00e9`},
		{name: "long line", body: `[` + "0123456789012345678901234567890", wantErr: `line 1, column 3: found "12345678901234567890...", expected "," or "]"`},

		{name: "half a document", body: "{\"a\": [1,\n2", wantErr: `the answer ends in the middle of the document, at line 2, column 2, expected "," or "]"`},
		{name: "half a string", body: `{"a": "b`, wantErr: `the answer ends in the middle of the document, at line 1, column 9, expected a closing quote`},
		{name: "half a word", body: `tr`, wantErr: `the answer ends in the middle of the document, at line 1, column 3, expected true`},
		{name: "half a character", body: `["\`, wantErr: `the answer ends in the middle of the document, at line 1, column 4, expected an escape`},
	} {
		c.format = "json"
		c.run(t)
	}
}

// bySTD decodes as encoding/json does, and with it lines of values.
func bySTD(body []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var all []any
	for {
		var v any
		err := dec.Decode(&v)
		switch {
		case errors.Is(err, io.EOF) && len(all) == 0:
			return nil, io.ErrUnexpectedEOF
		case errors.Is(err, io.EOF) && len(all) == 1:
			return all[0], nil
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		}
		all = append(all, v)
		rest := body[dec.InputOffset():]
		space := rest[:len(rest)-len(bytes.TrimLeft(rest, " \t\r\n"))]
		if len(space) < len(rest) && !bytes.Contains(space, []byte("\n")) {
			return nil, errors.New("no line break between two values")
		}
	}
}

// The decoder gives the value of encoding/json, or refuses what it refuses.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"jobs": 3, "up": true, "a": [1, -2.5e-3, "x", null], "a": {"b": {}}}`, "[]\n{}\n1", `"\ud83d\ude00\ud83d\u00e9\n"`,
		"\"\xff\xed\xa0\x80\xc3\"", `1e400`, `[[[[[]]]]]`, `{"a": `, `tru`, "-", "01", "1.", "1e", "\x00", "[1,]", "{,}", `{"a" 1}`, "\"\t\"", "12true", "\xef\xbb\xbf1",
	} {
		f.Add([]byte(seed))
	}
	limits := document.Limits{Depth: 10000, Values: 1 << 30} // the depth of encoding/json
	f.Fuzz(func(t *testing.T, body []byte) {
		if bytes.HasPrefix(body, []byte("\xef\xbb\xbf")) || bytes.HasPrefix(body, []byte("\xfe\xff")) || bytes.HasPrefix(body, []byte("\xff\xfe")) {
			return // encoding/json knows no byte order mark
		}
		want, wantErr := bySTD(body)
		got, err := document.JSON.Decode(t.Context(), body, "", limits)
		if isLimit(err) {
			return // encoding/json bounds no number
		}
		if (err != nil) != (wantErr != nil) {
			t.Fatalf("%q: got %v, %v; encoding/json %v, %v", body, got, err, want, wantErr)
		}
		if diff := cmp.Diff(want, tree.Go(got)); err == nil && diff != "" {
			t.Fatalf("%q (-encoding/json +got):\n%s", body, diff)
		}
	})
}
