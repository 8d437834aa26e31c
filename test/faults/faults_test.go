//go:build linux

package faults_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"status_exporter/test/faults/program"
)

func TestMain(m *testing.M) { program.Main(m) }

const (
	overrun = 250 * time.Millisecond // that is allowed past the deadline
	at      = 4                      // probes of a faulty target at the same time

	// longestLine is how long the lines of the log are at most, in bytes.
	longestLine = 2000

	// healthyLimit is what 99 of 100 probes of a healthy target must stay under
	// while others fail. It is generous, as the machine that tests are run on may
	// be busy; what a faulty target would cost if it held up others is its deadline.
	healthyLimit = 250 * time.Millisecond
)

var (
	// deadline is that of a probe. With the race detector, reading 16 MiB takes
	// longer than a second.
	deadline = map[bool]time.Duration{false: time.Second, true: 4 * time.Second}[program.Race]
	// scrapeTimeout is what a scrape says for it: the offset is half a second.
	scrapeTimeout = fmt.Sprint((deadline + 500*time.Millisecond).Seconds())
)

const configuration = `
modules:
  shop:
    http: {client: {tls_config: {ca_file: ca.pem}}}
    metrics: [{name: shop_value, value: .value}]
`

// A fault is what a target does and what a scrape makes of it.
type fault struct {
	target func(*testing.T) string // starts it and returns its URL
	reason string                  // "": the probe succeeds
	cause  string                  // stands in the log
	late   bool                    // the deadline is reached
	memory int64                   // MiB that the probes may take together; 0: 32
	alone  bool                    // only one probe at a time: it takes long to decode, or answers only one
}

func start(t *testing.T, config string, args ...string) *program.Exporter {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "ca.pem"), theAuthority().pem)
	name := write(t, filepath.Join(dir, "config.yml"), config)
	return program.Start(t, nil, append([]string{"--config.file=" + name, "--log.level=debug"}, args...)...)
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestFaults(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	bomb := zipped(1 << 30)
	faults := map[string]fault{
		"refuses":                    {target: closedPort, reason: "connect", cause: "connection refused"},
		"accepts and says nothing":   {target: says(""), reason: "timeout", cause: "waiting for the answer", late: true},
		"drips the header":           {target: drips("HTTP/1.1 ", "200 OK\r\n"), reason: "timeout", cause: "the deadline passed", late: true},
		"drips the body":             {target: drips(ok+"Content-Length: 13\r\n\r\n", healthy), reason: "timeout", cause: "reading the answer", late: true},
		"drips chunks":               {target: drips(ok+"Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n1\r\n \r\n"), reason: "timeout", cause: "reading the answer", late: true},
		"sends comments for ever":    {target: says(ok + "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n:\n\n\r\n"), reason: "timeout", cause: "reading the answer", late: true},
		"closes without an answer":   {target: saysAndCloses(""), reason: "read", cause: "closed the connection without an answer"},
		"resets the connection":      {target: resets, reason: "read", cause: "closed the connection without an answer"},
		"closes in the header":       {target: saysAndCloses(ok + "Content-Length: 1"), reason: "read", cause: "ended early"},
		"closes in a chunk":          {target: saysAndCloses(ok + "Transfer-Encoding: chunked\r\n\r\nd\r\n{\"val"), reason: "read", cause: "ended early"},
		"closes between chunks":      {target: saysAndCloses(ok + "Transfer-Encoding: chunked\r\n\r\nd\r\n" + healthy + "\r\n"), reason: "read", cause: "ended early"},
		"says a length too large":    {target: saysAndCloses(ok + "Content-Length: 100\r\n\r\n" + healthy), reason: "read", cause: "ended early"},
		"says a length too small":    {target: saysAndCloses(ok + "Content-Length: 10\r\n\r\n" + healthy), reason: "decode", cause: "decoding the answer"},
		"says two lengths":           {target: saysAndCloses(ok + "Content-Length: 13\r\nContent-Length: 14\r\n\r\n" + healthy), reason: "protocol", cause: "not HTTP"},
		"says a negative length":     {target: saysAndCloses(ok + "Content-Length: -1\r\n\r\n" + healthy), reason: "protocol", cause: "not HTTP"},
		"says a huge length":         {target: says(ok + "Content-Length: 9000000000000000000\r\n\r\n"), reason: "too_large", cause: "body_size_limit"},
		"sends a wrong chunk length": {target: saysAndCloses(ok + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n" + healthy), reason: "protocol", cause: "not HTTP"},
		"is not HTTP":                {target: saysAndCloses("220 mail.example ESMTP\r\n"), reason: "protocol", cause: "not HTTP"},
		"says it is gzip":            {target: encoded([]byte(healthy)), reason: "encoding", cause: "said to be gzip"},
		"truncates its gzip":         {target: encoded(bomb[:len(bomb)/1000]), reason: "encoding", cause: "broken gzip"},
		"breaks its gzip":            {target: encoded(flipped(zipped(1 << 20))), reason: "encoding", cause: "broken gzip"},
		"is a gzip bomb":             {target: encoded(bomb), reason: "too_large", cause: "body_size_limit", memory: 200},
		"uses an unknown encoding":   {target: says(ok + "Content-Encoding: br\r\nContent-Length: 13\r\n\r\n" + healthy), reason: "encoding", cause: "expected gzip or no encoding"},
		"sends endless chunks":       {target: pours(ok+"Transfer-Encoding: chunked\r\n\r\n", "1000\r\n"+strings.Repeat(" ", 4096)+"\r\n"), reason: "too_large", cause: "body_size_limit", memory: 200},
		"sends endless tiny chunks":  {target: pours(ok+"Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n"), reason: "timeout", cause: "reading the answer", late: true, memory: 128},
		"sends an endless body":      {target: pours(ok+"\r\n", " "), reason: "too_large", cause: "body_size_limit", memory: 200},
		"sends a huge header":        {target: pours(ok+"X-Junk: ", "x"), reason: "too_large", cause: "header"},
		"sends endless headers":      {target: pours(ok, "X-Junk: x\r\n"), reason: "too_large", cause: "header"},
		"sends endless trailers":     {target: pours(ok+"Trailer: X\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "X-Junk: x\r\n"), reason: "too_large", cause: "trailer"},
		"says Continue for ever":     {target: pours("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"), reason: "too_large", cause: "header"},
		"redirects in a circle":      {target: redirects(302, "/"), reason: "redirect", cause: "in a circle"},
		"redirects for ever":         {target: furtherAndFurther, reason: "redirect", cause: "more than 10 redirects"},
		"redirects to nowhere":       {target: redirects(302, ""), reason: "redirect", cause: "without saying where to"},
		"redirects to a file":        {target: redirects(302, "file:///etc/passwd"), reason: "redirect", cause: "neither http nor https"},
		"redirects to metadata":      {target: redirects(302, "http://169.254.169.254/latest/meta-data/"), reason: "refused", cause: "cloud metadata"},
		"redirects to denied":        {target: redirects(307, "http://127.0.0.66:80/"), reason: "refused", cause: "--probe.deny-targets names 127.0.0.66"},
		"redirects to a denied name": {target: redirects(302, "http://denied.example/"), reason: "refused", cause: "--probe.deny-targets names denied.example"},
		"answers 500":                {target: handles(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }), reason: "status", cause: "500 Internal Server Error"},
		"has an expired certificate": {target: secure(expired, false, nil), reason: "tls", cause: "expired"},
		"signed its certificate":     {target: secure(selfSigned, false, nil), reason: "tls", cause: "unknown authority"},
		"has another's certificate":  {target: secure(otherName, false, nil), reason: "tls", cause: "127.0.0.1"},
		"speaks plain HTTP for TLS":  {target: plainForTLS, reason: "tls", cause: "plain HTTP"},
		"speaks TLS for plain HTTP":  {target: tlsForPlain, reason: "protocol", cause: "speaks TLS"},
		"never shakes hands":         {target: neverShakes, reason: "timeout", cause: "in the TLS handshake", late: true},
		"closes in the handshake":    {target: closesInHandshake, reason: "tls", cause: "closed the connection during the TLS handshake"},
		"resets HTTP/2":              {target: secure(good, true, abort), reason: "read", cause: "broke the HTTP/2 exchange off"},
		"resets HTTP/2 midway":       {target: secure(good, true, abortMidway), reason: "read", cause: "broke the HTTP/2 exchange off"},
		"says nothing in HTTP/2":     {target: secure(good, true, wait), reason: "timeout", cause: "waiting for the answer", late: true},
		"floods HTTP/2":              {target: http2Frames(floods), reason: "timeout", cause: "waiting for the answer", late: true},
		"floods HTTP/2 afterwards":   {target: http2Frames(floodsAfterwards), alone: true},
		"sends all HTTP/2 away":      {target: http2Frames(goesAway), reason: "read", cause: "on none of 5 new connections", alone: true},
		"sends endless frames":       {target: http2Frames(endlessHeader), reason: "too_large", cause: "the header of the answer"},
		"breaks the rules of HTTP/2": {target: http2Frames(noStatus), reason: "protocol", cause: "breaks the rules of HTTP/2", alone: true},
		"garbles its body over TLS":  {target: garbles, reason: "read", cause: "the TLS connection broke"},
		"redirects far away":         {target: redirects(302, "/"+strings.Repeat("a", 200_000)), reason: "redirect", cause: "in a circle"},
		"has no address":             {target: func(*testing.T) string { return "http://shop.invalid/" }, reason: "dns", cause: `look up \"shop.invalid\"`},
		"sends nothing":              {target: document(""), reason: "decode", cause: "decoding the answer"},
		"sends a web page":           {target: document("<!doctype html><title>no</title>"), reason: "decode", cause: "HTML"},
		"sends a deep document":      {target: document(strings.Repeat("[", 100_000)), reason: "limit", cause: "nested deeper than 1000"},
		"sends 2 million values":     {target: document("[" + strings.Repeat("{},", 2_000_000) + "{}]"), reason: "limit", cause: "more than 1000000 values", memory: 200, alone: true},
		"sends 16 MiB of text":       {target: document(`{"value": "` + strings.Repeat("x", 15<<20) + `"}`), reason: "no_samples", cause: "not_a_number", memory: 300, alone: true},
		"sends another document":     {target: document(`{"worth": 42}`), reason: "no_samples", cause: "found nothing"},
		"sends a text for a number":  {target: document(`{"value": "much"}`), reason: "no_samples", cause: "not_a_number"},
		"is healthy":                 {target: document(healthy)},
		"is healthy over TLS":        {target: secure(good, true, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, healthy) })},
	}
	exporter := start(t, configuration, "--probe.deny-targets=127.0.0.66", "--probe.deny-targets=denied.example")
	others := newOthers(t, exporter)
	rest := use(t, exporter)
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		t.Run(name, func(t *testing.T) {
			t.Run("probe", func(t *testing.T) { faults[name].run(t, exporter, others) })
			left(t, exporter, rest) // the target is gone
		})
	}
	others.report(t)
}

// run probes a faulty target several times at once, beside a healthy one.
func (f fault) run(t *testing.T, exporter *program.Exporter, others *others) {
	target := f.target(t)
	exporter.ResetPeak(t)
	before, _ := exporter.Resident(t)
	said := len(exporter.Log())
	answers := make([]program.Answer, at)
	if f.alone {
		answers = answers[:1]
	}
	others.beside(func() {
		var group sync.WaitGroup
		for i := range answers {
			group.Go(func() {
				var err error
				answers[i], err = exporter.Get("/probe?module=shop&target="+url.QueryEscape(target), "X-Prometheus-Scrape-Timeout-Seconds", scrapeTimeout)
				if err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	})
	_, peak := exporter.Resident(t)
	slowest := time.Duration(0)
	for _, a := range answers {
		f.check(t, a)
		slowest = max(slowest, a.Took)
	}
	for line := range strings.Lines(exporter.Log()[said:]) {
		if len(line) > longestLine {
			t.Errorf("a line of the log has %d bytes: %.1000s", len(line), line)
		}
	}
	program.Eventually(t, 5*time.Second, func() error {
		if log := exporter.Log()[said:]; !strings.Contains(log, f.cause) {
			return fmt.Errorf("the log does not name the cause, %q:\n%s", f.cause, log)
		}
		return nil
	})
	grown := max(0, peak-before) >> 20
	if most := max(f.memory, 32); !program.Race && grown > most {
		t.Errorf("%d probes took %d MiB, expected at most %d", len(answers), grown, most)
	}
	t.Logf("%-10s after %4d ms, with %3d MiB", f.reason, slowest.Milliseconds(), grown)
}

func (f fault) check(t *testing.T, a program.Answer) {
	t.Helper()
	if a.Status != http.StatusOK {
		t.Fatalf("answered %d, expected 200:\n%s", a.Status, a.Body)
	}
	success := 0.0
	if f.reason == "" {
		success = 1
	} else if got := a.Number(fmt.Sprintf(`status_probe_failure_info{document="status",reason=%q}`, f.reason)); got != 1 {
		t.Errorf("expected the reason %s, got:\n%s", f.reason, about(a.Body))
	}
	if got := a.Number("probe_success"); got != success {
		t.Errorf("probe_success is %v, expected %v", got, success)
	}
	if got := strings.Count(a.Body, "\nstatus_probe_failure_info{"); got != 1-int(success) {
		t.Errorf("there are %d reasons", got)
	}
	if a.Took > deadline+overrun {
		t.Errorf("took %v, the deadline is %v", a.Took, deadline)
	}
	if f.late && a.Took < deadline {
		t.Errorf("took %v, before the deadline of %v", a.Took, deadline)
	}
}

// about leaves of an exposition what is to tell about the probe.
func about(body string) string {
	var lines []string
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "status_probe_failure_info") || strings.HasPrefix(line, "probe_") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// others are the probes of a healthy target that go on beside a faulty one.
type others struct {
	exporter *program.Exporter
	target   string

	mu   sync.Mutex
	took []time.Duration
	bad  []string
}

func newOthers(t *testing.T, exporter *program.Exporter) *others {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, healthy) }))
	t.Cleanup(s.Close)
	o := &others{exporter: exporter, target: url.QueryEscape(s.URL)}
	o.probe()
	return o
}

// beside probes the healthy target for as long as f runs.
func (o *others) beside(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	ticks := time.NewTicker(10 * time.Millisecond)
	defer ticks.Stop()
	for {
		select {
		case <-done:
			return
		case <-ticks.C:
			o.probe()
		}
	}
}

func (o *others) probe() {
	a, err := o.exporter.Get("/probe?module=shop&target=" + o.target)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.took = append(o.took, a.Took)
	if err != nil || a.Number("shop_value") != 42 {
		o.bad = append(o.bad, fmt.Sprint(err, " ", a.Status, " ", about(a.Body)))
	}
}

func (o *others) report(t *testing.T) {
	slices.Sort(o.took)
	p99 := o.took[len(o.took)*99/100]
	t.Logf("%d probes of a healthy target meanwhile: median %v, 99th percentile %v, longest %v",
		len(o.took), o.took[len(o.took)/2], p99, o.took[len(o.took)-1])
	if len(o.bad) > 0 {
		t.Errorf("%d probes of a healthy target failed; the first: %s", len(o.bad), o.bad[0])
	}
	if p99 > healthyLimit && !program.Race {
		t.Errorf("the 99th percentile of probes of a healthy target is %v, expected at most %v", p99, healthyLimit)
	}
}

// use returns what the exporter holds when it rests.
func use(t *testing.T, exporter *program.Exporter) program.Use {
	t.Helper()
	var last program.Use
	program.Eventually(t, 10*time.Second, func() error {
		now, err := exporter.Use()
		if err == nil && now != last {
			err = fmt.Errorf("it does not come to rest, with %+v", now)
		}
		last = now
		return err
	})
	return last
}

// left waits until the exporter holds no more than at rest.
func left(t *testing.T, exporter *program.Exporter, rest program.Use) {
	t.Helper()
	program.Eventually(t, 5*time.Second, func() error {
		now, err := exporter.Use()
		if err == nil && (now.Goroutines > rest.Goroutines || now.Files > rest.Files) {
			err = fmt.Errorf("the exporter holds %+v, at rest it held %+v", now, rest)
		}
		return err
	})
}

func closedPort(t *testing.T) string {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

func resets(t *testing.T) string {
	return raw(t, func(c net.Conn) {
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	})
}

func furtherAndFurther(t *testing.T) string {
	return handles(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
	})(t)
}

func plainForTLS(t *testing.T) string {
	return strings.Replace(document(healthy)(t), "http:", "https:", 1)
}

func tlsForPlain(t *testing.T) string {
	return strings.Replace(secure(good, false, nil)(t), "https:", "http:", 1)
}

func neverShakes(t *testing.T) string {
	return strings.Replace(listen(t, func(net.Conn) {}), "http:", "https:", 1)
}

func closesInHandshake(t *testing.T) string {
	return strings.Replace(listen(t, func(c net.Conn) {
		c.Read(make([]byte, 100))
		c.Close()
	}), "http:", "https:", 1)
}

func abort(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func abortMidway(w http.ResponseWriter, _ *http.Request) {
	io.WriteString(w, `{"val`)
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func wait(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// flipped returns b with a bit in its middle turned.
func flipped(b []byte) []byte {
	b[len(b)/2] ^= 4
	return b
}
