package web_test

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"status_exporter/web"
)

// TestTargetsThatSayTheSecret: wherever a target repeats what it was sent, neither
// the report nor the log shows it, not even with the document.
func TestTargetsThatSayTheSecret(t *testing.T) {
	const mark = "hunter2/Zq9+x"
	answers := map[string]func(w http.ResponseWriter, said string){
		"an encoding":    func(w http.ResponseWriter, said string) { w.Header().Set("Content-Encoding", said) },
		"a server":       func(w http.ResponseWriter, said string) { w.Header().Set("Server", said) },
		"a content type": func(w http.ResponseWriter, said string) { w.Header().Set("Content-Type", "text/"+said) },
		"a header":       func(w http.ResponseWriter, said string) { w.Header().Set("X-Said", said) },
		"a redirect":     func(w http.ResponseWriter, said string) { w.Header().Set("Location", "/"+said); w.WriteHeader(302) },
		"a far redirect": func(w http.ResponseWriter, said string) {
			w.Header().Set("Location", "ftp://"+said)
			w.WriteHeader(302)
		},
		"a link":        func(w http.ResponseWriter, said string) { w.Header().Set("Link", "</"+said+">; rel=next") },
		"a value":       func(w http.ResponseWriter, said string) { fmt.Fprintf(w, `{"value": %q}`, said) },
		"a label":       func(w http.ResponseWriter, said string) { fmt.Fprintf(w, `{"value": 1, "label": %q}`, said) },
		"a failure":     func(w http.ResponseWriter, said string) { fmt.Fprintf(w, `{"error": %q}`, said) },
		"no JSON":       func(w http.ResponseWriter, said string) { io.WriteString(w, said) },
		"a broken text": func(w http.ResponseWriter, said string) { fmt.Fprintf(w, `{"value": "%s`, said) },
		"a long text": func(w http.ResponseWriter, said string) {
			fmt.Fprintf(w, `{"value": %q}`, strings.Repeat("x", 20)+said)
		},
		"a status and all": func(w http.ResponseWriter, said string) { w.WriteHeader(500); io.WriteString(w, said) },
	}
	modules := map[string]string{
		"a header":    "headers: {X-Pass: {secret: \"" + mark + "\"}}",
		"a bearer":    "client: {authorization: {credentials: \"" + mark + "\"}}",
		"a password":  "client: {basic_auth: {username: monitor, password: \"" + mark + "\"}}",
		"a cookie":    "headers: {Cookie: {secret: \"a=b; sid=" + mark + "\"}}",
		"a parameter": "params: {pass: {secret: \"" + mark + "\"}}",
		"a JSON body": "body: {secret: '{\"user\": \"monitor\", \"password\": \"" + mark + "\"}'}",
		"a form":      "body: {secret: \"user=monitor&password=hunter2/Zq9%2Bx\"}",
		"JSON-RPC":    "body: {secret: '{\"method\": \"login\", \"params\": {\"password\": \"" + mark + "\"}}'}",
		"a list":      "body: {secret: '[{\"password\": \"" + mark + "\"}]'}",
	}
	for sent, how := range modules {
		for said, answer := range answers {
			t.Run(sent+" as "+said, func(t *testing.T) {
				target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, mark) }))
				defer target.Close()
				for _, debug := range []bool{false, true} {
					var log bytes.Buffer
					exporter := start(t, `
modules:
  shop:
    http: {fail_when: .error, allow: "*", `+how+`}
    metrics: [{name: shop_value, labels: {label: .label}, value: .value}]
`, func(o *web.Options) {
						o.EnableDebug = debug
						o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
					})
					_, report := exporter.get("/probe?module=shop&debug=true&target=" + target.URL)
					exporter.get("/probe?module=shop&target=" + target.URL)
					for what, text := range map[string]string{"report": report, "log": log.String()} {
						if strings.Contains(text, "hunter2") {
							t.Errorf("with documents %v, the %s holds the secret:\n%s", debug, what, text)
						}
					}
				}
			})
		}
	}
}

// TestTargetsThatSayALongSecret: what is left of a secret where a text about it was
// shortened is not shown either, nor what is spelled in another way.
func TestTargetsThatSayALongSecret(t *testing.T) {
	const (
		key     = "0123456789+Mq7Zx/Kq8Yw'Lr9Xv&Ns1Wu<Pt2Vt>Qu3Us é Rv4Tr=Sw5Sq+Tx6Rp-Uy7Qo_Vz8Pn,Wa9Om.Xb1Nl|Yc2Mk:Zd3Lj;Ae4Ki~Bf5Jh!Cg6Ig"
		numbers = "format: json"
	)
	ascii := strings.NewReplacer("é", `\u00E9`, "/", `\/`).Replace(key)
	tests := map[string]struct{ format, value, answer string }{
		"a duration":          {numbers, ".x | duration", `{"x": "` + key + `"}`},
		"a duration and more": {numbers, ".x | duration", `{"x": "in ` + ascii + `"}`},
		"a preview":           {numbers, ".x", `{"x": "` + ascii + `"}`},
		"an object":           {numbers, ".x", `{"x": {"a": "` + key + `"}}`},
		"an operator":         {numbers, ".x - 1", `{"x": "` + key + `"}`},
		"a long error":        {numbers, `("` + strings.Repeat("x", 450) + `" + .x) | error`, `{"x": "` + key + `"}`},
		"a failure":           {numbers, ".x", `{"error": "` + strings.Repeat("x", 150) + key + `"}`},
		"no document":         {numbers, ".x", `{"x": ` + key + `}`},
		"no line":             {"format: {regexp: {patterns: ['^a=(?P<x>b)$']}}", ".x", key},
		"a page":              {numbers, ".x", "<html><title>" + html.EscapeString(key) + "</title></html>"},
		"most of a document":  {numbers, ".x", `{"y": "` + strings.Repeat("x", 2000) + key + `"}`},
		"less of a document":  {numbers, ".x", `{"y": "` + strings.Repeat("x", 2020) + key + `"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, test.answer) }))
			defer target.Close()
			var log bytes.Buffer
			exporter := start(t, `
modules:
  shop:
    http: {fail_when: .error?, allow: "*", headers: {X-Pass: {secret: "`+strings.ReplaceAll(key, "é", "e")+`"}}, params: {pass: {secret: "`+key+`"}}}
    `+test.format+`
    metrics: [{name: shop_value, value: '`+test.value+`'}]
`, func(o *web.Options) {
				o.EnableDebug = true
				o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			})
			_, report := exporter.get("/probe?module=shop&debug=true&target=" + target.URL)
			exporter.get("/probe?module=shop&target=" + target.URL)
			for what, text := range map[string]string{"report": report, "log": log.String()} {
				if !strings.Contains(text, "<secret>") && len(test.answer) < 2000 { // else it is only an excerpt
					t.Errorf("the %s says nothing of the secret:\n%s", what, text)
				}
				for i := range len(key) - 6 {
					if strings.Contains(text, key[i:i+6]) {
						t.Errorf("the %s holds %q of the secret:\n%s", what, key[i:i+6], text)
						break
					}
				}
			}
		})
	}
}
