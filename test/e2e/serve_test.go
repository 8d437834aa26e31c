//go:build unix

package e2e_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

const healthy = `{"current_requests":10,"pending_requests":2,"total_uptime":25.99274135,"health":"healthy"}`

// target serves a status page that a test may hold back.
func target(t *testing.T, hold <-chan struct{}, asked chan<- struct{}) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked != nil {
			asked <- struct{}{}
		}
		if hold != nil {
			select {
			case <-hold:
			case <-r.Context().Done():
			}
		}
		io.WriteString(w, healthy)
	}))
	t.Cleanup(server.Close)
	return server
}

func TestEnvironment(t *testing.T) {
	page := target(t, nil, nil)
	host, port, err := net.SplitHostPort(strings.TrimPrefix(page.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	dead := "1"
	tests := map[string]struct {
		env, args []string
		said      string
	}{
		"flag for the URL":              {args: []string{"--target.url=" + page.URL}},
		"URL":                           {env: []string{"TARGET_URL=" + page.URL + "/status"}},
		"parts":                         {env: []string{"TARGET_HOST=" + host, "TARGET_PORT=" + port}},
		"older name of the port":        {env: []string{"TARGET_HOST=" + host, "APP_PORT=" + port}},
		"port wins over its older name": {env: []string{"TARGET_HOST=" + host, "TARGET_PORT=" + port, "APP_PORT=" + dead}},
		"URL wins over parts":           {env: []string{"TARGET_URL=" + page.URL, "TARGET_PORT=" + dead}},
		"flag wins over environment":    {env: []string{"TARGET_HOST=" + host, "TARGET_PORT=" + dead}, args: []string{"--target.port=" + port}},
		"flag for a part wins over URL": {env: []string{"TARGET_URL=http://localhost:" + dead}, args: []string{"--target.host=" + host, "--target.port=" + port}},
		"what Kubernetes sets is ignored": {
			env: []string{"TARGET_HOST=" + host, "APP_PORT=" + port, "TARGET_PORT=tcp://10.0.0.1:80"}, said: "enableServiceLinks",
		},
		"what a variable holds is not quoted": {
			env: []string{"TARGET_HOST=" + host, "APP_PORT=" + port, "TARGET_PORT=http://u:s3cret@h"}, said: "value=http://h\n",
		},
		"polling has nothing to do": {
			env: []string{"TARGET_URL=" + page.URL, "POLLING_INTERVAL_SECONDS=5"}, said: "every scrape reads the target afresh",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p, url := exporter(t, test.env, test.args...)
			want(t, get(t, url+"/metrics"), "probe_success 1", "app_requests_current 10")
			if !strings.Contains(p.output.String(), test.said) {
				t.Errorf("the log lacks %q:\n%s", test.said, p.output)
			}
		})
	}
}

func TestExporterPort(t *testing.T) {
	_, port, err := net.SplitHostPort(freeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, []string{"EXPORTER_PORT=" + port}, build(t), "--target.url=")
	p.ready("http://127.0.0.1:" + port + "/-/ready")
	if body := get(t, "http://127.0.0.1:"+port+"/metrics"); strings.Contains(body, "probe_success") {
		t.Error("with an empty --target.url there is still a default target")
	}
}

func TestSeveralAddresses(t *testing.T) {
	second := freeAddress(t)
	_, url := exporter(t, nil, "--target.url=", "--web.listen-address="+second)
	get(t, url+"/-/ready")
	eventually(t, 5*time.Second, func() error { _, _, err := fetch("http://" + second + "/-/ready"); return err })
}

func TestAddressInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := start(t, nil, build(t), "--web.listen-address="+l.Addr().String())
	p.end(10 * time.Second)
	if code := p.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(p.output.String(), "address already in use") {
		t.Errorf("exit code %d, want 1 and a reason:\n%s", code, p.output)
	}
}

// TestStop: an idle exporter stops within a second, even when somebody has
// connected and says nothing.
func TestStop(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		p, url := exporter(t, nil)
		silent, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
		p.signal(signal)
		if took := p.end(5 * time.Second); took > time.Second {
			t.Errorf("%v: stopped after %v, want at most a second", signal, took)
		}
		if code := p.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("%v: exit code %d, want 0", signal, code)
		}
	}
}

// TestStopLetsScrapesFinish: a scrape in flight ends as if nothing had happened.
func TestStopLetsScrapesFinish(t *testing.T) {
	hold, asked := make(chan struct{}), make(chan struct{}, 1)
	page := target(t, hold, asked)
	p, url := exporter(t, nil)
	body := make(chan string, 1)
	go func() {
		_, text, err := fetch(url + "/probe?target=" + page.URL)
		body <- fmt.Sprint(text, err)
	}()
	<-asked
	p.signal(syscall.SIGTERM)
	eventually(t, 5*time.Second, func() error {
		if !strings.Contains(p.output.String(), "stopping") {
			return errors.New("it does not stop")
		}
		return nil
	})
	close(hold)
	if got := <-body; !strings.Contains(got, "probe_success 1") {
		t.Errorf("the scrape in flight got %s", got)
	}
	p.end(2 * time.Second)
}

func TestReload(t *testing.T) {
	module := func(metric string) string {
		return fmt.Sprintf("modules: {shop: {metrics: [{name: %s, value: .current_requests}]}}\n", metric)
	}
	file := write(t, filepath.Join(t.TempDir(), "shop.yml"), module("shop_a"))
	page := target(t, nil, nil)
	p, url := exporter(t, nil, "--config.file="+file, "--web.enable-lifecycle")
	probe := url + "/probe?module=shop&target=" + page.URL
	want(t, get(t, probe), "shop_a 10")

	write(t, file, module("shop_b"))
	p.signal(syscall.SIGHUP)
	eventually(t, 5*time.Second, func() error {
		if _, body, err := fetch(probe); err != nil || !strings.Contains(body, "\nshop_b 10\n") {
			return fmt.Errorf("the new configuration is not in force: %w", err)
		}
		return nil
	})

	write(t, file, "modules: {shop: {metriks: []}}\n")
	resp, err := client.Post(url+"/-/reload", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusInternalServerError || !strings.Contains(string(text), file+":1:18: unknown key \"metriks\"") {
		t.Errorf("a bad file answered %d: %s", resp.StatusCode, text)
	}
	want(t, get(t, probe), "shop_b 10")
	want(t, get(t, url+"/metrics"), "status_exporter_config_last_reload_successful 0")
}

// TestReloadUnderLoad: no scrape fails while the configuration is read again and
// again, and the connections of a module that did not change are kept.
func TestReloadUnderLoad(t *testing.T) {
	var connections atomic.Int64
	page := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, healthy) }))
	page.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	page.Start()
	defer page.Close()
	file := write(t, filepath.Join(t.TempDir(), "shop.yml"), "modules: {other: {metrics: [{name: a, value: .a}]}}\n")
	_, url := exporter(t, nil, "--config.file="+file, "--web.enable-lifecycle", "--log.level=warn")
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	var group sync.WaitGroup
	var scrapes, failures atomic.Int64
	for range 2 {
		group.Go(func() {
			for ctx.Err() == nil {
				scrapes.Add(1)
				status, body, err := fetch(url + "/probe?target=" + page.URL)
				if err != nil || !strings.Contains(body, "\nprobe_success 1\n") {
					failures.Add(1)
					t.Logf("a scrape failed with status %d, %v:\n%s", status, err, body)
				}
			}
		})
	}
	reloads := 0
	for ; ctx.Err() == nil; reloads++ {
		write(t, file, fmt.Sprintf("modules: {other: {metrics: [{name: a%d, value: .a}]}}\n", reloads))
		resp, err := client.Post(url+"/-/reload", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	group.Wait()
	t.Logf("%d scrapes, %d failures, %d reloads, %d connections", scrapes.Load(), failures.Load(), reloads, connections.Load())
	if failures.Load() > 0 {
		t.Errorf("%d of %d scrapes failed", failures.Load(), scrapes.Load())
	}
	// One that each reload cost would be some hundred. A few more than scrapers are
	// net/http's: it dials when all are taken, and uses one that comes back meanwhile.
	if most := 4 + int64(reloads)/20; connections.Load() > most {
		t.Errorf("%d connections for 2 scrapers and %d reloads, want them kept: at most %d", connections.Load(), reloads, most)
	}
}

// TestWebConfig: TLS and basic auth by the toolkit's own configuration file.
func TestWebConfig(t *testing.T) {
	dir := t.TempDir()
	cert, key := certificate(t, dir)
	hash, err := bcrypt.GenerateFromPassword([]byte("test"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	config := write(t, filepath.Join(dir, "web.yml"), fmt.Sprintf(`
tls_server_config: {cert_file: %s, key_file: %s}
basic_auth_users:
  monitor: %s
`, cert, key, hash))
	page := target(t, nil, nil)
	address := freeAddress(t)
	start(t, nil, build(t), "--web.config.file="+config, "--web.listen-address="+address, "--target.url="+page.URL)
	pem, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	secure := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	ask := func(password string) (int, string, error) {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://"+address+"/metrics", nil)
		if err != nil {
			return 0, "", err
		}
		if password != "" {
			req.SetBasicAuth("monitor", password)
		}
		resp, err := secure.Do(req)
		if err != nil {
			return 0, "", err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body), err
	}
	eventually(t, 10*time.Second, func() error { _, _, err := ask(""); return err })
	for password, status := range map[string]int{"": 401, "wrong": 401, "test": 200} {
		got, body, err := ask(password)
		if err != nil || got != status {
			t.Errorf("password %q: status %d, %v, want %d", password, got, err, status)
		}
		if got == 200 {
			want(t, body, "app_requests_current 10")
		}
	}
	if status, _, err := fetch("http://" + address + "/metrics"); err == nil && status == http.StatusOK {
		t.Error("it answers without TLS as well")
	}
}

// certificate makes a self-signed certificate for 127.0.0.1.
func certificate(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.StartTLS()
	defer server.Close()
	return writeCertificate(t, dir, server.TLS.Certificates[0])
}

func TestBadWebConfig(t *testing.T) {
	file := write(t, filepath.Join(t.TempDir(), "web.yml"), "basic_auth: {}\n")
	p := start(t, nil, build(t), "--web.config.file="+file, "--web.listen-address="+freeAddress(t))
	p.end(10 * time.Second)
	if code := p.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(p.output.String(), "--web.config.file") {
		t.Errorf("exit code %d, want 1 and a reason:\n%s", code, p.output)
	}
}

// TestSystemdSocket passes a listening socket as systemd does.
func TestSystemdSocket(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	p := &process{t: t, output: &output{}, exited: make(chan struct{})}
	p.cmd = exec.Command("sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"`, build(t), "--web.systemd-socket", "--target.url=")
	p.cmd.ExtraFiles = []*os.File{file}
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.run()
	p.ready("http://" + l.Addr().String() + "/-/ready")
}

// TestCommandLine: what the commands print, and their exit codes.
func TestCommandLine(t *testing.T) {
	page := target(t, nil, nil)
	good := write(t, filepath.Join(t.TempDir(), "good.yml"), "modules: {shop: {metrics: [{name: shop_requests, value: .current_requests}]}}\n")
	bad := write(t, filepath.Join(t.TempDir(), "bad.yml"), "modules:\n  shop:\n    metrics:\n      - name: shop_requests\n        valeu: .a\n")
	text := write(t, filepath.Join(t.TempDir(), "text.yml"), "modules: {shop: {metrics: [{name: shop_health, value: .health}]}}\n")
	vars := write(t, filepath.Join(t.TempDir(), "vars.yml"), `modules: {shop: {vars: {team: {request: true}}, metrics: [{name: shop_requests, labels: {team: $vars.team}, value: .current_requests}]}}`)
	named := write(t, filepath.Join(t.TempDir(), "named.yml"), "modules: {shop: {metrics: [{name: shop_requests, value: .current_requests}]}}\ntargets: [{name: one, url: "+page.URL+", module: shop}]\nauths: {prod: {client: {basic_auth: {username: u, password: p}}}}\n")
	list := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `[{"queue":"mail","length":3},{"queue":"print","length":0}]`)
	}))
	t.Cleanup(list.Close)
	lines := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "length = 3\nqueue = mail\n")
	}))
	t.Cleanup(lines.Close)
	taken := strings.TrimPrefix(page.URL, "http://")
	tests := map[string]struct {
		args []string
		code int
		said string
	}{
		"help":             {[]string{"--help"}, 0, "--web.listen-address"},
		"version":          {[]string{"--version"}, 0, "status_exporter"},
		"unknown flag":     {[]string{"--traget.url=x"}, 2, "unknown long flag '--traget.url'; see status_exporter --help"},
		"check":            {[]string{"check", good}, 0, good + ": right"},
		"check of a bad":   {[]string{"check", bad}, 1, bad + ":5:9: unknown key \"valeu\" in metric shop_requests; did you mean \"value\"?"},
		"check of none":    {[]string{"check", filepath.Join(t.TempDir(), "*.yml")}, 1, "no configuration file matches"},
		"serve with bad":   {[]string{"--config.file=" + bad}, 1, "unknown key \"valeu\""},
		"missing config":   {[]string{"--config.file=missing.yml"}, 1, "missing.yml cannot be read: no such file or directory"},
		"odd path":         {[]string{"--web.telemetry-path=/probe"}, 1, "--web.telemetry-path is \"/probe\""},
		"odd URL":          {[]string{"--web.external-url=foo"}, 1, "--web.external-url is \"foo\""},
		"URL of a file":    {[]string{"--web.external-url=ftp://u:s3cret@h/x?t=s3cret"}, 1, "--web.external-url is \"ftp://h/x?t=...\""},
		"URL with a user":  {[]string{"--web.external-url=http://u:s3cret@h:x"}, 2, "--web.external-url is \"http://h:x\""},
		"odd offset":       {[]string{"--timeout-offset=-1s"}, 1, "--timeout-offset is -1s"},
		"timeless offset":  {[]string{"--timeout-offset=5"}, 2, "status_exporter: --timeout-offset is \"5\", expected a duration such as 10s or 500ms; see"},
		"odd size":         {[]string{"--probe.memory-budget=lots"}, 2, "status_exporter: --probe.memory-budget is \"lots\", expected a size such as 512MiB; see"},
		"unitless size":    {[]string{"--probe.memory-budget=1"}, 2, "--probe.memory-budget is \"1\", expected a size such as 512MiB"},
		"negative size":    {[]string{"--probe.memory-budget=-1GiB"}, 1, "--probe.memory-budget is -1GiB, expected more than 0B"},
		"odd level":        {[]string{"--log.level=loud"}, 2, "status_exporter: --log.level is \"loud\", expected one of debug, info, warn, error; see"},
		"odd number":       {[]string{"--web.max-requests=many"}, 2, "--web.max-requests is \"many\", expected a whole number"},
		"part of one":      {[]string{"--web.max-requests=0.5"}, 2, "--web.max-requests is \"0.5\", expected a whole number"},
		"no URL":           {[]string{"--web.external-url=:"}, 2, "--web.external-url is \":\", expected a URL such as https://monitoring.example/status"},
		"needless value":   {[]string{"--web.enable-lifecycle=yes"}, 2, "--web.enable-lifecycle is \"yes\", expected --web.enable-lifecycle alone, or --no-web.enable-lifecycle"},
		"odd address":      {[]string{"--web.listen-address=99999"}, 1, "status_exporter: --web.listen-address is \"99999\", expected a port with a colon before it, such as :9877 or 127.0.0.1:9877\n"},
		"odd port":         {[]string{"--web.listen-address=:99999"}, 1, "--web.listen-address is \":99999\", expected a port"},
		"taken address":    {[]string{"--target.url=", "--web.listen-address=" + taken}, 1, "listening on " + taken + " (--web.listen-address): "},
		"demo: percent":    {[]string{"demo", "--error-percent=x"}, 2, "--error-percent is \"x\", expected a whole number"},
		"demo: delay":      {[]string{"demo", "--max-delay=-1s"}, 1, "--max-delay is -1s, expected at least 0s"},
		"demo: address":    {[]string{"demo", "--app.listen-address=99999"}, 1, "--app.listen-address is \"99999\", expected a port"},
		"demo: exporter":   {[]string{"demo", "--web.listen-address=x"}, 1, "--web.listen-address is \"x\", expected a port"},
		"odd limit":        {[]string{"--web.max-requests=-1"}, 1, "--web.max-requests is -1"},
		"needless target":  {[]string{"--module=host", "--target.url=http://localhost"}, 1, "the module host takes none"},
		"unknown module":   {[]string{"--module=ap"}, 1, "did you mean \"app\"?"},
		"probe":            {[]string{"probe", page.URL}, 0, "app_requests_current 10"},
		"probe of a dead":  {[]string{"probe", "http://" + freeAddress(t)}, 1, "connection refused"},
		"probe by module":  {[]string{"probe", page.URL, "--module=shop", "--config.file=" + good}, 0, "shop_requests 10"},
		"probe with var":   {[]string{"probe", page.URL, "--module=shop", "--config.file=" + vars, "--var=team=checkout"}, 0, "shop_requests{team=\"checkout\"} 10"},
		"probe: var":       {[]string{"probe", page.URL, "--var=team"}, 2, "--var is \"team\", expected NAME=VALUE"},
		"probe: timeout":   {[]string{"probe", page.URL, "--timeout=0"}, 1, "status_exporter: --timeout is 0s, expected more than 0s"},
		"probe: negative":  {[]string{"probe", page.URL, "--timeout=-1s"}, 1, "status_exporter: --timeout is -1s, expected more than 0s"},
		"probe of none":    {[]string{"probe"}, 1, "status_exporter: module app needs a target, for example: status_exporter probe http://localhost:8000/status\n"},
		"probe by name":    {[]string{"probe", "one", "--config.file=" + named}, 0, "shop_requests 10"},
		"probe name, auth": {[]string{"probe", "one", "--auth=prod", "--config.file=" + named}, 0, "shop_requests 10"},
		"probe: auth":      {[]string{"probe", page.URL, "--auth=prod"}, 1, "status_exporter: --auth: there is no entry \"prod\" under auths"},
		"probe says why":   {[]string{"probe", page.URL, "--module=shop", "--config.file=" + text}, 1, "1      0        1        `.health` found \"healthy\""},
		"probe of a list":  {[]string{"probe", list.URL}, 1, "      - name: mine_length\n        each: '.[]'\n        labels:\n          queue: .queue\n        value: .length\n"},
		"probe of lines":   {[]string{"probe", lines.URL}, 1, "    format: {keyvalue: {separator: \"=\"}}\n    metrics:\n      - name: mine_length\n        value: .length\n"},
		"no file target":   {[]string{"probe", "file:///etc/passwd"}, 1, "status_exporter: "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := start(t, nil, build(t), test.args...)
			p.end(20 * time.Second)
			if code := p.cmd.ProcessState.ExitCode(); code != test.code || !strings.Contains(p.output.String(), test.said) {
				t.Errorf("exit code %d, want %d with %q:\n%s", code, test.code, test.said, p.output)
			}
		})
	}
}

// TestDemo reads what the demo prints, and follows it.
func TestDemo(t *testing.T) {
	app, address := freeAddress(t), freeAddress(t)
	p := start(t, nil, build(t), "demo", "--app.listen-address="+app, "--web.listen-address="+address)
	p.ready("http://" + address + "/-/ready")
	followed := 0
	for lines := bufio.NewScanner(strings.NewReader(p.output.String())); lines.Scan(); {
		if url, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "curl "); ok {
			get(t, url)
			followed++
		}
	}
	if followed != 2 {
		t.Errorf("%d curl lines, want 2:\n%s", followed, p.output)
	}
	want(t, get(t, "http://"+address+"/metrics"), "probe_success 1")
	p.signal(syscall.SIGTERM)
	p.end(2 * time.Second)
}
