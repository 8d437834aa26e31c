package accesslog

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"
)

// A log is what is written to one path, through all its rotations.
type log struct {
	path     string
	segments []*segment // open files, in the order of their lines
	current  *segment   // of the segments, what stands at path, or stood there last; nil before
	start    int64      // size of the file at path when counting began
	err      error      // why the file at path cannot be read, or a rotated one could not

	// known are the beginnings of files that are counted or are not to be
	// counted, and are not open: their names and numbers may change.
	known [][]byte

	renamed, truncated, copiesMissing uint64
}

// maxKnown and maxSegments bound what is kept of rotated files.
const (
	maxKnown    = 256
	maxSegments = 32
)

// newLog begins a log. Rotated files that are there already are counted only
// where history is set; those written to after since are no history.
func newLog(path string, since time.Time, history bool) *log {
	l := &log{path: path}
	for _, s := range rotatedFiles(path) {
		if history || s.info.ModTime().After(since) {
			l.addRotated(len(l.segments), s)
		} else {
			l.drop(s)
		}
	}
	return l
}

// addRotated inserts a rotated file before the segment with number at.
func (l *log) addRotated(at int, s *segment) {
	if !s.complete {
		s.retired = time.Now()
	}
	s.begun = true
	l.segments = slices.Insert(l.segments, at, s)
}

// drop closes a file and remembers how it began.
func (l *log) drop(s *segment) {
	s.close()
	l.segments = slices.DeleteFunc(l.segments, func(o *segment) bool { return o == s })
	if s == l.current {
		l.current = nil
	}
	l.remember(s.head)
}

func (l *log) remember(head []byte) {
	if len(head) > 0 && !l.knows(head) {
		l.known = append(l.known, head)
		l.known = l.known[max(0, len(l.known)-maxKnown):]
	}
}

func (l *log) knows(head []byte) bool {
	return slices.ContainsFunc(l.known, func(k []byte) bool { return sameBeginning(k, head) }) ||
		slices.ContainsFunc(l.segments, func(s *segment) bool { return len(s.head) > 0 && sameBeginning(s.head, head) })
}

func (l *log) close() {
	for _, s := range l.segments {
		s.close()
	}
	l.segments = nil
}

// refresh looks which file stands at path now.
func (l *log) refresh() {
	current := l.current
	info, err := os.Stat(l.path)
	switch {
	case err != nil:
		l.err = cause(err)
		if current != nil && current.retired.IsZero() && errors.Is(err, fs.ErrNotExist) {
			current.retired = time.Now()
		}
	case current != nil && os.SameFile(current.info, info):
		current.retired = time.Time{}
		l.err = nil
	default:
		l.err = l.open()
	}
}

// open appends the file that stands at path.
func (l *log) open() error {
	s, err := openSegment(l.path)
	if err != nil {
		return err
	}
	s.complete = false
	if err := s.seek(l.start); err != nil {
		s.close()
		return cause(err)
	}
	l.start = 0
	if l.current != nil {
		l.renamed++
		if l.current.retired.IsZero() {
			l.current.retired = time.Now()
		}
	}
	l.segments = append(l.segments, s)
	l.current = s
	return nil
}

// advance counts lines of the first file that has some, at most a buffer full.
// It tells whether the end of all files was reached.
func (l *log) advance(c *counter, buf []byte) (done bool) {
	for _, s := range slices.Clone(l.segments) {
		n, err := s.fill(buf)
		switch {
		case errors.Is(err, errTruncated) && s == l.current:
			l.restart(s)
			return false
		case errors.Is(err, errTruncated): // another file is copied over it
			l.drop(s)
			continue
		case err != nil:
			l.fail(c, s, buf[:n], err)
			continue
		case n > 0 && !s.begun:
			s.begun = true
			if l.findMissed(s) {
				return false
			}
		}
		over := s.over(time.Now()) || len(l.segments) > maxSegments && s == l.segments[0]
		last := over && n < len(buf)
		s.consume(c, buf[:n], n == len(buf), last)
		if last {
			l.drop(s)
		}
		if n == len(buf) {
			return false
		}
	}
	return true
}

// fail notes that a file cannot be read on. What was read of it is counted.
func (l *log) fail(c *counter, s *segment, data []byte, err error) {
	l.err = err
	if s.complete {
		s.consume(c, data, false, true)
		l.err = fmt.Errorf("the rotated file %s: %w", s.name, err)
		l.drop(s)
	}
}

// restart begins a truncated file anew. What was not read of it is read from
// its copy, where there is one.
func (l *log) restart(s *segment) {
	l.truncated++
	if copied := l.findCopy(s); copied != nil {
		l.segments = slices.Insert(l.segments, slices.Index(l.segments, s), copied)
	} else {
		l.copiesMissing++
	}
	head := s.head
	s.offset, s.head, s.skipping, s.begun = 0, nil, false, false
	l.remember(head)
}

// findCopy returns the copy of s that was made before s was truncated, at the
// place up to which s was read. What was written after copying and before
// truncating is in no file.
func (l *log) findCopy(s *segment) (found *segment) {
	for _, f := range slices.Backward(rotatedFiles(l.path)) {
		if found != nil || l.holds(f) || !bytes.HasPrefix(f.head, s.head) {
			f.close()
			continue
		}
		found = f
		found.complete, found.begun, found.skipping = true, true, s.skipping
		if found.unzip != nil {
			found.discard = s.offset
		} else {
			found.offset = min(s.offset, f.unread())
		}
	}
	return found
}

// findMissed inserts, before a file that is read from its beginning, the rotated
// files that were written and rotated between two scrapes. It tells whether
// there are any.
func (l *log) findMissed(before *segment) bool {
	at := slices.Index(l.segments, before)
	first := at
	for _, f := range rotatedFiles(l.path) {
		if len(f.head) == 0 || l.holds(f) || l.knows(f.head) {
			f.close()
			continue
		}
		l.addRotated(at, f)
		at++
	}
	return at > first
}

// holds tells whether the file of s is open already.
func (l *log) holds(s *segment) bool {
	return slices.ContainsFunc(l.segments, func(o *segment) bool { return os.SameFile(o.info, s.info) })
}

// unread returns how many bytes were not counted yet.
func (l *log) unread() int64 {
	var n int64
	for _, s := range l.segments {
		n += s.unread()
	}
	return n
}
