package accesslog_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/document"
	"status_exporter/collector/document/documenttest"
)

const tutorialLine = `127.0.0.1 user-identifier frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326`

func TestDocument(t *testing.T) {
	s := newSite(t)
	s.append("access.log", tutorialLine+"\n"+tutorialLine+"\r\n"+
		`1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "BREW /pot HTTP/1.0" 418 -`+"\n"+
		`1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "HEAD /a/b?c HTTP/1.0" 200 7`+"\n"+"no line\n")
	s.open("{path: access.log, format: common, from: start, paths: [{name: images, pattern: /*.gif}, /a/**]}")
	got := s.scrape()
	want := map[string]any{
		"lines": number(5), "unmatched": number(1), "limited": number(0), "unread_bytes": number(0),
		"last_unmatched": "no line",
		"requests": map[string]any{
			"200 GET <nil> images": "2 4652", "418 other <nil> other": "1 0", "200 HEAD <nil> /a/**": "1 7",
		},
		"duration": []any{}, "upstream": []any{},
		"rotations": map[string]any{"rename": number(0), "truncate": number(0), "missing_copies": number(0)},
		"files": []any{map[string]any{
			"path": s.path("access.log"), "readable": true, "error": nil, "unread_bytes": number(0),
		}},
	}
	requests := make(map[string]any)
	for _, item := range got["requests"].([]any) {
		r := item.(map[string]any)
		requests[fmt.Sprint(r["code"], " ", r["method"], " ", r["vhost"], " ", r["path"])] = fmt.Sprint(r["count"], " ", r["bytes"])
	}
	got["requests"] = requests
	since, err := got["since"].(json.Number).Float64()
	if age := float64(time.Now().UnixMilli())/1000 - since; err != nil || age < 0 || age > 60 {
		t.Errorf("since is %v, want the Unix time when counting began", got["since"])
	}
	delete(got, "since")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
}

func TestHistograms(t *testing.T) {
	s := newSite(t)
	s.append("access.log", "200 GET a 0.1 0.25, 0.25\n500 GET a 0.2 -\n200 GET a 3 0.5\n200 POST b - 0.1\n")
	s.open(`{path: access.log, from: start, buckets: [0.1, 1], upstream_buckets: [0.3],
		format: '$status $request_method $host $request_time $upstream_response_time'}`)
	got := s.scrape()
	duration := []any{map[string]any{
		"method": "GET", "vhost": "a", "path": nil, "sum": json.Number("3.3"), "count": number(3),
		"buckets": map[string]any{"0.1": number(1), "1": number(2), "+Inf": number(3)},
	}}
	if diff := cmp.Diff(duration, got["duration"]); diff != "" {
		t.Errorf("duration (-want +got):\n%s", diff)
	}
	for _, item := range got["upstream"].([]any) {
		h := item.(map[string]any)
		want := map[string]any{"GET": number(2), "POST": number(1)}[h["method"].(string)]
		if h["count"] != want {
			t.Errorf("upstream of %v: got %v, want %v", h["method"], h["count"], want)
		}
	}
}

// TestBadLines counts what is no line of the format, and goes on.
func TestBadLines(t *testing.T) {
	s := newSite(t)
	s.open("path: access.log")
	line := `1.2.3.4 - - [t] "GET / HTTP/1.1" 200 1 "-" "-"` + "\n"
	garbage := string([]byte{0, 1, 0xff, '"', '\r', 0x1b, 0xfe}) + "\n"
	s.append("access.log", line+"\n"+garbage+strings.Repeat("x", 1<<20)+"\n"+line+"GET")
	s.expect("garbage", map[string]any{"lines": number(5), "unmatched": number(3), "unread_bytes": number(3)})

	s.append("access.log", " / HTTP/1.1\n")
	s.expect("the rest of a line", map[string]any{"lines": number(6), "unmatched": number(4), "last_unmatched": "GET / HTTP/1.1"})

	// A line that is too long is written in pieces, with scrapes between.
	for i := range 3 {
		s.append("access.log", strings.Repeat("y", 200<<10))
		s.scrape()
		if i == 2 {
			s.append("access.log", "\n"+line)
		}
	}
	s.expect("a long line in pieces", map[string]any{"lines": number(8), "unmatched": number(5), "unread_bytes": number(0)})
}

func TestFrom(t *testing.T) {
	s := newSite(t)
	s.add("access.log", 3)
	s.append("access.log", `1.2.3.4 - - [t] "GET`)
	s.open("{path: access.log, format: common}")
	s.expect("from the end", map[string]any{"lines": number(0), "unread_bytes": number(20)})
	s.append("access.log", ` / HTTP/1.1" 200 1`+"\n")
	s.expectLines("a line that was unfinished at the beginning", 1)

	s.open("{path: access.log, format: common, from: start}")
	s.expectLines("from the start", 4)
}

// TestFirstScrape: a source that was made has looked at no file, and its first scrape
// begins where the file ends.
func TestFirstScrape(t *testing.T) {
	s := newSite(t)
	s.make("{path: '*.log', format: common}")
	s.add("access.log", 3)
	s.expectLines("the first scrape", 0)
	s.add("access.log", 2)
	s.expectLines("the second scrape", 2)

	s.make("{path: '*.log', format: common, from: start}")
	s.add("access.log", 1)
	s.expectLines("the first scrape from the start", 6)
}

// TestAppearsLater counts files from their beginning that were not there.
func TestAppearsLater(t *testing.T) {
	s := newSite(t)
	s.open("{path: [access.log, 'sites/*.log'], format: common}")
	doc := s.read(t.Context())
	if doc.Failure == nil || doc.Failure.Reason != document.ReasonRead || !strings.Contains(doc.Failure.Error(), "access.log: no such file") {
		t.Errorf("got %v, want reason read and the name", doc.Failure)
	}
	s.add("access.log", 2)
	s.expectLines("a file", 2)
	s.check(os.Mkdir(s.path("sites"), 0o700))
	s.add("sites/a.log", 2)
	s.add("sites/b.log", 2)
	s.expectLines("files of a glob", 6)
	s.rename("sites/b.log", "sites/c.log")
	s.add("sites/c.log", 1)
	s.expectLines("a file under another name that the glob matches", 7)

	s.check(os.Symlink(s.path("access.log"), s.path("sites/link.log")))
	s.add("sites/c.log", 1)
	s.expectLines("a second name of a file", 8)
	s.open("{path: [access.log, 'sites/*.log'], format: common, from: start}")
	s.expectLines("with a second name from the start", 8)

	s.open("{path: 'none/*.log'}")
	if doc := s.read(t.Context()); doc.Failure == nil || !strings.Contains(doc.Failure.Error(), "no file matches "+s.path("none/*.log")) {
		t.Errorf("got %v, want that no file matches", doc.Failure)
	}
	s.open("format: common")
	if doc := s.read(t.Context()); doc.Failure == nil || !strings.Contains(doc.Failure.Error(), "no path under access_log") {
		t.Errorf("got %v, want that there is no path", doc.Failure)
	}
}

// TestUnreadable loses no other file by one that cannot be read.
func TestUnreadable(t *testing.T) {
	s := newSite(t)
	s.check(os.Mkdir(s.path("b.log"), 0o700))
	s.open("{path: [a.log, b.log], format: common}")
	s.add("a.log", 2)
	s.expect("a directory beside a file", map[string]any{
		"lines": number(2),
		"files": []any{
			map[string]any{"path": s.path("a.log"), "readable": true, "error": nil, "unread_bytes": number(0)},
			map[string]any{"path": s.path("b.log"), "readable": false, "error": "found a directory, expected a regular file", "unread_bytes": number(0)},
		},
	})
}

// TestDeadline reads a log in several scrapes.
func TestDeadline(t *testing.T) {
	s := newSite(t)
	s.add("access.log", 400_000) // 30 MB
	s.open("{path: access.log, format: common, from: start}")
	scrapes := 0
	for {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		doc := s.read(ctx)
		cancel()
		scrapes++
		if doc.Failure != nil {
			if doc.Failure.Reason != document.ReasonTimeout {
				t.Fatal(doc.Failure)
			}
			continue // a busy machine may take longer than that for one buffer
		}
		value := doc.Value.(map[string]any)
		if value["unread_bytes"] == number(0) {
			break
		}
		if value["lines"] == number(400_000) {
			t.Fatalf("got %v unread bytes behind the last line", value["unread_bytes"])
		}
	}
	if scrapes == 1 {
		t.Error("one scrape read 30 MB in 10 ms")
	}
	s.expectLines("after some scrapes", 400_000)
}

// TestConcurrentScrapes lets several servers scrape while the log is written.
func TestConcurrentScrapes(t *testing.T) {
	s := newSite(t)
	s.add("access.log", 10_000)
	s.open("{path: access.log, format: common, from: start}")
	var scrapers sync.WaitGroup
	for range 4 {
		scrapers.Go(func() {
			for range 20 {
				if doc := s.source.Read(t.Context(), documenttest.Free{})[0]; doc.Failure != nil {
					t.Error(doc.Failure)
				}
			}
		})
	}
	for range 100 {
		s.add("access.log", 10)
	}
	scrapers.Wait()
	s.expectLines("after all scrapes", 11_000)
}

func TestSeriesLimit(t *testing.T) {
	s := newSite(t)
	s.open("{path: access.log, format: '$host $status', series_limit: 10}")
	var text strings.Builder
	for i := range 100 {
		fmt.Fprintf(&text, "host%d 200\n", i)
	}
	text.WriteString("other 200\n\xff 200\n" + strings.Repeat("x", 300) + " 404\n- 200\n")
	s.append("access.log", text.String())
	got := s.scrape()
	series := make(map[string]bool)
	total := 0
	for _, item := range got["requests"].([]any) {
		r := item.(map[string]any)
		series[fmt.Sprint(r["vhost"], r["code"])] = true
		n, err := r["count"].(json.Number).Int64()
		s.check(err)
		total += int(n)
	}
	if len(series) != len(got["requests"].([]any)) {
		t.Errorf("several series have the same labels: %v", got["requests"])
	}
	if len(series) > 12 || total != 104 || got["limited"] == number(0) {
		t.Errorf("got %d series of %d requests, %v limited; want about 10 of 104", len(series), total, got["limited"])
	}
}
