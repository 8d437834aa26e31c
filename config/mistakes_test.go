package config_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"status_exporter/config"
)

var update = flag.Bool("update", false, "write the errors that are found into testdata/config/*.err")

// goWords are words that only a programmer would use.
var goWords = regexp.MustCompile(`unmarshal|struct\b|\byaml\.|map\[|interface|int64|float64|\[\]|!!|\bnil\b|scalar`)

// noEnv is an empty environment.
func noEnv(string) (string, bool) { return "", false }

// TestMistakes loads every configuration in testdata/config, a file or a folder
// of files, and compares the error with the text beside it. Those that are right
// stand in a folder of their own.
func TestMistakes(t *testing.T) {
	t.Chdir("../testdata/config")
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	cases := 0
	for _, e := range entries {
		name, isFile := strings.CutSuffix(e.Name(), ".yml")
		files := []string{e.Name()}
		switch {
		case name == "right", !isFile && !e.IsDir():
			continue
		case e.IsDir():
			files = []string{filepath.Join(name, "*.yml")}
		}
		cases++
		t.Run(name, func(t *testing.T) {
			_, err := config.Load(config.Input{Files: files, Getenv: noEnv})
			if err == nil {
				t.Fatal("no error")
			}
			got := strings.ReplaceAll(err.Error(), here, "DIR") + "\n"
			if *update {
				if err := os.WriteFile(name+".err", []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name + ".err")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if word := goWords.FindString(got); word != "" {
				t.Errorf("the error speaks of %q:\n%s", word, got)
			}
		})
	}
	if cases < 40 {
		t.Errorf("%d configurations in testdata/config, want 40 at least", cases)
	}
}
