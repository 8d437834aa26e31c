package collector_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"status_exporter/collector"
	"status_exporter/collector/document"
	"status_exporter/config"
)

// TestOwnWords: what the author and the exporter wrote stays in the report and in
// errors, even where a secret is one of these words, and else what the target says is
// masked.
func TestOwnWords(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/missing") {
			w.WriteHeader(http.StatusNotFound)
		}
		user, password, _ := r.BasicAuth()
		if strings.HasSuffix(r.URL.Path, "/none") {
			_, _ = w.Write([]byte(`{"b": "` + password + `"}`))
			return
		}
		w.Header().Set("X-Said", password)
		_, _ = w.Write([]byte(`{"a": 1, "said": "said ` + user + " " + password + " " + r.URL.Query().Get("t") + `", "b": "is ` + password + `"}`))
	})
	server := httptest.NewServer(handler)
	defer server.Close()
	dir, err := os.MkdirTemp("", "status") //nolint:usetesting // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	socket, err := net.Listen("unix", filepath.Join(dir, "status.sock"))
	if err != nil {
		t.Fatal(err)
	}
	local := httptest.NewUnstartedServer(handler)
	local.Listener.Close()
	local.Listener = socket
	local.Start()
	defer local.Close()
	tests := map[string]struct {
		user, password, path, base string
		has, not                   []string
		shown                      string // behind the base
	}{
		"a user of the module's name": {
			user: "shop", password: "hunter2",
			has: []string{"with module shop succeeded", "# TYPE shop_prod_requests gauge", "# HELP shop_prod_requests From", "\n  shop_prod_requests ", `said="said shop <secret> "`},
			not: []string{"hunter2"},
		},
		"a longer user in a metric's name": {
			user: "shop_prod", password: "hunter2", path: "x", shown: "/x",
			has: []string{"shop_prod_requests", `said="said shop_prod <secret> "`},
		},
		"a long user": {
			user: "monitoring", password: "hunter2", path: "x", shown: "/x",
			has: []string{`said="said <secret> <secret> "`}, not: []string{"monitoring"},
		},
		"a path of the document's name": {
			user: "me", password: "hunter2", path: "status",
			has:   []string{"User-Agent: status_exporter/devel", "  status: ", "x_status", "/<secret>\n"},
			not:   []string{"/status\n", "/status ", "<secret>_", "<secret>:"},
			shown: "/<secret>",
		},
		"a path of the document's name in an error": {
			user: "me", password: "hunter2", path: "status/missing",
			has:   []string{"  status: document status: asking ", "/<secret>: the target answered 404 Not Found, expected 2xx"},
			not:   []string{"/status"},
			shown: "/<secret>",
		},
		"a password of the error's words": {
			user: "me", password: "expected", path: "missing",
			has:   []string{"the target answered 404 Not Found, expected 2xx"},
			not:   []string{"X-Said: expected"},
			shown: "/<secret>",
		},
		"a password of the report's words": {
			user: "me", password: "succeeded", path: "x", shown: "/x",
			has: []string{"with module shop succeeded", `said="said me <secret> "`, `X-Said: <secret>`},
		},
		"a password of a reason": {
			user: "me", password: "no_samples", path: "none", shown: "/none",
			has: []string{"  no_samples: document status: no rule", `reason="no_samples"} 1`},
		},
		"a host": {
			user: "me", password: "hunter2", path: "127.0.0.1/missing",
			has:   []string{server.URL + "/<secret>: the target answered"},
			not:   []string{"/127.0.0.1/"},
			shown: "/<secret>",
		},
		"a password of the host": {
			user: "me", password: "127.0.0.1", path: "missing",
			has:   []string{"asking " + server.URL + "/<secret>: the target answered"},
			shown: "/<secret>",
		},
		"a socket": {
			user: "me", password: "hunter2", path: "status/missing", base: "unix:" + dir + "/status.sock:",
			has:   []string{"asking unix:" + dir + "/status.sock:/<secret>: the target"},
			not:   []string{":/status"},
			shown: "/<secret>",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.base == "" {
				test.base = server.URL
			}
			file := filepath.Join(t.TempDir(), "a.yml")
			text := `
modules:
  shop:
    http: {allow: ["*", "unix:*"], client: {basic_auth: {username: "${U}", password: "${P}"}}}
    metrics:
    - {name: shop_prod_requests, labels: {said: .said}, value: .a}
    - {name: x_status, value: .b, optional: true}
targets: [{name: shop-1, url: "` + test.base + `/${PATH}", module: shop}]
`
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			variables := map[string]string{"U": test.user, "P": test.password, "PATH": test.path}
			cfg, err := config.Load(config.Input{Files: []string{file}, Getenv: func(name string) (string, bool) { return variables[name], true }})
			if err != nil {
				t.Fatal(err)
			}
			pool := collector.NewPool(cfg, collector.Settings{DefaultModule: "app", UserAgent: "status_exporter/devel"})
			defer pool.Close()
			lease := pool.Lease()
			defer lease.Release()
			probe, err := lease.Probe(collector.Request{Target: "shop-1", Explain: true, Excerpt: 1000})
			if err != nil {
				t.Fatal(err)
			}
			result := probe.Run(t.Context())
			defer result.Release()
			var report strings.Builder
			if err := result.WriteReport(&report); err != nil {
				t.Fatal(err)
			}
			for _, want := range test.has {
				if !strings.Contains(report.String(), want) {
					t.Errorf("the report lacks %q", want)
				}
			}
			for _, text := range test.not {
				if strings.Contains(report.String(), text) {
					t.Errorf("the report holds %q", text)
				}
			}
			if want := test.base + test.shown; probe.Shown() != want {
				t.Errorf("the target is shown as %s, want %s", probe.Shown(), want)
			}
			for _, f := range result.Failures {
				if said := result.Masked(f.Err.Error()); f.Reason == document.ReasonStatus && !strings.HasPrefix(said, "asking "+probe.Shown()+": the target answered") {
					t.Errorf("%s is asked, and the error is %s", probe.Shown(), said)
				}
			}
			if t.Failed() {
				t.Log(report.String())
			}
		})
	}
}
