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
	"testing"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/accesslog"
	"status_exporter/collector/document"
	"status_exporter/collector/document/documenttest"
	"status_exporter/config/options"
)

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
	s.make(text)
	s.source.Begin()
}

// make makes a source that was not scraped yet.
func (s *site) make(text string) {
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
	docs := s.source.Read(ctx, documenttest.Free{})
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
