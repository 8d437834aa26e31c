package collector_test

import (
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/itchyny/gojq"

	"status_exporter/collector"
	"status_exporter/collector/document"
	"status_exporter/config/options"
)

// sent returns the result of a probe in which these secrets were sent.
func sent(secrets ...string) *collector.Result {
	return &collector.Result{Documents: []*document.Document{{Name: "status", Secrets: secrets}}}
}

func TestMask(t *testing.T) {
	const (
		key   = "sk-0123456789abcdefghijklmnopqrstuvwxyz"
		odd   = `a"b<cd'ef/g\h&é😀+%41 z`
		lines = "first line\nsecond line"
	)
	plain, _ := json.Marshal(odd)
	inJSON := strings.NewReplacer(`\u003c`, "<", `\u0026`, "&").Replace(string(plain))
	ascii := strings.NewReplacer("é", `\u00e9`, "😀", `\ud83d\ude00`).Replace(inJSON)
	tests := []struct{ name, text, want string }{
		{"whole", "said " + key + "!", "said <secret>!"},
		{"twice", key + " " + key, "<secret> <secret>"},

		{"a preview", ".value found " + gojq.Preview(key), `.value found "<secret> ..."`},
		{"a preview of an object", gojq.Preview(map[string]any{"a": key}), `{"a":"<secret> ...}`},
		{"a preview within an escape", `"a\"b<cd'ef/g\\h\u00 ..."`, `"<secret> ..."`},
		{"a quote cut off", strconv.Quote(key[:30] + "…"), `"<secret>…"`},
		{"an excerpt", "which begins " + strconv.Quote(key[:10]+"..."), `which begins "<secret>..."`},
		{"outside of the quote", `"` + key[:10] + `"...`, `"<secret>"...`},
		{"four bytes", "sk-0...", "<secret>..."},
		{"three bytes", "sk-...", "sk-..."},
		{"a beginning that goes on", "sk-0123 more", "sk-0123 more"},
		{"dots in the secret", "abcd...", "<secret>..."},
		{"a hidden value", "/?pass=...&x=1", "/?pass=...&x=1"},
		{"an end", "…" + key[20:] + "!", "…<secret>!"},
		{"the end of a longer text", "… " + key[30:] + key[:20] + "…", "… <secret><secret>…"},
		{"a part", "…" + key[5:20] + "…", "…<secret>…"},
		{"where a decoder stopped", `column 4: found "3456789abcdefghijklm...", expected`, `column 4: found "<secret>...", expected`},
		{"where a decoder stopped last", `found "tuvwxyz\"}", expected`, `found "<secret>\"}", expected`},
		{"three bytes of an end", "…xyz", "…xyz"},

		{"the longer of two", "zzzz-rest-of-token zzzz", "<secret> <secret>"},
		{"one over another", "left-middle-right", "<secret>"},

		{"JSON of Go", string(plain), `"<secret>"`},
		{"JSON without HTML escapes", inJSON, `"<secret>"`},
		{"JSON in ASCII", ascii, `"<secret>"`},
		{"JSON in upper case", strings.NewReplacer(`\u00e9`, `\u00E9`, `\ud83d\ude00`, `\uD83D\uDE00`).Replace(ascii), `"<secret>"`},
		{"JSON of PHP", strings.ReplaceAll(ascii, "/", `\/`), `"<secret>"`},
		{"JSON of .NET", strings.ReplaceAll(ascii, `\"`, `\u0022`), `"<secret>"`},
		{"JSON of no UTF-8", `"\ufffd\ufffdword"`, `"<secret>"`},
		{"Go", strconv.Quote(odd), `"<secret>"`},
		{"Go in ASCII", strconv.QuoteToASCII(odd), `"<secret>"`},
		{"a control character", strconv.Quote("\x01\x7fword"), `"<secret>"`},
		{"JSON in a quote", strconv.Quote(string(plain)), `"\"<secret>\""`},
		{"JSON in a quote cut off", strconv.Quote(string(plain)[:20] + "…"), `"\"<secret>…"`},
		{"HTML", html.EscapeString(odd), "<secret>"},
		{"HTML by name", "a&quot;b&lt;cd&apos;ef/g\\h&amp;&eacute;&#x1F600;+%41 z", "<secret>"},
		{"a query", "?a=" + url.QueryEscape(odd) + "&", "?a=<secret>&"},
		{"a query in lower case", "?a=" + strings.NewReplacer("%2F", "%2f", "%5C", "%5c", "%C3%A9", "%c3%a9", "%3C", "%3c").Replace(url.QueryEscape(odd)), "?a=<secret>"},
		{"a path", url.PathEscape(odd), "<secret>"},
		{"octal", `a"b<cd'ef/g\\h&\303\251\360\237\230\200+%41\040z`, "<secret>"},
		{"an entity without an end", "a&#34b<cd&#39;ef/g\\h&é😀+%41 z", "<secret>"},
		{"doubled quotes", `'a"b<cd''ef/g\h&é😀+%41 z' "a""b<cd'ef/g\h&é😀+%41 z"`, `'<secret>' "<secret>"`},
		{"other case of its own escapes", "esc/aped esc%2faped esc%2Faped", "<secret> <secret> <secret>"},
		{"read as Latin-1", "gehÃ¶rt", "<secret>"},
		{"in Latin-1", "geh\xf6rt geh\\xf6rt", "<secret> <secret>"},
		{"a URL in a URL", url.QueryEscape(url.QueryEscape(odd)), "<secret>"},

		{"lines", "before\n" + lines + "\nafter", "before\n<secret>\nafter"},
		{"lines in a quote", strconv.Quote(lines), `"<secret>"`},
		{"lines without the last end", "> ab\ncd12", "> <secret>"},
		{"lines put on one", "first line second line", "<secret>"},
		{"one of the lines", `begins "second line"`, `begins "<secret>"`},

		{"switches", "true false none 123", "true false none 123"},
		{"nothing", "no secret here…", "no secret here…"},
	}
	result := sent(key, odd, lines, key, "zzzz", "zzzz-rest-of-token", "left-middle", "middle-right",
		"abcd.efgh", "ab\ncd12\n", "pass=hunter2", "\x01\x7fword", "\xff\xfeword", "abc", "", "false", "true", "none", "123", "esc%2faped", "gehört")
	for _, test := range tests {
		if got := result.Masked(test.text); got != test.want {
			t.Errorf("%s: %s\ngot  %s\nwant %s", test.name, test.text, got, test.want)
		}
	}
	if got := sent().Masked(key); got != key {
		t.Errorf("without a secret %s became %s", key, got)
	}
}

// FuzzMask checks that a secret is found in all that is made of it, and that the text
// around it stays.
func FuzzMask(f *testing.F) {
	for _, seed := range []string{"hunter2", `a"b\c`, "%41%zz", "&amp;&", "a b+c", "é😀", "\xff\xfe\xfd1", "line\nline", `\u00e9\\`, "....", "…………"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, secret string) {
		around := "[<secret>]"
		if options.IsPlain(strings.TrimSpace(secret)) || len(secret) > 100 || strings.Contains(around, strings.TrimSpace(secret)) {
			return
		}
		merges := strings.Contains(secret, "[") // with the one before it
		result := sent(secret)
		inJSON, _ := json.Marshal(secret)
		forms := []string{secret, url.QueryEscape(secret), url.PathEscape(secret), html.EscapeString(secret), string(inJSON), strconv.Quote(secret), strconv.QuoteToASCII(secret), strconv.Quote(string(inJSON))}
		for _, form := range forms {
			if got := result.Masked("[" + form + "]"); !merges && !strings.HasPrefix(got, "[") || !strings.Contains(got, "<secret>") {
				t.Errorf("%q as %s: got %s", secret, form, got)
			}
		}
	})
}

func BenchmarkMasked(b *testing.B) {
	var secrets []string
	for i := range 20 {
		secrets = append(secrets, fmt.Sprintf("Bearer %d-of-a-token-of-usual-length", i))
	}
	result := sent(secrets...)
	text := strings.Repeat(`shop_queue_messages{queue="orders-\"1\"",vhost="/"} 42`+"\n", 20000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		result.Masked(text)
	}
}
