package config_test

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/document"
	"status_exporter/collector/mapping"
	"status_exporter/config"
)

func loadAlone(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.LoadAlone("shop.yml", []byte(text), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestVars(t *testing.T) {
	m := module(t, loadAlone(t, `
modules:
  shop:
    vars:
      pool: blue
      price: ${HOME} $$
      shards: 3
      ratio: 0.5
      hex: 0x10
      strict: true
      zone: {default: eu, request: true}
      limit: {default: 10, request: true}
      free: {request: true}
    metrics: []
`), "shop")
	defaults := map[string]any{
		"pool": "blue", "price": "${HOME} $$", "shards": json.Number("3"), "ratio": json.Number("0.5"), "hex": json.Number("16"),
		"strict": true, "zone": "eu", "limit": json.Number("10"), "free": "",
	}
	with := func(name string, value any) map[string]any {
		values := make(map[string]any)
		for name, value := range defaults {
			values[name] = value
		}
		values[name] = value
		return values
	}
	for _, test := range []struct {
		query string
		want  map[string]any
		err   string
	}{
		{query: "", want: defaults},
		{query: "target=x&module=shop&auth=a&debug=true", want: defaults},
		{query: "zone=us", want: with("zone", "us")},
		{query: "zone=", want: with("zone", "")},
		{query: "zone=5", want: with("zone", "5")},
		{query: "free=x", want: with("free", "x")},
		{query: "limit=-2.5", want: with("limit", json.Number("-2.5"))},
		{query: "limit=ten", err: `the parameter limit is "ten", expected a number`},
		{query: "limit=1e999", err: `the parameter limit is "1e999", expected a number`},
		{query: "limit=0x10", err: `the parameter limit is "0x10", expected a number`},
		{query: "limit=NaN", err: `the parameter limit is "NaN", expected a number`},
		{query: "pool=red", err: `module shop takes no parameter "pool" from a request`},
		{query: "colour=red", err: `module shop takes no parameter "colour" from a request`},
	} {
		request, err := url.ParseQuery(test.query)
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.Values(request)
		gotErr := ""
		if err != nil {
			gotErr = err.Error()
		}
		if gotErr != test.err {
			t.Errorf("%s:\n got error %s\nwant error %s", test.query, gotErr, test.err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.query, diff)
		}
	}
}

func TestModuleLimits(t *testing.T) {
	c := loadAlone(t, `
modules:
  a: {metrics: []}
  b: {timeout: 2s, limits: {depth: 5, values: 6, samples: 7, label_value_bytes: 8}, metrics: []}
  c: {extends: b, limits: {samples: 9}}
`)
	for name, want := range map[string]config.Limits{
		"a": {Document: document.DefaultLimits, Mapping: mapping.DefaultLimits},
		"b": {Document: document.Limits{Depth: 5, Values: 6}, Mapping: mapping.Limits{Samples: 7, LabelValue: 8}},
		"c": {Document: document.Limits{Depth: 5, Values: 6}, Mapping: mapping.Limits{Samples: 9, LabelValue: 8}},
	} {
		if diff := cmp.Diff(want, module(t, c, name).Limits); diff != "" {
			t.Errorf("limits of %s (-want +got):\n%s", name, diff)
		}
	}
	if got := module(t, c, "c").Timeout; got != 2*time.Second {
		t.Errorf("timeout of c: %v, want 2s", got)
	}
}

// TestFingerprint changes one thing at a time: the source of a module is kept
// by a reload if, and only if, nothing changed that it is made from.
func TestFingerprint(t *testing.T) {
	dir := write(t, map[string]string{"ca.pem": "1", "key": "hunter2"})
	ca, err := os.ReadFile(right + "ca.pem")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), ca, 0o600); err != nil {
		t.Fatal(err)
	}
	const text = `
modules:
  shop:
    timeout: 5s
    http: {path: /status, headers: {X-Host: "${HOST}", X-Key: {secret_file: key}}, client: {tls_config: {ca_file: ca.pem}}}
    metrics: [{name: shop_jobs, value: .jobs}]
  other: {extends: shop}
  file: {file: {path: status.json}, metrics: []}
auths:
  prod: {headers: {X-Key: {secret: "${KEY}"}}}
`
	env := map[string]string{"HOST": "a", "KEY": "b"}
	type prints struct{ shop, other, file, auth string }
	read := func(dir, text string) prints {
		c, err := config.LoadAlone(filepath.Join(dir, "shop.yml"), []byte(text), func(name string) (string, bool) { v, ok := env[name]; return v, ok })
		if err != nil {
			t.Fatal(err)
		}
		return prints{module(t, c, "shop").Fingerprint, module(t, c, "other").Fingerprint, module(t, c, "file").Fingerprint, c.Auths["prod"].Fingerprint}
	}
	before := read(dir, text)
	if before.shop != before.other {
		t.Error("a module that only extends another has another fingerprint")
	}
	type changed struct{ shop, other, file, auth bool }
	expect := func(name string, want changed) {
		t.Helper()
		got := read(dir, text)
		now := changed{got.shop != before.shop, got.other != before.other, got.file != before.file, got.auth != before.auth}
		if now != want {
			t.Errorf("%s changed %+v, want %+v", name, now, want)
		}
		before = got
	}
	edit := func(name, from, to string, want changed) {
		t.Helper()
		got := read(dir, strings.Replace(text, from, to, 1))
		now := changed{got.shop != before.shop, got.other != before.other, got.file != before.file, got.auth != before.auth}
		if now != want {
			t.Errorf("%s changed %+v, want %+v", name, now, want)
		}
	}
	expect("nothing", changed{})
	edit("a rule", ".jobs", ".queue", changed{})
	edit("the timeout", "5s", "6s", changed{})
	edit("a comment", "modules:", "# comment\nmodules:", changed{})
	edit("the path", "/status", "/status2", changed{shop: true, other: true})
	edit("an override", "{extends: shop}", "{extends: shop, http: {port: 80}}", changed{other: true})
	edit("the file", "status.json", "status2.json", changed{file: true})
	edit("a secret", `"${KEY}"`, "x", changed{auth: true})
	env["HOST"] = "c"
	expect("an environment variable of the module", changed{shop: true, other: true})
	env["KEY"] = "c"
	expect("an environment variable of the auth", changed{auth: true})
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "ca.pem"), later, later); err != nil {
		t.Fatal(err)
	}
	expect("the CA file", changed{shop: true, other: true})
	key := filepath.Join(dir, "key")
	info, err := os.Stat(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, []byte("hunter3"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(key, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	expect("a file of the same size and time", changed{shop: true, other: true})
	elsewhere := write(t, map[string]string{"ca.pem": string(ca), "key": "hunter2"})
	if got := read(elsewhere, text); got.file == before.file || got.shop == before.shop {
		t.Error("a configuration in another folder has the same fingerprints though its files are others")
	}
}
