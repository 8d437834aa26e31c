//go:build container

package container_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// hostileModules read everything that is sent in TestHostileDocuments.
const hostileModules = `
modules:
  healthy: {metrics: [{name: shop_value, value: .value}]}
  json: &json
    metrics:
      - {name: shop_value, value: .value, optional: true}
      - {name: shop_item_value, each: '.[]? | many | numbers, objects', labels: {id: '.id? // .', name: '.name?', text: '.text?'}, value: '.size? // .', optional: true}
  yaml: {<<: *json, format: yaml}
  xml: {<<: *json, format: xml}
  csv: {<<: *json, format: csv}
  keyvalue: {<<: *json, format: keyvalue}
  regexp: {<<: *json, format: {regexp: {pattern: '(?P<id>\w+)', repeat: true}}}
  large: {<<: *json, http: {body_size_limit: 64MiB}, limits: {values: 100000000}}
  sort: {metrics: [{name: shop_items, value: '[.. | tojson] | sort | group_by(length) | map(join("")) | add | length'}]}
  double: {metrics: [{name: shop_items, value: 'reduce range(60) as $i ("x"; . + .) | length'}]}
  collect: {metrics: [{name: shop_items, value: '[repeat({a: 1})] | length'}]}
  recurse: {metrics: [{name: shop_items, value: 'def f: 1 + f; f'}]}
  slices: {metrics: [{name: shop_items, value: 'reduce range(60) as $i ([1]; .[length:] = .) | length'}]}
  forks: {metrics: [{name: shop_items, value: 'def f: f, 1; [f]'}]}
  shared: {metrics: [{name: shop_items, value: 'reduce range(60) as $i (1; [., .]) | tojson | length'}]}
`

// A hostile answer is asked for with a module, several times at once.
type hostile struct {
	name, module string
	answer       http.HandlerFunc
	at           int  // 0: 4
	fits         bool // at least one probe must succeed
}

func hostileAnswers() []hostile {
	const mega = 1 << 20
	say := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			io.WriteString(w, body)
		}
	}
	objects := func(size int) string {
		var b strings.Builder
		b.WriteString(`{"value": 42, "items": [`)
		for i := 0; b.Len() < size; i++ {
			fmt.Fprintf(&b, `{"id": %d, "name": "item %d", "size": %d},`, i, i, i%1000)
		}
		b.WriteString(`{}]}`)
		return b.String()
	}
	numbers := func(n int) string {
		b := []byte{'['}
		for i := range n {
			b = append(strconv.AppendInt(b, int64(i), 10), ',')
		}
		return string(append(b, "0]"...))
	}
	laughs := "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
	for i := 1; i < 12; i++ {
		laughs += fmt.Sprintf("a%d: &a%d [%s*a%d]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d,", i-1), 8), i-1)
	}
	entities := "<!DOCTYPE a [<!ENTITY b0 \"ha\">"
	for i := 1; i < 20; i++ {
		entities += fmt.Sprintf("<!ENTITY b%d \"&b%d;&b%d;&b%d;\">", i, i-1, i-1, i-1)
	}
	entities += "]><a>&b19;</a>"
	endless := func(piece string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for again := strings.Repeat(piece, 4096); ; {
				if _, err := io.WriteString(w, again); err != nil {
					return
				}
			}
		}
	}
	bomb := zippedSpaces(1 << 30)
	return []hostile{
		{"nested arrays, 16 MiB", "json", say(strings.Repeat("[", 16*mega)), 0, false},
		{"nested objects, 15 MiB", "json", say(strings.Repeat(`{"a":`, 3*mega)), 0, false},
		{"empty objects, 64 MiB", "json", say("[" + strings.Repeat("{},", 64*mega/3) + "{}]"), 0, false},
		{"empty objects, 64 MiB that are allowed", "large", say("[" + strings.Repeat("{},", 64*mega/3-1) + "{}]"), 0, false},
		{"empty arrays, 15 MiB", "json", say("[" + strings.Repeat("[],", 5*mega) + "[]]"), 0, false},
		{"objects, 15 MiB", "json", say(objects(15 * mega)), 0, false},
		{"objects, 60 MiB that are allowed", "large", say(objects(60 * mega)), 0, false},
		{"objects, 3 MiB", "json", say(objects(3 * mega)), 0, true},
		{"equal keys, 15 MiB", "json", say("{" + strings.Repeat(`"a":0,`, 5*mega/2) + `"a":0}`), 0, false},
		{"other keys, 3 MiB", "json", say(`{"` + strings.NewReplacer("[", "", ",", `":0,"`, "]", "").Replace(numbers(230_000)) + `":0}`), 0, true},
		{"nested arrays, 3 MiB", "json", say(strings.Repeat("[", 3*mega)), 0, false},
		{"empty objects, 3 MiB", "json", say("[" + strings.Repeat("{},", mega-1) + "{}]"), 0, false},
		{"truth values, 2 MiB", "json", say("[" + strings.Repeat("0,", mega-5) + "0]"), 0, false},
		{"a text of 3 MiB", "json", say(`{"value": "` + strings.Repeat("x", 3*mega) + `"}`), 0, true},
		{"a text, 15 MiB", "json", say(`{"value": "` + strings.Repeat("x", 15*mega) + `"}`), 0, false},
		{"a text of escapes, 15 MiB", "json", say(`{"value": "` + strings.Repeat(`\u0001`, 5*mega/2) + `"}`), 0, false},
		{"labels of 4 KiB, 3 MiB", "json", say("[" + strings.Repeat(`{"text":"`+strings.Repeat("x", 4000)+`","size":1},`, 750) + "{}]"), 0, true},
		{"a number, 15 MiB", "json", say(strings.Repeat("9", 15*mega)), 0, false},
		{"numbers of 900 digits, 15 MiB", "json", say("[" + strings.Repeat(strings.Repeat("9", 900)+",", 16*1024) + "0]"), 0, false},
		{"a large exponent", "json", say(`{"value": 1e999999999, "x": [1e400, -1e-999999]}`), 0, false},
		{"500,000 samples", "json", say(numbers(500_000)), 0, false},
		{"1,000,000 samples", "json", say(numbers(999_998)), 0, false},
		{"a gzip bomb", "json", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(bomb)
		}, 0, false},
		{"endless chunks", "json", endless(" "), 0, false},
		{"endless lines", "keyvalue", endless("a: 1\n"), 0, false},
		{"an XML bomb", "xml", say(entities), 0, false},
		{"nested XML, 15 MiB", "xml", say(strings.Repeat("<a>", 5*mega)), 0, false},
		{"XML elements, 15 MiB", "xml", say("<a>" + strings.Repeat("<b/>", 15*mega/4) + "</a>"), 0, false},
		{"XML attributes, 8 MiB", "xml", say("<a " + strings.Repeat(`b="1" `, 8*mega/6) + "/>"), 0, false},
		{"a long name in XML, 15 MiB", "xml", say("<" + strings.Repeat("a", 15*mega) + "/>"), 0, false},
		{"a YAML bomb", "yaml", say(laughs), 0, false},
		{"nested YAML, 15 MiB", "yaml", say(strings.Repeat("[", 15*mega)), 0, false},
		{"nested YAML by lines", "yaml", say(strings.Repeat("- ", 2*mega) + "1"), 0, false},
		{"a YAML list, 3 MiB", "yaml", say(strings.Repeat("- 1\n", 3*mega/4)), 0, false},
		{"YAML anchors, 8 MiB", "yaml", say(strings.Repeat("- &a [1]\n- *a\n", 8*mega/14)), 0, false},
		{"a CSV field, 15 MiB", "csv", say("a,b\n\"" + strings.Repeat("x", 15*mega) + "\",1\n"), 0, false},
		{"an open CSV quote, 15 MiB", "csv", say("a,b\n\"" + strings.Repeat("x,\n", 5*mega)), 0, false},
		{"CSV columns, 15 MiB", "csv", say(strings.Repeat("a,", 15*mega/2) + "\n"), 0, false},
		{"CSV rows, 3 MiB", "csv", say("a,b\n" + strings.Repeat("1,2\n", 3*mega/4)), 0, false},
		{"CSV rows of 100 columns, 3 MiB", "csv", say(strings.Repeat(strings.Repeat("a,", 100)+"\n", 3*mega/200)), 0, false},
		{"lines, 15 MiB", "keyvalue", say(strings.Repeat("a: 1\n", 3*mega)), 0, false},
		{"lines of other keys, 3 MiB", "keyvalue", say(strings.ReplaceAll(numbers(400_000), ",", ": 1\n")), 0, false},
		{"one line, 15 MiB", "keyvalue", say(strings.Repeat("a", 15*mega)), 0, false},
		{"words, 15 MiB", "regexp", say(strings.Repeat("a ", 15*mega/2)), 0, false},
		{"XML elements, 3 MiB", "xml", say("<a>" + strings.Repeat("<b/>", 3*mega/4) + "</a>"), 0, false},
		{"XML attributes, 1 MiB", "xml", say("<a " + strings.Repeat(`b="1" `, mega/6) + "/>"), 0, false},
		{"YAML anchors, 3 MiB", "yaml", say(strings.Repeat("- &a [1]\n- *a\n", 3*mega/14)), 0, false},
		{"CSV columns, 2 MiB", "csv", say(strings.Repeat("a,", mega-1) + "\n"), 0, false},
		{"words, 2 MiB", "regexp", say(strings.Repeat("a ", mega)), 0, false},
		{"200 objects of 1 MB at once", "json", say(objects(1_000_000)), 200, true},
		{"200 lists of 1 MB at once", "json", say(numbers(150_000)), 200, true},
		{"200 CSV files of 1 MB at once", "csv", say("a,b\n" + strings.Repeat("1,2\n", 250_000)), 200, false},
		{"sorting, 1 MB", "sort", say(objects(1_000_000)), 0, false},
		{"an expression that doubles", "double", say("{}"), 0, false},
		{"an expression that collects", "collect", say("{}"), 0, false},
		{"an expression that recurses", "recurse", say("{}"), 0, false},
		{"16 expressions that recurse", "recurse", say("{}"), 16, false},
		{"an expression that forks", "forks", say("{}"), 0, false},
		{"an expression that assigns to slices", "slices", say("{}"), 0, false},
		{"an expression that shares", "shared", say("{}"), 0, false},
	}
}

// TestHostileDocuments sends all that is large to an exporter which the kernel ends
// when it takes more than 256 MiB. It must not be ended.
func TestHostileDocuments(t *testing.T) {
	exporter := startHostile(t)
	before := stateOf(t, exporter)
	healthy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"value": 42}`) }))
	defer healthy.Close()

	for _, h := range hostileAnswers() {
		t.Run(h.name, func(t *testing.T) { h.send(t, exporter, before, healthy.URL) })
		if t.Failed() && stateOf(t, exporter) != before {
			return
		}
	}
}

// send has the answer asked for, and checks that the container is as it was before.
func (h hostile) send(t *testing.T, exporter exporter, before state, healthy string) {
	target := httptest.NewServer(h.answer)
	resetPeak(exporter)
	began := time.Now()
	at := max(h.at, 4)
	seen := map[string]int{}
	var mu sync.Mutex
	var group sync.WaitGroup
	for range at {
		group.Go(func() {
			found := probe(exporter.url+"/probe?module="+h.module+"&target="+url.QueryEscape(target.URL), 20)
			mu.Lock()
			defer mu.Unlock()
			seen[found]++
		})
	}
	group.Wait()
	took := time.Since(began)
	target.CloseClientConnections()
	target.Close()
	t.Logf("%-42s %6d ms  %4d MiB at most  %v", h.name, took.Milliseconds(), peakOf(exporter)>>20, seen)
	if now := stateOf(t, exporter); now != before {
		t.Fatalf("%s: the container was %+v, is %+v", h.name, before, now)
	}
	if h.fits && seen["ok"] == 0 {
		t.Errorf("%s: not one probe succeeded: %v", h.name, seen)
	}
	if found := probe(exporter.url+"/probe?module=healthy&target="+url.QueryEscape(healthy), 10); found != "ok" {
		t.Errorf("%s: afterwards a healthy target fails: %s", h.name, found)
	}
}

// TestClientsThatTakeNothingInLittleMemory: answers that nobody takes are held, as
// much of them as there is room for.
func TestClientsThatTakeNothingInLittleMemory(t *testing.T) {
	exporter := startHostile(t)
	before := stateOf(t, exporter)
	var body strings.Builder
	body.WriteString("[0")
	for i := range 100_000 {
		fmt.Fprintf(&body, ",%d", i)
	}
	body.WriteString("]")
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body.String()) }))
	defer target.Close()
	var conns []net.Conn
	for range 100 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(exporter.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET /probe?module=json&target=%s HTTP/1.1\r\nHost: x\r\nX-Prometheus-Scrape-Timeout-Seconds: 60\r\n\r\n", url.QueryEscape(target.URL))
		conns = append(conns, conn)
	}
	for _, conn := range conns {
		_ = conn.SetReadDeadline(time.Now().Add(2 * time.Minute))
		if _, err := io.ReadFull(conn, make([]byte, 15)); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d MiB at most", peakOf(exporter)>>20)
	if now := stateOf(t, exporter); now != before {
		t.Fatalf("the container was %+v, is %+v", before, now)
	}
	get(t, exporter.url+"/-/ready")
}

// A state tells whether a container is the one that was started.
type state struct {
	StartedAt          string
	Running, OOMKilled bool
}

func stateOf(t *testing.T, e exporter) (s state) {
	t.Helper()
	if err := json.Unmarshal([]byte(docker(t, "inspect", "--format={{json .State}}", e.id)), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// probe makes a probe and returns "ok", the reason why it failed, or what else
// went wrong.
func probe(url string, seconds int) string {
	client := http.Client{Timeout: time.Duration(seconds+10) * time.Second}
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err.Error()
	}
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", strconv.Itoa(seconds))
	response, err := client.Do(request)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err.Error()
	case response.StatusCode != http.StatusOK:
		return response.Status
	case bytes.Contains(body, []byte("\nprobe_success 1\n")):
		return "ok"
	}
	_, after, _ := bytes.Cut(body, []byte(`status_probe_failure_info{document="status",reason="`))
	reason, _, _ := bytes.Cut(after, []byte(`"`))
	return string(reason)
}

// peakOf returns the most memory that a container had since resetPeak, where the
// kernel can forget it, else since it was started; 0 where it cannot be known.
func peakOf(e exporter) int {
	for _, file := range peakFiles(e) {
		if text, err := os.ReadFile(file); err == nil {
			peak, _ := strconv.Atoi(strings.TrimSpace(string(text)))
			return peak
		}
	}
	return 0
}

func resetPeak(e exporter) {
	for _, file := range peakFiles(e) {
		_ = os.WriteFile(file, []byte("0"), 0)
	}
}

// peakFiles are the files of control groups, version 2 and 1, by Docker's drivers.
func peakFiles(e exporter) []string {
	var found []string
	for _, pattern := range []string{
		"/sys/fs/cgroup/system.slice/docker-" + e.id + ".scope/memory.peak",
		"/sys/fs/cgroup/docker/" + e.id + "/memory.peak",
		"/sys/fs/cgroup/memory/docker/" + e.id + "/memory.max_usage_in_bytes",
		"/sys/fs/cgroup/memory/*/docker/" + e.id + "/memory.max_usage_in_bytes",
	} {
		files, _ := filepath.Glob(pattern)
		found = append(found, files...)
	}
	return found
}

// zippedSpaces returns so many spaces, compressed to a thousandth.
func zippedSpaces(size int) []byte {
	var out bytes.Buffer
	z, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
	block := bytes.Repeat([]byte(" "), 1<<20)
	for range size >> 20 {
		z.Write(block)
	}
	z.Close()
	return out.Bytes()
}

// startHostile starts an exporter which the kernel ends when it takes more than
// 256 MiB.
func startHostile(t *testing.T) exporter {
	t.Helper()
	dir := configDir(t, "hostile.yml", hostileModules)
	return startWith(t, []string{"--memory=256m", "--memory-swap=256m", "--volume=" + dir + ":/etc/status_exporter:ro"},
		"--config.file=/etc/status_exporter/*.yml", "--probe.max-per-target=0", "--log.level=error")
}
