package web_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"status_exporter/collector"
	"status_exporter/web"
)

// pipes is a listener whose connections have no buffers: a client holds an answer
// by not reading, however small it is.
type pipes struct {
	accepted chan net.Conn
	closed   chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.accepted:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error   { close(p.closed); return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// small is a budget for one document of slowClient, and not for another beside a held
// answer.
func small() *collector.Budget { return collector.NewBudget(2, 6400<<10) }

// inEachForm are queries for an answer in the forms that there are.
var inEachForm = map[string]string{"an exposition": "", "a report": "&debug=true"}

// slowClient asks an exporter with a budget for an answer of a megabyte, and takes only
// its beginning.
func slowClient(t *testing.T, budget *collector.Budget, taking time.Duration, form string) (exporter *exporter, again string, client net.Conn) {
	t.Helper()
	document := "[0" + strings.Repeat(",1", 20_000) + "]"
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(document)))
		io.WriteString(w, document)
	}))
	t.Cleanup(target.Close)
	const modules = `
modules:
  items: {metrics: [{name: shop_item_value_of_a_long_name, each: "to_entries[]", labels: {item: .key}, value: .value}]}
`
	pool := collector.NewPool(load(t, modules), collector.Settings{Budget: budget})
	t.Cleanup(pool.Close)
	exporter = start(t, modules, func(o *web.Options) { o.Pool, o.TakingTime, o.MaxPerTarget = pool, taking, 1 })
	server := &http.Server{Handler: exporter.Config.Handler}
	listener := pipes{make(chan net.Conn), make(chan struct{})}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })

	again = "/probe?module=items&target=" + target.URL
	for _, timeout := range []float64{1.5, 6, 24} { // a busy machine needs longer
		client, conn := net.Pipe()
		t.Cleanup(func() { client.Close() })
		listener.accepted <- conn
		fmt.Fprintf(client, "GET %s HTTP/1.1\r\nHost: x\r\nX-Prometheus-Scrape-Timeout-Seconds: %v\r\n\r\n", again+form, timeout)
		_ = client.SetReadDeadline(time.Now().Add(time.Duration(timeout * float64(time.Second))))
		// What precedes the items comes with the first piece that is sent.
		for lines := bufio.NewScanner(client); lines.Scan(); {
			if lines.Text() == "probe_success 1" {
				return exporter, again, client
			}
			if lines.Text() == "probe_success 0" {
				break
			}
		}
		client.Close()
	}
	t.Fatal("no probe succeeds in time")
	return nil, "", nil
}

// isFree waits until the answer is no longer held.
func isFree(t *testing.T, exporter *exporter, again string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		_, got := exporter.get(again)
		if strings.Contains(got, "\nprobe_success 1\n") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the answer is still held:\n%.500s", got)
		}
	}
}

func TestHeldAnswersCount(t *testing.T) {
	for name, form := range inEachForm {
		t.Run(name, func(t *testing.T) {
			exporter, again, client := slowClient(t, small(), time.Minute, form)
			if _, got := exporter.get(again, "Accept-Encoding", "identity"); !strings.Contains(got, `reason="overloaded"`) {
				t.Errorf("what is held of an answer is not counted:\n%.500s", got)
			}
			client.Close()
			isFree(t, exporter, again)
		})
	}
}

// TestHeldAnswersTakeNoPlace: a probe is over when its answer is printed.
func TestHeldAnswersTakeNoPlace(t *testing.T) {
	for name, form := range inEachForm {
		t.Run(name, func(t *testing.T) {
			exporter, again, _ := slowClient(t, collector.NewBudget(1, collector.DefaultMemory), time.Minute, form)
			if _, got := exporter.get(again); !strings.Contains(got, "\nprobe_success 1\n") {
				t.Errorf("a client that does not read keeps the place of a probe:\n%.500s", got)
			}
		})
	}
}

// TestClientsThatTakeTooLong: an answer that its client does not take is given up,
// and what it holds is free again.
func TestClientsThatTakeTooLong(t *testing.T) {
	for name, form := range inEachForm {
		t.Run(name, func(t *testing.T) {
			exporter, again, _ := slowClient(t, small(), time.Millisecond, form)
			isFree(t, exporter, again)
		})
	}
}

// TestAnswersThatAreTooLarge: a few bytes of a document may become any amount of text.
func TestAnswersThatAreTooLarge(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hosts := "0"
		if r.URL.Path == "/large" {
			hosts += strings.Repeat(",1", 20_000)
		}
		fmt.Fprintf(w, `[{"name": "%s", "hosts": [%s]}]`, strings.Repeat("x", 4000), hosts)
	}))
	defer target.Close()
	modules := `
default: {target: ` + target.URL + `/large, module: regions}
modules:
  regions:
    metrics:
      - each: .[]
        labels: {region: .name}
        metrics: [{name: shop_host_load, each: '.hosts | to_entries[]', labels: {host: .key}, value: .value}]
`
	pool := collector.NewPool(load(t, modules), collector.Settings{Budget: collector.NewBudget(2, 32<<20)})
	defer pool.Close()
	exporter := start(t, modules, func(o *web.Options) { o.Pool = pool })
	probe := "/probe?module=regions&target=" + target.URL
	for range 3 {
		for _, path := range []string{probe + "/large", "/metrics"} {
			status, got, header := exporter.do(http.MethodGet, path, "Accept-Encoding", "identity")
			if status != http.StatusOK || header.Get("Content-Encoding") != "" {
				t.Errorf("%s: answered %d with %v", path, status, header)
			}
			want(t, got, "probe_success 0", `status_probe_failure_info{document="status",reason="overloaded"} 1`)
			if strings.Contains(got, "shop_host_load") {
				t.Errorf("%s: a part of the metrics is there", path)
			}
		}
		want(t, third(exporter.do(http.MethodGet, probe+"/small", "Accept-Encoding", "identity")), "probe_success 1")
	}
	want(t, third(exporter.do(http.MethodGet, "/metrics", "Accept-Encoding", "identity")),
		`status_exporter_probes_total{module="regions"} 10`, `status_exporter_probe_failures_total{module="regions",reason="overloaded"} 7`)
	if status, got, _ := exporter.do(http.MethodGet, probe+"/large&debug=true", "Accept-Encoding", "identity"); status != http.StatusServiceUnavailable || !strings.Contains(got, "--probe.memory-budget") {
		t.Errorf("the report is %d %.500s", status, got)
	}
}

// third returns the body of an answer.
func third(_ int, body string, _ http.Header) string { return body }

// TestBodiesAreLeft: clients that announce a body and do not send it hold no place.
func TestBodiesAreLeft(t *testing.T) {
	exporter := start(t, "", func(o *web.Options) { o.MaxRequests = 1 })
	for _, length := range []string{"Content-Length: 10", "Transfer-Encoding: chunked", "Content-Length: 10000000"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(exporter.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET /metrics HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", length)
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		answer, err := io.ReadAll(conn) // its end is that of the connection
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200 OK") {
			t.Errorf("%s: got %v and %.100q", length, err, answer)
		}
		if status, got := exporter.get("/metrics"); status != http.StatusOK {
			t.Errorf("%s: then answered %d %.200s", length, status, got)
		}
	}
}
