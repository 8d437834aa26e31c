package options_test

import (
	"strings"
	"testing"

	"status_exporter/config/options"
)

func TestShorten(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "",
		"twelve chars":             "twelve chars",
		"thirteen char":            "thirteen ...",
		"zwölf Stellen, und":       "zwölf Ste...",
		strings.Repeat("\xff", 20): strings.Repeat("\xff", 9) + "...",
	} {
		if got := options.Shorten(text, 12); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
