package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"status_exporter/config"
	"status_exporter/config/options"
)

// FuzzLoad reads any bytes as a configuration: there is a Config, or there are
// mistakes that each have a position.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"../testdata/config/*.yml", right + "*.yml", "builtin/*.yml"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			f.Fatal(pattern, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	for _, seed := range []string{
		"", "\xef\xbb\xbf", "\xff\xfem\x00", "{", "- - -", "? ? ?", "&a [*a]", "a: &a {<<: *a}", "<<: 5", "modules: {<<: [{a: {}}]}", "!!binary a", "%YAML 1.1\n---\na",
		"modules: {a: {extends: a}, ? [b] : c}", "modules: {a: {extends: b, drop: [x]}, b: {metrics: {a: [b]}}}", "modules: {a: {extends: b, metrics: {}}, b: {metrics: [{metrics: 5}, [], {name: []}]}}",
	} {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		if strings.Contains(string(text), "/dev/") { // reading some devices has no end
			t.Skip()
		}
		c, err := config.LoadAlone(filepath.Join(dir, "fuzz.yml"), text, func(name string) (string, bool) { return "value", len(name) < 5 })
		if err == nil {
			_ = c.String()
			return
		}
		var mistakes options.Errors
		if c != nil || !errors.As(err, &mistakes) || len(mistakes) == 0 {
			t.Fatalf("config %v, error %v", c, err)
		}
		lines := strings.Count(string(text), "\n") + strings.Count(string(text), "\r") + 2
		for _, m := range mistakes {
			if p := m.Position; m.Message == "" || p.File == "" || p.Line < 1 || p.Line > lines || p.Column < 1 {
				t.Errorf("the mistake %q is at %+v of %d lines", m.Message, p, lines)
			}
		}
	})
}
