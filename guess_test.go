package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"status_exporter/collector/document"
	"status_exporter/collector/mapping"
	"status_exporter/collector/tree"
	"status_exporter/config"
)

// TestStarter: what a module could begin with is right, and finds every number.
func TestStarter(t *testing.T) {
	for name, c := range map[string]struct {
		page    string
		samples int
	}{
		"object":              {`{"a": 1, "b": {"c": 2.5}, "d": "x", "e": "7"}`, 3},
		"list":                {`[{"queue": "mail", "length": 3}, {"queue": "print", "length": 0}]`, 2},
		"names alike":         {`{"a-b": 1, "a_b": 2, "A_b": 3, "a_b_2": 4}`, 4},
		"names without words": {`{"": 1, "-": 2, "ключ": 3, "日本": 4}`, 4},
		"keys with odd characters": {
			`{"\u0001": 1, "\u007f": 2, "\u0085": 3, "\u2028": 4, "\ufeff": 5, "\ue000": 6, "\udb40\udc01": 7, "\t": 8}`, 8,
		},
		"keys with punctuation": {`{"it's": 1, "a\"b": 2, "\\(.x)": 3, "a: b": 4, "#": 5, "a b": 6, "<&>": 7, "{}": 8, "*": 9}`, 9},
		"keys that jq reserves": {`{"and": 1, "if": 2, "__loc__": 3, "1st": 4, "null": 5, "def": 6}`, 6},
		"names that say a type": {`{"build_info": 1, "orders_total": 2, "x_bucket": 3, "x_sum": 4, "x_count": 5, "x": 6}`, 6},
		"texts that are numbers": {
			"CPULoad: .5\nSize: 1e3\nPoint: 5.\nSign: +1\nMinus: -0.5\nVersion: 1.2.3\nName: e\n", 5,
		},
		"a number alone": {`5`, 1},
		"null alone":     {`null`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			format, spelling := document.Guess(t.Context(), []byte(c.page), "")
			value, err := format.Decode(t.Context(), []byte(c.page), "", document.DefaultLimits)
			if err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			starter(&text, spelling, tree.Go(value))
			file := filepath.Join(t.TempDir(), "mine.yml")
			if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, err := config.Load(config.Input{Files: []string{file}})
			if err != nil {
				t.Fatalf("%v\n%s", err, &text)
			}
			mine, err := cfg.Module("mine")
			if err != nil {
				t.Fatal(err)
			}
			doc := &document.Document{Name: document.Status, Value: value}
			mapped := mine.Rules.Map(t.Context(), mapping.Input{Documents: []*document.Document{doc}, Limits: mine.Limits.Mapping})
			found := 0
			for _, f := range mapped.Findings {
				if found += f.Samples; f.Samples == 0 {
					t.Errorf("%s found nothing", f.Metric)
				}
			}
			if found != c.samples {
				t.Errorf("%d samples, want %d:\n%s", found, c.samples, &text)
			}
		})
	}
}

// What the target was sent stands in no guess, whatever a metric's name makes of it.
func TestGuessTellsNoSecrets(t *testing.T) {
	const secret = "Hunter2-Key"
	page := `{"Hunter2-Key": 1, "a": [{"Hunter2-Key": {"n": 2}}], "n": {"queue": 3}}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, page) }))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "a.yml")
	if err := os.WriteFile(file, []byte("auths: {prod: {headers: {X-Pass: "+secret+"}}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{page, `{"a": ` + secret + `}`} {
		page = text
		var out bytes.Buffer
		code := run(t.Context(), []string{"probe", server.URL, "--auth=prod", "--config.file=" + file}, func(string) (string, bool) { return "", false }, &out, &out)
		if said := strings.ToLower(out.String()); code != 1 || strings.Contains(said, "hunter2") || !strings.Contains(said, "the page") {
			t.Errorf("%s: ended with %d and said\n%s", text, code, &out)
		}
	}
}
