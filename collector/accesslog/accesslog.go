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
// Counts are those since counting began, which is when the first scrape asks: with
// from: end the lines that are there then are not counted. A scrape reads what was added
// since the last one, whoever asked, as far as its deadline allows; memory does not grow
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

	turn  chan struct{} // holds one token: who took it may use what follows
	begun bool
	since time.Time // when counting began
	logs  map[string]*log
	// renamed are files that are read under other names, by these.
	renamed map[string]os.FileInfo
	counter
	buf []byte
}

// New returns a source. It looks at no file, as some keep who asks for them waiting for
// ever: the first scrape finds out where to begin. Files need not exist yet.
func New(o *Options) (*Source, error) {
	s := &Source{
		options: o,
		turn:    make(chan struct{}, 1),
		logs:    make(map[string]*log),
		renamed: make(map[string]os.FileInfo),
		counter: *newCounter(o),
		buf:     make([]byte, bufferSize),
	}
	s.turn <- struct{}{}
	return s, nil
}

// begin finds out where to begin.
func (s *Source) begin() {
	s.begun, s.since = true, time.Now()
	for _, path := range s.paths() {
		if s.renamedTo(path) {
			continue
		}
		l := newLog(path, s.since, s.options.History)
		if info, err := os.Stat(path); err == nil && !s.options.FromStart {
			l.start = info.Size()
		}
		l.refresh()
		s.logs[path] = l
	}
}

// Close closes the files: at once, or where one of them still keeps a reader waiting, as
// soon as it lets go.
func (s *Source) Close() error {
	select {
	case <-s.turn:
		s.closeLogs()
		s.turn <- struct{}{}
	default:
		go func() {
			<-s.turn
			s.closeLogs()
			s.turn <- struct{}{}
		}()
	}
	return nil
}

func (s *Source) closeLogs() {
	for _, l := range s.logs {
		l.close()
	}
}

// Read reads on and returns the document named document.Status. It reads during
// four fifths of the time that is left, and the rest next time. It fails with
// ReasonRead where no file can be read, with ReasonOverloaded, and with ReasonTimeout.
func (s *Source) Read(ctx context.Context, share document.Share) []*document.Document {
	doc := &document.Document{Name: document.Status, Bytes: -1}
	start := time.Now()
	value, err := s.read(ctx, share)
	doc.Phases[document.PhaseProcessing] = time.Since(start)
	if err == nil {
		doc.Values = document.Count(value)
		if full := share.Decoded(doc.Values); full != nil {
			err = document.Failf(document.ReasonOverloaded, "%w", full)
		}
	}
	if err != nil {
		doc.Failure = document.AsFailure(ctx, document.ReasonRead, fmt.Errorf("reading the access log: %w", err))
	} else {
		doc.Value = value
	}
	return []*document.Document{doc}
}

func (s *Source) read(ctx context.Context, share document.Share) (any, error) {
	if len(s.options.Paths) == 0 {
		return nil, errors.New("the module has no path under access_log, expected the file to read")
	}
	deadline, bounded := ctx.Deadline()
	until := deadline.Add(-time.Until(deadline) / 5)
	var pending []*log
	refreshed := false
	for {
		asked := time.Now()
		value, err := s.inTurn(ctx, share, func() (any, error) {
			start := time.Now()
			again := start.Sub(asked) // how long the next turn will take to come
			if !refreshed {
				pending, refreshed = s.refresh(), true
			}
			for len(pending) > 0 { // once in any case, or a busy machine would never get on
				l := pending[0]
				pending = pending[1:]
				if !l.advance(&s.counter, s.buf) {
					pending = append(pending, l) // each log gets on as far as the others
				}
				now := time.Now()
				if bounded && now.After(until) {
					break
				}
				if len(pending) > 0 && now.Sub(start) > turnTime {
					if bounded && now.Add(again).After(until) {
						break
					}
					return nil, nil
				}
			}
			return s.value()
		})
		if value != nil || err != nil {
			return value, err
		}
	}
}

// turnTime is about how long a turn is: so short that several scrapes read on together,
// and others work between them, and so long that it is worth waiting for.
const turnTime = 50 * time.Millisecond

// inTurn calls f while nobody else uses the files and counts, and while the probe may
// work. Where f returns a value the probe may work on. Where a file keeps its reader
// waiting until ctx ends, the turn goes on without the probe, which must not look at
// what f does then.
func (s *Source) inTurn(ctx context.Context, share document.Share, f func() (any, error)) (any, error) {
	if err := s.wait(ctx, share); err != nil {
		return nil, err
	}
	value, err := document.Abandonable(ctx, func() (any, error) {
		defer func() { s.turn <- struct{}{} }()
		return f()
	})
	if value == nil || err != nil {
		share.Rest()
	}
	return value, err
}

// wait returns with a place among the probes that work, and the turn. Who waits for a
// place has no turn, as others may have a place already; who waits for a turn that may
// never end has no place.
func (s *Source) wait(ctx context.Context, share document.Share) error {
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("an earlier scrape is still waiting for the file system: %w", context.Cause(ctx))
		case <-s.turn:
			s.turn <- struct{}{}
		}
		if err := share.Wait(ctx); err != nil {
			return document.Failf(document.ReasonOverloaded, "%w", err)
		}
		select {
		case <-ctx.Done():
		case <-s.turn:
			return nil
		case <-time.After(2 * turnTime):
		}
		share.Rest()
	}
}

// refresh looks for new and rotated files and returns the logs that there are.
func (s *Source) refresh() []*log {
	if !s.begun {
		s.begin()
	}
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
