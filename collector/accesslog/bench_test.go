//go:build unix

package accesslog

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"status_exporter/collector/document/documenttest"
	"status_exporter/config/options"
)

// generate writes a combined log with lines of many clients, URLs and agents.
func generate(tb testing.TB, path string, lines int) {
	tb.Helper()
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(texts ...string) string { return texts[r.IntN(len(texts))] }
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for i := range lines {
		fmt.Fprintf(w, `%d.%d.%d.%d - %s [%s] "%s %s HTTP/1.1" %s %d "%s" "%s"`+"\n",
			1+r.IntN(220), r.IntN(256), r.IntN(256), r.IntN(256), pick("-", "-", "-", "frank"),
			at.Add(time.Duration(i)*7*time.Millisecond).Format("02/Jan/2006:15:04:05 -0700"),
			pick("GET", "GET", "GET", "GET", "POST", "HEAD", "PUT"),
			pick("/", "/static/"+strconv.Itoa(r.IntN(500))+".css", "/products/"+strconv.Itoa(r.IntN(9999)),
				"/api/v1/orders/"+strconv.Itoa(r.IntN(99999))+"/items?page="+strconv.Itoa(r.IntN(50)), "/search?q=blue+shoes&sort=price"),
			pick("200", "200", "200", "304", "404", "500"), r.IntN(100_000),
			pick("-", "https://www.example.com/", "https://shop.example.com/products?category=shoes"),
			pick("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "curl/8.5.0",
				"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"))
	}
	if err := w.Flush(); err != nil {
		tb.Fatal(err)
	}
	if err := f.Close(); err != nil {
		tb.Fatal(err)
	}
}

const patternsYAML = "paths: [/static/**, /products/*, /api/v1/orders/*/items, /search]"

func open(tb testing.TB, text string) *Source {
	tb.Helper()
	d := options.NewDecoder(os.LookupEnv)
	var o Options
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err != nil {
		tb.Fatal(err)
	}
	o.Decode(d, n.Content[0])
	if err := d.Err(); err != nil {
		tb.Fatal(err)
	}
	s, err := New(&o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

// cpuTime returns what the process used so far: other programs do not count.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// pythonLoop counts the same as the source does.
const pythonLoop = `
import re, sys
line = re.compile(r'(\S+) (\S+) (.*?) \[([^\]]*)\] "(\S+) ([^ ?"]*)[^"]*" (\d{3}) (\d+|-) "[^"]*" "[^"]*"$')
paths = [("/static/**", re.compile(r"/static/.*$")), ("/products/*", re.compile(r"/products/[^/]*$")),
         ("/api/v1/orders/*/items", re.compile(r"/api/v1/orders/[^/]*/items$")), ("/search", re.compile(r"/search$"))]
count, size, unmatched = {}, {}, 0
for text in open(sys.argv[1], encoding="latin-1"):
    m = line.match(text)
    if not m:
        unmatched += 1
        continue
    path = next((name for name, pattern in paths if pattern.match(m[6])), "other")
    key = m[7], m[5], path
    count[key] = count.get(key, 0) + 1
    size[key] = size.get(key, 0) + (0 if m[8] == "-" else int(m[8]))
print(sum(count.values()), sum(size.values()), unmatched)
`

// BenchmarkLog reads a combined log of a million lines with status, method,
// bytes and path patterns counted. Rates are those of CPU time.
func BenchmarkLog(b *testing.B) {
	path := filepath.Join(b.TempDir(), "access.log")
	generate(b, path, 1_000_000)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	megabytes := float64(info.Size()) / 1e6
	b.SetBytes(info.Size())
	b.ReportAllocs()

	var used time.Duration
	var requests, bytes uint64
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		s := open(b, fmt.Sprintf("{path: %q, from: start, %s}", path, patternsYAML))
		b.StartTimer()
		before := cpuTime(b)
		doc := s.Read(b.Context(), documenttest.Free{})[0]
		used += cpuTime(b) - before
		if doc.Failure != nil || s.lines != 1_000_000 || s.unmatched != 0 {
			b.Fatalf("read %d lines, %d did not match: %v", s.lines, s.unmatched, doc.Failure)
		}
		requests, bytes = 0, 0
		for _, r := range s.requests {
			requests += r.count
			bytes += r.bytes
		}
	}
	b.StopTimer()
	rate := megabytes * float64(b.N) / used.Seconds()
	b.ReportMetric(rate, "MB/cpu-s")
	if python := pythonRate(b, path, megabytes, fmt.Sprintln(requests, bytes, 0)); python > 0 {
		b.ReportMetric(python, "python-MB/cpu-s")
		b.ReportMetric(rate/python, "times-python")
	}
}

// pythonRate runs the loop and returns its rate, or 0 where there is no Python.
func pythonRate(b *testing.B, path string, megabytes float64, want string) float64 {
	b.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		return 0
	}
	command := exec.Command(python, "-c", pythonLoop, path)
	out, err := command.Output()
	if err != nil {
		b.Fatal(err)
	}
	if string(out) != want {
		b.Fatalf("python counts %swe count %s", out, want)
	}
	return megabytes / (command.ProcessState.UserTime() + command.ProcessState.SystemTime()).Seconds()
}

// TestNoAllocations reads a log without allocating for a line, in memory that
// does not grow with it.
func TestNoAllocations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	generate(t, path, 20_000)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	for name, line := range map[string]string{
		"combined": "{" + patternsYAML + "}",
		"json":     "{format: json, " + patternsYAML + "}",
		"timed":    "{format: '$host $status $request_time $upstream_response_time', " + patternsYAML + "}",
	} {
		s := open(t, line)
		input := [][]byte{[]byte("garbage")}
		switch name {
		case "combined":
			for _, l := range lines[:1000] {
				input = append(input, []byte(strings.TrimSuffix(l, "\n")))
			}
		case "json":
			input = append(input, []byte(`{"status":200,"request":"GET \/products\/1 HTTP/1.1","host":"shop","request_time":1.5e-05}`))
		case "timed":
			input = append(input, []byte(`shop 200 0.005 0.001, 0.002 : -`))
		}
		count := func() {
			for _, l := range input {
				s.line(l)
			}
		}
		count() // makes the series
		if n := testing.AllocsPerRun(10, count); n != 0 {
			t.Errorf("%s: %v allocations for %d lines, want none", name, n, len(input))
		}
	}

	s := open(t, fmt.Sprintf("{path: %q, from: start, %s}", path, patternsYAML))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s.Read(t.Context(), documenttest.Free{})
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
		t.Errorf("reading %d bytes allocated %d bytes, want less than 1 MiB", len(text), grown)
	}
}
