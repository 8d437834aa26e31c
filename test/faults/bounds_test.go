//go:build linux

package faults_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"status_exporter/test/faults/program"
)

const retryAfter = "Retry-After"

// TestTooManyScrapes fills the places that there are with probes that hang.
func TestTooManyScrapes(t *testing.T) {
	tests := map[string]struct {
		flag   string
		others int // status of a probe of another target meanwhile
	}{
		"in all":        {"--web.max-requests=3", http.StatusServiceUnavailable},
		"of one target": {"--probe.max-per-target=3", http.StatusOK},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			asked := make(chan struct{}, 10)
			hanging := handles(func(_ http.ResponseWriter, r *http.Request) {
				asked <- struct{}{}
				<-r.Context().Done()
			})(t)
			well := document(healthy)(t)
			exporter := start(t, configuration, test.flag)
			var group sync.WaitGroup
			for range 3 {
				group.Go(func() { get(t, exporter, hanging, http.StatusOK) })
				<-asked
			}
			a := get(t, exporter, hanging, http.StatusServiceUnavailable)
			if a.Header.Get(retryAfter) == "" || !strings.Contains(a.Body, strings.SplitN(test.flag, "=", 2)[0]) {
				t.Errorf("answered %v %q, expected Retry-After and %s", a.Header, a.Body, test.flag)
			}
			get(t, exporter, well, test.others)
			group.Wait()
			get(t, exporter, well, http.StatusOK)
			a, err := exporter.Get("/metrics")
			if err != nil || a.Number("status_exporter_requests_rejected_total") < 1 {
				t.Errorf("rejected scrapes are not counted: %v", err)
			}
		})
	}
}

// get probes a target within a deadline of a second.
func get(t *testing.T, exporter *program.Exporter, target string, status int) program.Answer {
	t.Helper()
	a, err := exporter.Get("/probe?module=shop&target="+url.QueryEscape(target), "X-Prometheus-Scrape-Timeout-Seconds", scrapeTimeout)
	if err != nil || a.Status != status {
		t.Errorf("answered %v %d, expected %d:\n%s", err, a.Status, status, a.Body)
	}
	return a
}

func TestLongRequests(t *testing.T) {
	exporter := start(t, configuration)
	get(t, exporter, "http://127.0.0.1/"+strings.Repeat("x", 5000), http.StatusBadRequest)
	get(t, exporter, "http://127.0.0.1/"+strings.Repeat("x", 100<<10), http.StatusRequestHeaderFieldsTooLarge)
}

func TestLimits(t *testing.T) {
	exporter := start(t, `
modules:
  few: {limits: {samples: 2}, metrics: [{name: shop_value, each: ".items[]", labels: {n: .}, value: .}]}
  short: {limits: {label_value_bytes: 8}, metrics: [{name: shop_value, each: ".texts[]", labels: {text: .}, value: 1}]}
  shallow: {limits: {depth: 2}, metrics: [{name: shop_value, value: .value}]}
  small: {http: {body_size_limit: 10}, metrics: [{name: shop_value, value: .value}]}
  pages: {http: {pages: {param: page, limit: 3}}, metrics: [{name: shop_value, value: length}]}
`)
	target := document(`{"items": [1, 2, 3, 4], "texts": ["fits", "does not fit"], "deep": [[[1]]], "value": 1}`)(t)
	list := document(`[1]`)(t)
	tests := []struct{ module, target, series string }{
		{"few", target, `status_probe_samples_dropped_by{metric="shop_value",reason="limit"} 2`},
		{"short", target, `status_probe_samples_dropped_by{metric="shop_value",reason="limit"} 1`},
		{"shallow", target, `status_probe_failure_info{document="status",reason="limit"} 1`},
		{"small", target, `status_probe_failure_info{document="status",reason="too_large"} 1`},
		{"pages", list, `status_probe_failure_info{document="status",reason="limit"} 1`},
	}
	for _, test := range tests {
		a, err := exporter.Get("/probe?module=" + test.module + "&target=" + url.QueryEscape(test.target))
		if err != nil || a.Status != http.StatusOK || !strings.Contains(a.Body, "\n"+test.series+"\n") {
			t.Errorf("module %s: answered %v %d without %s:\n%s", test.module, err, a.Status, test.series, a.Body)
		}
	}
}

// large returns a document of about size bytes, in small numbers.
func large(size int) string {
	var b strings.Builder
	b.WriteString(`{"value": 42, "items": [`)
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, `{"id": %d, "name": "item %d", "size": %d},`, i, i, i%1000)
	}
	b.WriteString(`{}]}`)
	return b.String()
}

func TestMemoryBudget(t *testing.T) {
	exporter := start(t, configuration, "--probe.memory-budget=16MiB")
	a := get(t, exporter, document(large(1<<20))(t), http.StatusOK)
	if a.Number("probe_success") != 0 || a.Number(`status_probe_failure_info{document="status",reason="overloaded"}`) != 1 {
		t.Errorf("expected the reason overloaded, got:\n%s", about(a.Body))
	}
	if a := get(t, exporter, document(healthy)(t), http.StatusOK); a.Number("shop_value") != 42 {
		t.Errorf("a small document has no room either:\n%s", about(a.Body))
	}
}

// items is a module that makes a series of each item of a large document.
const items = `
  items: {metrics: [{name: shop_item_size_bytes, each: ".items[].id?", labels: {n: .}, value: .}]}
`

// TestManyLargeDocuments: 200 scrapes of a document of 1 MB at the same time, of
// which each becomes 20,000 series, stay under 1 GB, as only some of them are
// worked on.
func TestManyLargeDocuments(t *testing.T) {
	const at, most = 200, 1 << 30
	exporter := start(t, configuration+items, "--probe.max-per-target=0")
	text := large(1 << 20)
	target, series := document(text)(t), strings.Count(text, `"id"`)
	answers := make([]program.Answer, at)
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() {
			answers[i], _ = exporter.Get("/probe?module=items&target="+url.QueryEscape(target), "X-Prometheus-Scrape-Timeout-Seconds", "300")
		})
	}
	group.Wait()
	for _, a := range answers {
		if a.Status != http.StatusOK || strings.Count(a.Body, "\nshop_item_size_bytes{") != series {
			t.Fatalf("answered %d:\n%s", a.Status, about(a.Body))
		}
	}
	_, peak := exporter.Resident(t)
	t.Logf("%d MiB at most", peak>>20)
	if peak > most && !program.Race {
		t.Errorf("took %d MiB, expected less than %d", peak>>20, most>>20)
	}
}

// TestHostileDocumentsInLittleMemory sends everything that is large at once to an
// exporter with a limit as in a container of 256 MiB. The pages of the binary,
// which a container does without when it must, count as well here.
func TestHostileDocumentsInLittleMemory(t *testing.T) {
	const most = (256 + 40) << 20
	dir := t.TempDir()
	file := write(t, dir+"/config.yml", "modules:\n  shop: {metrics: [{name: shop_value, value: .value}]}\n")
	exporter := program.Start(t, []string{"GOMEMLIMIT=230MiB"}, "--config.file="+file)
	const ok = "HTTP/1.1 200 OK\r\n"
	targets := []string{
		encoded(zipped(1 << 30))(t),
		pours(ok+"Transfer-Encoding: chunked\r\n\r\n", "1000\r\n"+strings.Repeat(" ", 4096)+"\r\n")(t),
		pours(ok+"\r\n", " ")(t),
		document("[" + strings.Repeat("{},", 2_000_000) + "{}]")(t),
		document("[" + strings.Repeat("[],", 5_000_000) + "[]]")(t),
		document(strings.Repeat("[", 16<<20))(t),
		document(`{"value": "` + strings.Repeat("x", 15<<20) + `"}`)(t),
		document("{" + strings.Repeat(`"a":0,`, 2_500_000) + `"a":0}`)(t),
		document(large(15 << 20))(t),
	}
	var group sync.WaitGroup
	for _, target := range targets {
		for range at {
			group.Go(func() {
				a, err := exporter.Get("/probe?module=shop&target="+url.QueryEscape(target), "X-Prometheus-Scrape-Timeout-Seconds", "10")
				if err != nil || a.Status != http.StatusOK {
					t.Errorf("answered %v %d", err, a.Status)
				}
			})
		}
	}
	group.Wait()
	_, peak := exporter.Resident(t)
	t.Logf("%d MiB at most", peak>>20)
	if peak > most && !program.Race {
		t.Errorf("took %d MiB, expected at most %d", peak>>20, most>>20)
	}
	if a := get(t, exporter, document(healthy)(t), http.StatusOK); a.Number("shop_value") != 42 {
		t.Errorf("afterwards a healthy target fails:\n%s", about(a.Body))
	}
}

// TestClientsThatTakeNothing: who does not read an answer holds up nobody.
func TestClientsThatTakeNothing(t *testing.T) {
	exporter := start(t, configuration+items)
	target := document(large(2 << 20))(t)
	for range 8 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(exporter.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET /probe?module=items&target=%s HTTP/1.1\r\nHost: x\r\n\r\n", url.QueryEscape(target))
		// The first bytes say that the answer is being written.
		if _, err := io.ReadFull(conn, make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
	}
	a := get(t, exporter, document(healthy)(t), http.StatusOK)
	if a.Number("shop_value") != 42 || a.Took > time.Second {
		t.Errorf("a healthy target took %v:\n%s", a.Took, about(a.Body))
	}
}

// TestClientsThatSayNothing: a request whose header does not end is given up.
func TestClientsThatSayNothing(t *testing.T) {
	t.Parallel()
	exporter := start(t, configuration)
	conn, err := net.Dial("tcp", strings.TrimPrefix(exporter.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /metrics HTTP/1.1\r\nHost: ")
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Errorf("the connection is still open after 10 s: %v", err)
	}
}
