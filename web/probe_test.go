package web_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"status_exporter/web"
)

func TestProbeApp(t *testing.T) {
	target := answer(t, healthy)
	_, got := start(t, "").get("/probe?target=" + url.QueryEscape(target.URL+"/status"))
	want(t, got,
		`# HELP app_requests_current Current requests`,
		`# TYPE app_requests_current gauge`,
		`app_requests_current 10`,
		`# HELP app_requests_pending Pending requests`,
		`app_requests_pending 2`,
		`# HELP app_uptime Uptime`,
		`app_uptime 25.99274135`,
		`# HELP app_health Health`,
		`# TYPE app_health gauge`,
		`app_health{app_health="healthy"} 1`,
		`app_health{app_health="unhealthy"} 0`,
		`probe_success 1`,
		`status_probe_http_status_code{document="status"} 200`,
		`status_probe_document_bytes{document="status"} 90`,
		`status_probe_samples_dropped 0`,
	)
	wantNot(t, got, "go_", "process_", "promhttp_", "status_exporter_", "status_probe_failure_info", "probe_ssl")
}

// rules is a module with one rule for each thing that can go wrong, beside one
// that is always right.
const rules = `
modules:
  shop:
    metrics:
      - {name: shop_good, value: .good}
      - {name: shop_value, value: .value}
`

// TestFaultyTargets states what each fault of a target looks like to Prometheus.
func TestFaultyTargets(t *testing.T) {
	say := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	tests := map[string]struct {
		target  http.HandlerFunc // nil: nobody listens
		success int
		reason  string // of the failure
		dropped string // metric and reason
		good    bool   // shop_good is still exposed
		code    int
	}{
		"all is well":          {target: say(200, `{"good":1,"value":2}`), success: 1, good: true, code: 200},
		"down":                 {reason: "connect"},
		"slow":                 {target: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, reason: "timeout"},
		"status 500":           {target: say(500, `{"good":1,"value":2}`), reason: "status", code: 500},
		"HTML":                 {target: say(200, "<!DOCTYPE html><html><body>Log in</body></html>"), reason: "decode", code: 200},
		"empty body":           {target: say(200, ""), reason: "decode", code: 200},
		"half a document":      {target: say(200, `{"good":1,"val`), reason: "decode", code: 200},
		"null":                 {target: say(200, "null"), reason: "no_samples", dropped: `metric="shop_value",reason="missing"`, code: 200},
		"a rule finds nothing": {target: say(200, `{"good":1}`), success: 1, good: true, dropped: `metric="shop_value",reason="missing"`, code: 200},
		"a rule finds a text":  {target: say(200, `{"good":1,"value":"soon"}`), success: 1, good: true, dropped: `metric="shop_value",reason="not_a_number"`, code: 200},
		"a rule finds an array": {
			target: say(200, `{"good":1,"value":[1,2]}`), success: 1, good: true, dropped: `metric="shop_value",reason="not_a_number"`, code: 200,
		},
	}
	exporter := start(t, rules)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			address := closedPort(t)
			if test.target != nil {
				server := httptest.NewServer(test.target)
				t.Cleanup(server.Close)
				address = server.URL
			}
			status, got := exporter.get("/probe?module=shop&target="+address, "X-Prometheus-Scrape-Timeout-Seconds", "1")
			if status != http.StatusOK {
				t.Fatalf("HTTP status %d, want 200: %s", status, got)
			}
			want(t, got,
				fmt.Sprintf("probe_success %d", test.success),
				fmt.Sprintf(`status_probe_http_status_code{document="status"} %d`, test.code),
			)
			if test.reason == "" {
				wantNot(t, got, "status_probe_failure_info{")
			} else {
				want(t, got, fmt.Sprintf(`status_probe_failure_info{document="status",reason=%q} 1`, test.reason))
			}
			if test.dropped == "" {
				wantNot(t, got, "status_probe_samples_dropped_by{")
			} else {
				want(t, got, fmt.Sprintf("status_probe_samples_dropped_by{%s} 1", test.dropped))
			}
			if test.good {
				want(t, got, "shop_good 1")
			} else {
				wantNot(t, got, "shop_")
			}
		})
	}
}

// closedPort returns the URL of a port on which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

func TestTargetComesBack(t *testing.T) {
	var broken atomic.Bool
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			panic(http.ErrAbortHandler)
		}
		io.WriteString(w, healthy)
	}))
	defer target.Close()
	exporter := start(t, "")
	for i := range 10 {
		broken.Store(i%2 == 1)
		_, got := exporter.get("/probe?target=" + target.URL)
		want(t, got, fmt.Sprintf("probe_success %d", 1-i%2))
	}
}

// TestFresh changes the value between scrapes: each must show the newest.
func TestFresh(t *testing.T) {
	var current atomic.Int64
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"current_requests":%d,"pending_requests":0,"total_uptime":1,"health":"healthy"}`, current.Load())
	}))
	defer target.Close()
	exporter := start(t, "default: {target: "+target.URL+"/status}")
	for i := range 100 {
		current.Store(int64(i))
		_, got := exporter.get("/metrics")
		want(t, got, fmt.Sprintf("app_requests_current %d", i))
	}
}

// TestTwoScrapersAtOnce: each of two scrapes at the same time asks the target
// itself, so that both are fresh.
func TestTwoScrapersAtOnce(t *testing.T) {
	var asked atomic.Int64
	both := make(chan struct{})
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := asked.Add(1)
		if n == 2 {
			close(both)
		}
		select {
		case <-both:
		case <-time.After(5 * time.Second):
		}
		fmt.Fprintf(w, `{"current_requests":%d}`, n)
	}))
	defer target.Close()
	exporter := start(t, "")
	var bodies [2]string
	var group sync.WaitGroup
	for i := range bodies {
		group.Go(func() { _, bodies[i] = exporter.get("/probe?target=" + target.URL) })
	}
	group.Wait()
	seen := bodies[0] + bodies[1]
	want(t, seen, "app_requests_current 1", "app_requests_current 2")
}

func TestBadRequests(t *testing.T) {
	exporter := start(t, `
modules:
  backup:
    file: {path: backup.json}
    metrics: [{name: backup_size_bytes, value: .size}]
`)
	tests := map[string]struct {
		query   string
		status  int
		message string
	}{
		"no target":            {"", 400, "module app needs a target, for example target=http://localhost:8000/status\n"},
		"unknown module":       {"target=localhost&module=apps", 400, "there is no module \"apps\"; did you mean \"app\"?\n"},
		"unknown auth":         {"target=localhost&auth=prod", 400, "there is no entry \"prod\" under auths; the configuration has none\n"},
		"target twice":         {"target=a&target=b", 400, "the parameter target is given 2 times, expected once\n"},
		"module twice":         {"target=a&module=app&module=app", 400, "the parameter module is given 2 times, expected once\n"},
		"unknown parameter":    {"target=localhost&modul=app", 400, "module app takes no parameter \"modul\" from a request\n"},
		"debug is no boolean":  {"target=localhost&debug=please", 400, "the parameter debug is \"please\", expected true or false\n"},
		"broken query":         {"target=%zz", 400, "the query of the request cannot be read: invalid URL escape \"%zz\"\n"},
		"target for a file":    {"target=localhost&module=backup", 400, ""},
		"a file as the target": {"target=file:///etc/passwd", 400, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			status, got := exporter.get("/probe?" + test.query)
			if status != test.status || test.message != "" && got != test.message {
				t.Errorf("answered %d %q, want %d %q", status, got, test.status, test.message)
			}
		})
	}
}

func TestDeadlineHeader(t *testing.T) {
	canceled := make(chan time.Duration, 1)
	target := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		start := time.Now()
		<-r.Context().Done()
		canceled <- time.Since(start)
	}))
	defer target.Close()
	exporter := start(t, "")
	tests := []struct {
		header      string
		least, most time.Duration
	}{
		{"1.2", 600 * time.Millisecond, 950 * time.Millisecond}, // less the offset of 0.5 s
		{"0.4", 150 * time.Millisecond, 450 * time.Millisecond}, // half, where the offset leaves nothing
	}
	for _, test := range tests {
		// A busy machine may be late once; a wrong deadline is wrong every time.
		var took time.Duration
		for range 5 {
			begun := time.Now()
			_, got := exporter.get("/probe?target="+target.URL, "X-Prometheus-Scrape-Timeout-Seconds", test.header)
			took = time.Since(begun)
			want(t, got, "probe_success 0", `status_probe_failure_info{document="status",reason="timeout"} 1`)
			select {
			case <-canceled:
			case <-time.After(5 * time.Second):
				t.Fatal("the target was still being asked")
			}
			if took >= test.least && took <= test.most {
				break
			}
		}
		if took < test.least || took > test.most {
			t.Errorf("header %s: answered after %v, want %v to %v", test.header, took, test.least, test.most)
		}
	}
	for _, bad := range []string{"soon", "-1", "0", "NaN", "1e300"} {
		if status, _ := exporter.get("/probe?target="+target.URL, "X-Prometheus-Scrape-Timeout-Seconds", bad); status != http.StatusBadRequest {
			t.Errorf("header %q: answered %d, want 400", bad, status)
		}
	}
}

// TestClientGoesAway: work for nobody stops.
func TestClientGoesAway(t *testing.T) {
	asked, stopped := make(chan struct{}), make(chan struct{})
	target := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
		close(stopped)
	}))
	defer target.Close()
	exporter := start(t, "")
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, exporter.URL+"/probe?target="+target.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-asked
		cancel()
	}()
	if resp, err := exporter.Client().Do(req); err == nil {
		resp.Body.Close()
		t.Fatal("the request was answered")
	}
	select {
	case <-stopped:
	case <-time.After(time.Second):
		t.Fatal("the target is still being asked a second after the client went away")
	}
}

// TestLog: what the log says of a probe is true, and above debug only where somebody has
// to do something.
func TestLog(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/good":
			io.WriteString(w, `{"good":1,"value":2}`)
		case "/less":
			io.WriteString(w, `{"good":1}`)
		default:
			http.NotFound(w, r)
		}
	}))
	defer target.Close()
	const optional = `level=DEBUG msg="optional document is not there" module=MODULE target=TARGET document=extra reason=status`
	for module, lines := range map[string][]string{
		"good":     {`level=DEBUG msg="probe done" module=MODULE target=TARGET success=true samples=2`},
		"less":     {`level=WARN msg="samples dropped" module=MODULE target=TARGET dropped=1`, `level=DEBUG msg="probe done" module=MODULE target=TARGET success=true samples=1`},
		"none":     {`level=WARN msg="probe failed" module=MODULE target=TARGET document=main reason=status`, `level=DEBUG msg="probe done" module=MODULE target=TARGET success=false`},
		"optional": {optional, `level=DEBUG msg="probe done" module=MODULE target=TARGET success=true samples=2`},
		"neither":  {`level=WARN msg="probe failed" module=MODULE target=TARGET document=main reason=status`, optional, `level=DEBUG msg="probe done" module=MODULE target=TARGET success=false`},
	} {
		t.Run(module, func(t *testing.T) {
			var log bytes.Buffer
			exporter := start(t, `
modules:
  shop: {documents: {main: {}}, metrics: [{name: shop_good, from: main, value: .good}, {name: shop_value, from: main, value: .value}]}
  good: {extends: shop, documents: {main: {path: /good}}}
  less: {extends: shop, documents: {main: {path: /less}}}
  none: {extends: shop, documents: {main: {path: /none}}}
  optional: {extends: shop, documents: {main: {path: /good}, extra: {path: /none, optional: true}}}
  neither: {extends: shop, documents: {main: {path: /none}, extra: {path: /none, optional: true}}}
`, func(o *web.Options) {
				o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			})
			exporter.get("/probe?module=" + module + "&target=" + target.URL)
			exporter.Close() // the log is whole
			got := strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
			if len(got) != len(lines) {
				t.Fatalf("got %d lines, want %d:\n%s", len(got), len(lines), &log)
			}
			for i, line := range lines {
				line = strings.NewReplacer("MODULE", module, "TARGET", target.URL).Replace(line)
				if !strings.Contains(got[i], line) {
					t.Errorf("got  %s\nwant %s", got[i], line)
				}
			}
		})
	}
}

func TestDebug(t *testing.T) {
	target := answer(t, `{"good":1,"other":"the document itself"}`)
	for _, enabled := range []bool{false, true} {
		exporter := start(t, rules, func(o *web.Options) { o.EnableDebug = enabled })
		status, got := exporter.get("/probe?module=shop&debug=true&target=" + target.URL)
		if status != http.StatusOK {
			t.Fatal(status, got)
		}
		for _, part := range []string{
			"with module shop succeeded", "GET " + target.URL, "HTTP/1.1 200 OK", "an object with 2 keys",
			"shop_good", ".good", "shop_value: 1 for missing", "probe_success 1", "transfer",
		} {
			if !strings.Contains(got, part) {
				t.Errorf("the report lacks %q:\n%s", part, got)
			}
		}
		if shown := strings.Contains(got, "the document itself"); shown != enabled {
			t.Errorf("with debug enabled: %v, the document is shown: %v", enabled, shown)
		}
	}
}
