package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/file"
	"status_exporter/collector/mapping"
	"status_exporter/config"
	"status_exporter/config/options"
)

const right = "../testdata/config/right/"

func load(t *testing.T, files ...string) *config.Config {
	t.Helper()
	c, err := config.Load(config.Input{Files: files, Getenv: noEnv})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// write writes files into a new folder and returns its name.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestRight loads the configurations in testdata/config/right and compares what
// /config shows of them with the file NAME.shown, where there is one.
func TestRight(t *testing.T) {
	names, err := filepath.Glob(right + "*.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			c := load(t, name)
			if len(c.Warnings) > 0 {
				t.Errorf("warnings:\n%v", c.Warnings)
			}
			golden := strings.TrimSuffix(name, "yml") + "shown"
			if want, err := os.ReadFile(golden); err == nil && *update {
				if err := os.WriteFile(golden, []byte(c.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if err == nil {
				if diff := cmp.Diff(string(want), c.String()); diff != "" {
					t.Errorf("shown (-want +got):\n%s", diff)
				}
			}
			if strings.Contains(c.String(), "hunter2") {
				t.Errorf("a secret is shown:\n%s", c)
			}
			again := filepath.Join(t.TempDir(), "again.yml")
			if err := os.WriteFile(again, []byte(c.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			d := options.NewDecoder(noEnv)
			if d.Parse(again, []byte(c.String())); d.Err() != nil {
				t.Errorf("what is shown is no YAML: %v", d.Err())
			}
		})
	}
}

// families returns the names of the metrics of a module.
func module(t *testing.T, c *config.Config, name string) *config.Module {
	t.Helper()
	m, err := c.Module(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func families(m *config.Module) []string {
	var names []string
	for _, f := range m.Rules.Families() {
		names = append(names, string(f.Type)+" "+f.Name)
	}
	return names
}

func TestExample(t *testing.T) {
	c := load(t, right+"example.yml")
	shop := module(t, c, "shop")
	if shop.Timeout != 5*time.Second || !shop.NeedsTarget() || shop.Format.Name != "json" {
		t.Errorf("module shop: timeout %v, needs a target %t, format %s", shop.Timeout, shop.NeedsTarget(), shop.Format.Name)
	}
	want := []string{
		"gauge shop_queue_messages", "gauge shop_jobs", "gauge shop_node_up", "counter shop_region_orders_total",
		"gauge shop_host_load_ratio", "stateset shop_health", "histogram shop_latency_seconds",
	}
	if diff := cmp.Diff(want, families(shop)); diff != "" {
		t.Errorf("metrics of shop (-want +got):\n%s", diff)
	}
	if got := families(module(t, c, "rabbit-prod")); len(got) > 0 && slices.Contains(got, "gauge rabbitmq_queue_messages") {
		t.Errorf("rabbit-prod has %v, want no rabbitmq_queue_messages", got)
	}
	for name, needsTarget := range map[string]bool{"shop": true, "rabbitmq": true, "rabbit-prod": true, "backup": false, "machine": false, "web-log": false, "app": true} {
		if module(t, c, name).NeedsTarget() != needsTarget {
			t.Errorf("module %s needs a target: want %t", name, needsTarget)
		}
	}
	wantTargets := map[string]*config.Target{
		"shop-1": {Name: "shop-1", URL: "http://10.0.0.5:8000", Module: "shop", Labels: []mapping.Label{{Name: "team", Value: "checkout"}}},
	}
	if diff := cmp.Diff(wantTargets, c.Targets); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&config.Default{Target: "http://localhost:8000/status", Module: "shop"}, c.Default); diff != "" {
		t.Errorf("default (-want +got):\n%s", diff)
	}
	trusted, named := c.TargetsOf("shop", "", "app")
	if diff := cmp.Diff([][]string{{"http://localhost:8000/status", "http://10.0.0.5:8000"}, nil}, [][]string{trusted, named}); diff != "" {
		t.Errorf("trusted targets of shop (-want +got):\n%s", diff)
	}
	for _, other := range [][2]string{{"shop", "prod"}, {"rabbit-prod", ""}} {
		if trusted, named := c.TargetsOf(other[0], other[1], "app"); len(trusted)+len(named) > 0 {
			t.Errorf("targets of %v: %v and %v, want none", other, trusted, named)
		}
	}
	if a, err := c.Auth("prod"); a == nil || err != nil {
		t.Errorf("auth prod: %v, %v", a, err)
	}
	if diff := cmp.Diff([]string{right + "example.yml"}, c.Files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestNames(t *testing.T) {
	c := load(t, right+"example.yml")
	if _, err := c.Module("shpo"); err == nil || err.Error() != `there is no module "shpo"; did you mean "shop"?` {
		t.Errorf("error %v", err)
	}
	if _, err := c.Module("x"); err == nil || !strings.HasPrefix(err.Error(), `there is no module "x"; expected one of access_log_combined, `) {
		t.Errorf("error %v", err)
	}
	if _, err := c.Auth("x"); err == nil || err.Error() != `there is no entry "x" under auths; expected one of prod` {
		t.Errorf("error %v", err)
	}
	if a, err := c.Auth(""); a != nil || err != nil {
		t.Errorf("auth without a name: %v, %v", a, err)
	}
	if _, err := load(t).Auth("x"); err == nil || err.Error() != `there is no entry "x" under auths; the configuration has none` {
		t.Errorf("error %v", err)
	}
}

func TestExtends(t *testing.T) {
	c := load(t, right+"extends.yml")
	for name, want := range map[string][]string{
		"keys":    {"gauge shop_jobs", "stateset shop_health", "gauge shop_messages", "gauge shop_load", "gauge shop_bytes"},
		"metrics": {"gauge shop_jobs", "stateset shop_health", "gauge shop_messages", "gauge shop_new"},
		"app":     {"gauge app_requests_current", "gauge app_requests_pending", "stateset app_health"},
		"shop":    {"gauge app_requests_current", "gauge app_requests_pending", "stateset app_health"},
	} {
		if diff := cmp.Diff(want, families(module(t, c, name))); diff != "" {
			t.Errorf("metrics of %s (-want +got):\n%s", name, diff)
		}
	}
	if m := module(t, c, "source"); m.File == nil || m.HTTP != nil || m.NeedsTarget() {
		t.Error("module source does not have the source file alone")
	}
}

func TestExtendsOfOneSource(t *testing.T) {
	c := load(t, right+"sources.yml")
	here, err := filepath.Abs(right)
	if err != nil {
		t.Fatal(err)
	}
	if log := module(t, c, "log").AccessLog; !slices.Equal(log.Paths, []string{filepath.Join(here, "access.log")}) || !log.FromStart {
		t.Errorf("module log reads %v, from the start %t", log.Paths, log.FromStart)
	}
	if !strings.Contains(c.String(), "access_log: {format: json, path: access.log, from: start}") {
		t.Errorf("module log does not keep the format of its base:\n%s", c)
	}
	want := &file.Options{Path: filepath.Join(here, "status.json"), BodySizeLimit: 1024}
	if diff := cmp.Diff(want, module(t, c, "other-backup").File); diff != "" {
		t.Errorf("module other-backup (-want +got):\n%s", diff)
	}
}

func TestFiles(t *testing.T) {
	dir := write(t, map[string]string{
		"conf.d/a.yml":      "modules: {a: {metrics: [{name: a, value: .}]}}",
		"conf.d/b.yml":      "modules: {b: {extends: a}}",
		"conf.d/c.yaml":     "modules: {c: {extends: a}}",
		"odd[1].yml":        "targets: [{name: one, url: 'http://one', module: a}]",
		"default.yml":       "default: {target: one}",
		"secrets/f.yml":     "auths: {f: {headers: {X: {secret_file: f.key}}}}",
		"secrets/f.key":     "hunter2",
		"elsewhere/bad.yml": "modules: {d: {extend: a}}",
	})
	t.Chdir(dir)
	c := load(t, "conf.d/*.yml", "./conf.d/b.yml", "odd[1].yml", "conf.d/c.yaml", "default.yml", "secrets/f.yml")
	if diff := cmp.Diff([]string{"conf.d/a.yml", "conf.d/b.yml", "odd[1].yml", "conf.d/c.yaml", "default.yml", "secrets/f.yml"}, c.Files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for _, name := range []string{"a", "b", "c"} {
		module(t, c, name)
	}
	if diff := cmp.Diff(&config.Default{Target: "one", Module: "a"}, c.Default); diff != "" {
		t.Errorf("default (-want +got):\n%s", diff)
	}
	trusted, _ := c.TargetsOf("a", "", "app")
	if diff := cmp.Diff([]string{"http://one", "http://one"}, trusted); diff != "" {
		t.Errorf("trusted targets (-want +got):\n%s", diff)
	}

	for _, test := range []struct {
		files []string
		want  string
	}{
		{[]string{"gone.yml"}, "the configuration file gone.yml cannot be read: no such file or directory"},
		{[]string{"gone/*.yml"}, "no configuration file matches gone/*.yml"},
		{[]string{"conf.d"}, "the configuration file conf.d cannot be read: is a directory"},
		{[]string{"[a"}, `the pattern "[a" of --config.file is not a glob: syntax error in pattern`},
		{[]string{"elsewhere/*.yml", "conf.d/a.yml"}, `elsewhere/bad.yml:1:15: unknown key "extend" in module d; did you mean "extends"? expected one of access_log, documents, drop, extends, file, format, host, http, limits, metrics, timeout, vars`},
	} {
		if _, err := config.Load(config.Input{Files: test.files, Getenv: noEnv}); err == nil || err.Error() != test.want {
			t.Errorf("%v:\n got error %v\nwant error %s", test.files, err, test.want)
		}
	}
}

// TestSyntaxErrorStandsAlone: what a file that is no YAML would define is not
// told to be missing where something else names it.
func TestSyntaxErrorStandsAlone(t *testing.T) {
	dir := write(t, map[string]string{
		"syntax.yml":  "modules: {\n",
		"default.yml": "default: {target: http://localhost, module: shop}",
		"targets.yml": "targets: [{name: one, url: 'http://one', module: shop, auth: prod}]",
		"extends.yml": "modules: {other: {extends: shop}}",
	})
	t.Chdir(dir)
	want := "syntax.yml:2:1: not valid YAML: "
	flag := &config.Default{Target: "http://localhost", Module: "shop"}
	for _, in := range []config.Input{
		{Files: []string{"syntax.yml"}, Default: flag, Override: true},
		{Files: []string{"default.yml", "syntax.yml"}},
		{Files: []string{"syntax.yml", "targets.yml"}},
		{Files: []string{"extends.yml", "syntax.yml"}},
	} {
		in.Getenv = noEnv
		if _, err := config.Load(in); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v:\n got error %v\nwant one that begins with %s", in.Files, err, want)
		}
	}
}

// TestTargetsWithoutModule checks whose secrets a target may be sent that names no
// module: those of the module of requests that name none, and of the auth it names.
func TestTargetsWithoutModule(t *testing.T) {
	dir := write(t, map[string]string{"a.yml": `
modules: {shop: {extends: app}, other: {extends: app}}
auths: {prod: {headers: {X: {secret: hunter2}}}}
targets:
  - {name: plain, url: "http://plain"}
  - {name: prod, url: "http://prod", auth: prod}
  - {name: shop, url: "http://shop", module: shop}
`})
	c := load(t, filepath.Join(dir, "a.yml"))
	tests := []struct{ module, auth, otherwise, trusted, named string }{
		{"shop", "", "app", "http://shop", "http://plain"},
		{"shop", "", "shop", "http://plain http://shop", ""},
		{"app", "", "app", "http://plain", ""},
		{"other", "", "shop", "", "http://plain"},
		{"other", "prod", "app", "", "http://prod"},
		{"app", "prod", "app", "http://prod", ""},
	}
	for _, test := range tests {
		trusted, named := c.TargetsOf(test.module, test.auth, test.otherwise)
		if got := [2]string{strings.Join(trusted, " "), strings.Join(named, " ")}; got != [2]string{test.trusted, test.named} {
			t.Errorf("module %s, auth %q, default module %s: got %q, want %q and %q", test.module, test.auth, test.otherwise, got, test.trusted, test.named)
		}
	}
}

func TestDefault(t *testing.T) {
	dir := write(t, map[string]string{
		"none.yml": "modules: {shop: {metrics: [{name: a, value: .}]}}",
		"one.yml": `
modules: {shop: {metrics: [{name: a, value: .}]}}
default: {target: "http://configured", module: shop}
`,
		"named.yml": `
modules: {shop: {metrics: [{name: a, value: .}]}}
auths: {prod: {headers: {X: {secret: hunter2}}}}
targets: [{name: shop-1, url: "http://named", module: shop, auth: prod, labels: {b: "2", a: "1"}}]
default: {target: shop-1}
`,
		"host.yml": "default: {module: host}",
	})
	flag := &config.Default{Target: "http://flag", Module: "app"}
	tests := []struct {
		file     string
		def      *config.Default
		override bool
		want     *config.Default
	}{
		{file: "", want: nil},
		{file: "", def: flag, want: flag},
		{file: "none.yml", want: nil},
		{file: "none.yml", def: flag, want: nil},
		{file: "none.yml", def: flag, override: true, want: flag},
		{file: "one.yml", want: &config.Default{Target: "http://configured", Module: "shop"}},
		{file: "one.yml", def: flag, want: &config.Default{Target: "http://configured", Module: "shop"}},
		{file: "one.yml", def: flag, override: true, want: flag},
		{file: "one.yml", def: &config.Default{Module: "app"}, override: true, want: nil},
		{file: "named.yml", want: &config.Default{Target: "shop-1", Module: "shop", Auth: "prod"}},
		{file: "host.yml", want: &config.Default{Module: "host"}},
		{file: "", def: &config.Default{Target: "http://flag", Module: "host"}, want: &config.Default{Module: "host"}},
	}
	for _, test := range tests {
		in := config.Input{Getenv: noEnv, Default: test.def, Override: test.override}
		if test.file != "" {
			in.Files = []string{filepath.Join(dir, test.file)}
		}
		c, err := config.Load(in)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, c.Default); diff != "" {
			t.Errorf("%s, %v, override %t (-want +got):\n%s", test.file, test.def, test.override, diff)
		}
	}
	for _, test := range []struct {
		def  config.Default
		want string
	}{
		{config.Default{Target: "http://x", Module: "ap"}, `--module: there is no module "ap"; did you mean "app"?`},
		{config.Default{Target: "ftp://x", Module: "app"}, `default target: target "ftp://x": the scheme "ftp" is never fetched, expected http://host:port/path, https://…, host:port or unix:/run/name.sock:/path`},
	} {
		if _, err := config.Load(config.Input{Getenv: noEnv, Default: &test.def}); err == nil || err.Error() != test.want {
			t.Errorf("%v:\n got error %v\nwant error %s", test.def, err, test.want)
		}
	}
}

func TestBuiltin(t *testing.T) {
	c := load(t)
	if len(c.Names()) < 20 || len(c.Warnings) > 0 || c.Default != nil {
		t.Errorf("%d modules, warnings %v, default %v", len(c.Names()), c.Warnings, c.Default)
	}
	for _, name := range c.Names() {
		if m := module(t, c, name); m.Name != name || m != module(t, c, name) {
			t.Errorf("module %s is %s, or is not the same twice", name, m.Name)
		}
	}
	if warnings := config.BuiltinWarnings(); len(warnings) > 0 {
		t.Errorf("warnings %v", warnings)
	}
	want := []string{"gauge app_requests_current", "gauge app_requests_pending", "gauge app_uptime", "stateset app_health"}
	if diff := cmp.Diff(want, families(module(t, c, "app"))); diff != "" {
		t.Errorf("metrics of app (-want +got):\n%s", diff)
	}
	if want := "# There is no configuration file: only the built-in modules are there.\n"; c.String() != want {
		t.Errorf("shown: %q, want %q", c, want)
	}
	dir := write(t, map[string]string{"app.yml": "modules: {app: {metrics: [{name: mine, value: .}]}}"})
	if diff := cmp.Diff([]string{"gauge mine"}, families(module(t, load(t, dir+"/app.yml"), "app"))); diff != "" {
		t.Errorf("metrics of an own app (-want +got):\n%s", diff)
	}
}

func TestWarnings(t *testing.T) {
	dir := write(t, map[string]string{"a.yml": "modules:\n  shop:\n    metrics:\n      - {name: shop_orders, type: counter, value: .orders}\n"})
	want := dir + "/a.yml:4:16: counter shop_orders does not end in _total: OpenMetrics exposes it as unknown"
	if got := load(t, dir+"/a.yml").Warnings.Error(); got != want {
		t.Errorf("warnings:\n got %s\nwant %s", got, want)
	}
}
