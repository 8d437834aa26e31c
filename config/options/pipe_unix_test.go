//go:build unix

package options_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestPipesAreNoSecrets: a named pipe would keep its reader waiting for ever.
func TestPipesAreNoSecrets(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pw")
	if err := os.WriteFile(name, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, _, v := decodeSecret(filepath.Dir(name), "{secret_file: pw}")
	if err := d.Err(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	const want = "found a named pipe, expected a regular file"
	if _, err := v.Get(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a file that became a pipe: got %v, want …%s", err, want)
	}
	d, _, _ = decodeSecret(filepath.Dir(name), "{secret_file: pw}")
	if err := d.Err(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a pipe: got %v, want …%s", err, want)
	}
}
