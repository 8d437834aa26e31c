package accesslog_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/accesslog"
	"status_exporter/collector/document"
	"status_exporter/config/options"
)

const tutorialLine = `127.0.0.1 user-identifier frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326`

// decode reads options as they stand in a configuration file in dir.
func decode(dir, text string) (*accesslog.Options, *options.Decoder) {
	d := options.NewDecoder(os.LookupEnv)
	var o accesslog.Options
	o.Decode(d, d.Parse(filepath.Join(dir, "status.yml"), []byte(text)))
	return &o, d
}

// A site is a directory of logs and a source that reads them.
type site struct {
	t      *testing.T
	dir    string
	source *accesslog.Source
	lines  int // written so far
}

func newSite(t *testing.T) *site { return &site{t: t, dir: t.TempDir()} }

// open begins to count.
func (s *site) open(text string) {
	s.t.Helper()
	o, d := decode(s.dir, text)
	if err := d.Err(); err != nil {
		s.t.Fatal(err)
	}
	source, err := accesslog.New(o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := source.Close(); err != nil {
			s.t.Errorf("Close: %v", err)
		}
	})
	s.source = source
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

func (s *site) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// append adds a text to a file.
func (s *site) append(name, text string) {
	s.t.Helper()
	f, err := os.OpenFile(s.path(name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	s.check(err)
	_, err = f.WriteString(text)
	s.check(err)
	s.check(f.Close())
}

// add adds lines, each different from all others.
func (s *site) add(name string, lines int) {
	s.t.Helper()
	var text strings.Builder
	for range lines {
		s.lines++
		fmt.Fprintf(&text, "192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] \"GET /%d HTTP/1.1\" 200 10\n", s.lines)
	}
	s.append(name, text.String())
}

func (s *site) rename(from, to string) {
	s.t.Helper()
	s.check(os.Rename(s.path(from), s.path(to)))
}

// copy copies a file as `copytruncate` does, without truncating it.
func (s *site) copy(from, to string) {
	s.t.Helper()
	text, err := os.ReadFile(s.path(from))
	s.check(err)
	s.check(os.WriteFile(s.path(to), text, 0o600))
}

func (s *site) truncate(name string) {
	s.t.Helper()
	s.check(os.Truncate(s.path(name), 0))
}

// compress replaces a file by a compressed one with its time.
func (s *site) compress(name string) {
	s.t.Helper()
	text, err := os.ReadFile(s.path(name))
	s.check(err)
	info, err := os.Stat(s.path(name))
	s.check(err)
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, err = w.Write(text)
	s.check(err)
	s.check(w.Close())
	s.check(os.WriteFile(s.path(name+".gz"), zipped.Bytes(), 0o600))
	s.check(os.Chtimes(s.path(name+".gz"), info.ModTime(), info.ModTime()))
	s.check(os.Remove(s.path(name)))
}

func (s *site) read(ctx context.Context) *document.Document {
	s.t.Helper()
	docs := s.source.Read(ctx)
	if len(docs) != 1 || docs[0].Name != document.Status {
		s.t.Fatalf("got %+v, want one document named %s", docs, document.Status)
	}
	return docs[0]
}

// scrape returns the document's value.
func (s *site) scrape() map[string]any {
	s.t.Helper()
	doc := s.read(s.t.Context())
	if doc.Failure != nil {
		s.t.Fatal(doc.Failure)
	}
	return doc.Value.(map[string]any)
}

// expect scrapes and compares some numbers of the document.
func (s *site) expect(when string, want map[string]any) {
	s.t.Helper()
	value := s.scrape()
	got := make(map[string]any)
	for key := range want {
		got[key] = value[key]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

// expectLines scrapes and expects that every line was counted once and matched.
func (s *site) expectLines(when string, lines int) {
	s.t.Helper()
	s.expect(when, map[string]any{"lines": number(lines), "unmatched": number(0), "unread_bytes": number(0)})
}

func number(n int) json.Number { return json.Number(fmt.Sprint(n)) }

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
			map[string]any{"path": s.path("b.log"), "readable": false, "error": "it is no regular file", "unread_bytes": number(0)},
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
		t.Skip("one scrape read it all")
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
				if doc := s.source.Read(t.Context())[0]; doc.Failure != nil {
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

func TestOptions(t *testing.T) {
	for _, text := range []string{
		"{}", "path: a.log", "format: json", "{path: a, format: json, fields: {code: response.status, milliseconds: took}}",
		"{from: start, history: true}", "{labels: [code], buckets: [1, 2.5]}",
	} {
		if _, d := decode(t.TempDir(), text); d.Err() != nil {
			t.Errorf("%s: %v", text, d.Err())
		}
	}
	for text, want := range map[string]string{
		"path: []":                         `"path" is an empty list`,
		"path: 'a['":                       "is no glob",
		"from: middle":                     "expected one of start, end",
		"history: true":                    "expected from: start beside it",
		"format: combine":                  "expected common, combined, json",
		"format: '%h'":                     "no status code",
		"fields: {code: a}":                "expected format: json beside it",
		"{format: json, fields: {cod: a}}": `did you mean "code"?`,
		"{format: json, fields: {seconds: a, milliseconds: b}}": "expected one of them",
		"paths: [a]":        "neither a slash nor a star",
		"paths: [{nam: a}]": `did you mean "name"?`,
		"labels: [vhost]":   "does not hold the label vhost",
		"labels: [codes]":   `did you mean "code"?`,
		"buckets: [2, 1]":   "found the bound 1",
		"buckets: [.inf]":   "+Inf is added",
		"buckets: 5":        "expected a list",
		"series_limit: 0":   "expected a whole number from 1",
		"pth: a":            `did you mean "path"?`,
	} {
		if _, d := decode(t.TempDir(), text); d.Err() == nil || !strings.Contains(d.Err().Error(), want) {
			t.Errorf("%s: got %v, want …%s…", text, d.Err(), want)
		}
	}
	if _, d := decode(t.TempDir(), "{format: common, buckets: [1]}"); len(d.Warnings()) != 1 {
		t.Errorf("buckets without a time: got the warnings %v, want one", d.Warnings())
	}
}
