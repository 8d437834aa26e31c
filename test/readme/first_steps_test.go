//go:build unix

package readme_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFirstSteps does what the README's first section about a status page says,
// in its order, with free ports in the place of those that it names.
func TestFirstSteps(t *testing.T) {
	dir := t.TempDir()
	page, address := freeAddress(t), freeAddress(t)
	here := strings.NewReplacer("localhost:8080", page)
	var document, printed string
	done := make(map[string]bool)
	for _, b := range section(t, "## From your status page to Prometheus in five minutes") {
		switch b.kind {
		case "document":
			document = b.text
			if got := get(t, "http://"+page+"/status"); got != document {
				t.Errorf("README.md:%d: the page is\n%s", b.line, got)
			}
		case "config":
			if err := os.WriteFile(filepath.Join(dir, "shop.yml"), []byte(b.text), 0o600); err != nil {
				t.Fatal(err)
			}
		case "metrics":
			for line := range strings.Lines(b.text) {
				if !strings.Contains(printed, line) {
					t.Errorf("README.md:%d: the command before it does not print %q:\n%s", b.line, line, printed)
				}
			}
		case "": // commands
			for line := range strings.Lines(b.text) {
				command, _, _ := strings.Cut(line, "#")
				words := strings.Fields(strings.TrimSuffix(strings.TrimSpace(command), "&"))
				switch step := strings.Join(words[:min(2, len(words))], " "); {
				case step == "go build":
					build(t, dir, "status_exporter", "status_exporter")
				case step == "go run":
					build(t, dir, "shop", "status_exporter"+strings.TrimPrefix(words[2], "."))
					run(t, dir, "http://"+page+"/status", "./shop", "--listen-address="+page)
				case step == "./status_exporter probe":
					cmd := exec.CommandContext(t.Context(), words[0], strings.Fields(here.Replace(strings.Join(words[1:], " ")))...)
					cmd.Dir = dir
					out, err := cmd.CombinedOutput()
					if printed = string(out); err != nil {
						t.Fatalf("README.md:%d: %v\n%s", b.line, err, out)
					}
				case words[0] == "./status_exporter":
					run(t, dir, "http://"+address+"/probe?module=shop&target=http://"+page+"/status",
						words[0], append(words[1:], "--web.listen-address="+address)...)
				default:
					t.Fatalf("README.md:%d: %q is no step that this test can do", b.line, line)
				}
				done[words[0]] = true
			}
		}
	}
	if document == "" || printed == "" || !done["go"] || !done["./status_exporter"] {
		t.Error("README.md builds nothing, has no status page or probes none in its first steps")
	}
}

// section returns the blocks between a heading and the next one.
func section(t *testing.T, heading string) []block {
	t.Helper()
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), heading+"\n")
	if !found {
		t.Fatalf("README.md has no %q", heading)
	}
	body, _, _ := strings.Cut(rest, "\n## ")
	first := strings.Count(before, "\n")
	last := first + strings.Count(body, "\n")
	var inside []block
	for _, b := range blocks(t) {
		if b.line > first && b.line <= last {
			inside = append(inside, b)
		}
	}
	return inside
}

// build builds a program into a folder.
func build(t *testing.T, dir, name, importPath string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, name), importPath).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// run starts a program that runs until the test ends, and waits until it answers.
func run(t *testing.T, dir, url, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // the end of the test's context ends it
	get(t, url)
}

// get returns what a URL answers, once it answers.
func get(t *testing.T, url string) string {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) { // between tries, not in place of a condition
		body, err := ask(t, url)
		if err == nil {
			return body
		}
		if time.Since(begun) > 20*time.Second {
			t.Fatal(err)
		}
	}
}

func ask(t *testing.T, url string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s", url, resp.Status)
	}
	return string(body), err
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
