package options_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
)

const marker = "hunter2"

// decodeSecret decodes the value under k in a file of the folder dir.
func decodeSecret(dir, text string) (*options.Decoder, *yaml.Node, *options.Value) {
	d := options.NewDecoder(func(name string) (string, bool) { return marker, name == "PASSWORD" })
	var v *options.Value
	top := d.Parse(filepath.Join(dir, "shop.yml"), []byte("k: "+text))
	d.Mapping(top, "the test", options.Fields{"k": d.Value(&v)})
	return d, top, v
}

func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"pw": marker + "\n", "crlf": marker + "\r\n", "two": "a\nb\n", "empty": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		yaml, want string
		secret     bool
	}{
		{yaml: `plain`, want: "plain"},
		{yaml: `a$$b`, want: "a$b"},
		{yaml: `{secret: hunter2}`, want: marker, secret: true},
		{yaml: `{secret: "${PASSWORD}"}`, want: marker, secret: true},
		{yaml: `{secret: 5}`, want: "5", secret: true},
		{yaml: `{secret_file: pw}`, want: marker, secret: true},
		{yaml: `{secret_file: ` + dir + `/pw}`, want: marker, secret: true},
		{yaml: `{secret_file: crlf}`, want: marker, secret: true},
		{yaml: `{secret_file: two}`, want: "a\nb", secret: true},
		{yaml: `{secret_file: empty}`, secret: true},
	}
	for _, test := range tests {
		d, _, v := decodeSecret(dir, test.yaml)
		if err := d.Err(); err != nil {
			t.Errorf("%s: %v", test.yaml, err)
			continue
		}
		got, err := v.Get()
		if err != nil || got != test.want || v.IsSecret() != test.secret {
			t.Errorf("%s: got %q, %v, secret %t; want %q, secret %t", test.yaml, got, err, v.IsSecret(), test.want, test.secret)
		}
		if test.secret && (v.String() != "<secret>" || fmt.Sprintf("%v %s", v, v) != "<secret> <secret>") {
			t.Errorf("%s: prints as %v", test.yaml, v)
		}
	}
}

func TestSecretMistakes(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "shop.key"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ yaml, want string }{
		{`{secret_file: gone}`, "1:18: the secret file DIR/gone cannot be read: no such file or directory"},
		{`{secret_file: folder}`, "1:18: the secret file DIR/folder cannot be read: found a directory, expected a regular file"},
		{`{secret_file: ""}`, `1:18: secret_file: found the text "", expected a file name`},
		{`{secret: "${GONE}"}`, "1:13: the environment variable GONE is not set; $$ stands for a dollar"},
		{`{secret: "${hunter2"}`, "1:13: expected the name of an environment variable between ${ and }; $$ stands for a dollar"},
		{`{secret: [hunter2]}`, "1:13: secret: found a list, expected a text"},
		{`{secert: hunter2}`, `1:5: unknown key "secert" in a secret; did you mean "secret"? expected one of secret, secret_file`},
		{`{secret_file: /dev/null}`, "1:18: the secret file /dev/null cannot be read: found a device, expected a regular file"},
		{`{secret: hunter2, secret_file: shop.key}`, "1:4: a secret has one key, expected either secret or secret_file"},
		{`{hunter2}`, "1:5: unknown key in a secret; expected one of secret, secret_file"},
		{`{}`, "1:4: a secret has one key, expected either secret or secret_file"},
		{`[hunter2]`, "1:4: k: found a list, expected a text"},
	}
	for _, test := range tests {
		d, _, _ := decodeSecret(dir, test.yaml)
		if d.Err() == nil {
			t.Errorf("%s: no error", test.yaml)
			continue
		}
		got := d.Err().Error()
		want := filepath.Join(dir, "shop.yml") + ":" + strings.ReplaceAll(test.want, "DIR", dir)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: error (-want +got):\n%s", test.yaml, diff)
		}
		if strings.Contains(got, marker) {
			t.Errorf("%s: the error shows the secret: %s", test.yaml, got)
		}
	}
}

func TestSecretFileIsReadAgainWhenChanged(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "pw")
	write := func(text string, modified time.Time) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, modified, modified); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	write("one\n", now)
	d, _, v := decodeSecret(dir, "{secret_file: pw}")
	if err := d.Err(); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		text     string
		modified time.Time
		want     string
	}{
		{"one\n", now, "one"},
		{"two\n", now.Add(time.Second), "two"}, // same size, another time
		{"three\n", now.Add(time.Second), "three"},
		{"four\n", now.Add(-time.Hour), "four"}, // an older file was put in its place
	} {
		write(step.text, step.modified)
		if got, err := v.Get(); err != nil || got != step.want {
			t.Errorf("got %q, %v, want %q", got, err, step.want)
		}
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	want := "the secret file " + name + " cannot be read: no such file or directory"
	if got, err := v.Get(); got != "" || err == nil || err.Error() != want {
		t.Errorf("after removal: got %q, error %v, want %s", got, err, want)
	}
	write("five\n", now)
	if got, err := v.Get(); err != nil || got != "five" {
		t.Errorf("got %q, %v, want five", got, err)
	}
}

// Whoever replaces a secret file may keep its size and its times.
func TestSecretFileIsReadAgainWhenReplaced(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pw")
	modified := time.Now().Add(-time.Hour)
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, modified, modified); err != nil {
			t.Fatal(err)
		}
	}
	write(name, "one")
	d, _, v := decodeSecret(filepath.Dir(name), "{secret_file: pw}")
	if err := d.Err(); err != nil {
		t.Fatal(err)
	}
	write(name+".new", "two")
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
	if got, err := v.Get(); got != "two" {
		t.Errorf("got %q, %v, want two", got, err)
	}
}

func TestRedact(t *testing.T) {
	dir := t.TempDir()
	d, top, _ := decodeSecret(dir, "{secret: hunter2} # was hunter2\n# and hunter2")
	if err := d.Err(); err != nil {
		t.Fatal(err)
	}
	for _, test := range [][2]string{{"http://shop/status?token=hunter2", "http://shop/status?<secret>"}, {"http://shop/status", "http://shop/status"}} {
		n := &yaml.Node{Kind: yaml.ScalarNode, Value: test[0]}
		d.HideQuery(n)
		if got := d.Redact(n).Value; got != test[1] {
			t.Errorf("%s is shown as %s, want %s", test[0], got, test[1])
		}
	}
	out, err := yaml.Dump(d.Redact(top))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("k: {secret: <secret>}\n", string(out)); diff != "" {
		t.Errorf("dump (-want +got):\n%s", diff)
	}
	if out, _ = yaml.Dump(top); !strings.Contains(string(out), marker) {
		t.Errorf("Redact changed the tree it was given: %s", out)
	}
}

// A file that is too long for a secret is another file.
func TestSecretFileIsShort(t *testing.T) {
	name := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(name, make([]byte, 1<<20+1), 0o600); err != nil {
		t.Fatal(err)
	}
	d, _, _ := decodeSecret(filepath.Dir(name), "{secret_file: secret}")
	if err := d.Err(); err == nil || !strings.Contains(err.Error(), "expected at most 1048576") {
		t.Errorf("got %v, want that it is too long", err)
	}
}
