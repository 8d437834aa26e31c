// Package accesslog is the source that counts the lines of a web server's access
// log. File names and the format of the lines go in, one document comes out:
//
//	since:          1790000000.5     when counting began, in Unix time
//	lines:          3                complete lines that were read
//	unmatched:      1                of them, those that are not of the format
//	last_unmatched: "GET / HT"       the beginning of the last of these
//	limited:        0                of them, those counted as other because of series_limit
//	unread_bytes:   0                what is there and was not read yet
//	requests:       [{code: "200", method: GET, vhost: shop, path: null, count: 2, bytes: 4652}]
//	duration:       [{method: GET, vhost: shop, path: null, buckets: {"0.005": 1, …, "+Inf": 2}, sum: 0.3, count: 2}]
//	upstream:       […]              the same of what the server waited for others
//	rotations:      {rename: 0, truncate: 0, missing_copies: 0}
//	files:          [{path: /var/log/access.log, readable: true, error: null, unread_bytes: 0}]
//
// Counts are those since counting began. A scrape reads what was added since the
// last one, whoever asked, as far as its deadline allows; memory does not grow
// with the log.
//
// What happens to a line or a file:
//
//   - A line that is not of the format, garbage included, is counted as unmatched.
//   - So is, once, a line that is longer than 256 KiB; the rest of it is passed over.
//   - A last line without its newline waits for its end. In a file that nobody
//     writes to any more it is a line.
//   - A file that was renamed is read to its end, and kept open until nothing was
//     added for ten minutes.
//   - Of a file that was copied and truncated, what was not read yet is read from
//     the copy beside it (access.log.1, access.log-20261101, access-20261101.log,
//     also with .gz). Where no copy is found that is counted in missing_copies.
//   - A rotated file beside it that nobody read, because it was rotated between
//     two scrapes, is read before the file itself.
//   - A file that appears later is read from its beginning; one with two names
//     is read once.
//   - A glob does not match a file that was rotated from another one it matches.
//   - A file that cannot be read costs only itself; the document fails where
//     there is nothing that can be or was read.
package accesslog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"status_exporter/collector/document"
)

// bufferSize is how much is read at once, and the limit of a line, in bytes.
const bufferSize = 256 << 10

// A Source counts the lines of some files. It is safe for concurrent use:
// concurrent scrapes take turns and see the same counts.
type Source struct {
	options *Options
	since   time.Time

	turn chan struct{} // holds one token: who took it may use what follows
	logs map[string]*log
	// renamed are files that are read under other names, by these.
	renamed map[string]os.FileInfo
	counter
	buf []byte
}

// New returns a source and finds out where to begin. Files need not exist yet.
func New(o *Options) (*Source, error) {
	s := &Source{
		options: o,
		since:   time.Now(),
		turn:    make(chan struct{}, 1),
		logs:    make(map[string]*log),
		renamed: make(map[string]os.FileInfo),
		counter: *newCounter(o),
		buf:     make([]byte, bufferSize),
	}
	for _, path := range s.paths() {
		if s.renamedTo(path) {
			continue
		}
		l := newLog(path, s.since, o.History)
		if info, err := os.Stat(path); err == nil && !o.FromStart {
			l.start = info.Size()
		}
		l.refresh()
		s.logs[path] = l
	}
	s.turn <- struct{}{}
	return s, nil
}

// Close closes the files. A Read under way ends first.
func (s *Source) Close() error {
	<-s.turn
	for _, l := range s.logs {
		l.close()
	}
	return nil
}

// Read reads on and returns the document named document.Status. It reads during
// four fifths of the time that is left, and the rest next time. It fails with
// ReasonRead where no file can be read, and with ReasonTimeout.
func (s *Source) Read(ctx context.Context) []*document.Document {
	doc := &document.Document{Name: document.Status, Bytes: -1}
	start := time.Now()
	value, err := s.read(ctx)
	doc.Phases[document.PhaseProcessing] = time.Since(start)
	if err != nil {
		doc.Failure = document.AsFailure(ctx, document.ReasonRead, fmt.Errorf("reading the access log: %w", err))
	} else {
		doc.Value = value
	}
	return []*document.Document{doc}
}

func (s *Source) read(ctx context.Context) (value any, err error) {
	if len(s.options.Paths) == 0 {
		return nil, errors.New("the module has no path under access_log, expected the file to read")
	}
	within := ctx
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		within, cancel = context.WithTimeout(ctx, time.Until(deadline)*4/5)
		defer cancel()
	}
	var pending []*log
	err = s.inTurn(ctx, func() { pending = s.refresh() })
	for err == nil && len(pending) > 0 && within.Err() == nil {
		pending = slices.DeleteFunc(pending, func(l *log) bool {
			done := false
			err = errors.Join(err, s.inTurn(ctx, func() { done = l.advance(&s.counter, s.buf) }))
			return done
		})
	}
	if err != nil {
		return nil, err
	}
	var none error
	err = s.inTurn(ctx, func() { value, none = s.value() })
	return value, errors.Join(err, none)
}

// inTurn calls f while nobody else uses the files and counts. A turn is short,
// so that several scrapes read on together.
func (s *Source) inTurn(ctx context.Context, f func()) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.turn:
	}
	defer func() { s.turn <- struct{}{} }()
	f()
	return nil
}

// refresh looks for new and rotated files and returns the logs that there are.
func (s *Source) refresh() []*log {
	paths := s.paths()
	for _, path := range paths {
		if s.logs[path] == nil && !s.renamedTo(path) {
			s.logs[path] = newLog(path, s.since, false)
		}
	}
	logs := make([]*log, 0, len(s.logs))
	for path, l := range s.logs {
		l.refresh()
		if len(l.segments) == 0 && !slices.Contains(paths, path) {
			delete(s.logs, path)
			continue
		}
		logs = append(logs, l)
	}
	return logs
}

// renamedTo tells whether the file at path is one that is or was read under
// another name.
func (s *Source) renamedTo(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		delete(s.renamed, path)
		return false
	}
	if before := s.renamed[path]; before != nil && os.SameFile(before, info) {
		return true
	}
	for _, l := range s.logs {
		if slices.ContainsFunc(l.segments, func(o *segment) bool { return os.SameFile(o.info, info) }) {
			s.renamed[path] = info
			return true
		}
	}
	return false
}

// paths returns the names of the files, without those of rotated ones where a
// glob matches them.
func (s *Source) paths() []string {
	var paths []string
	for _, path := range s.options.Paths {
		if !strings.ContainsAny(path, `*?[`) {
			paths = append(paths, path)
			continue
		}
		found, err := filepath.Glob(path)
		if err == nil { // the pattern was checked
			paths = append(paths, withoutRotated(found)...)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}
