package accesslog

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"status_exporter/config/options"
)

// A segment is an open file that holds a part of a log. It stays open between
// scrapes, so that a file that was renamed is read to its end.
type segment struct {
	name     string
	file     *os.File
	info     os.FileInfo // tells files apart
	unzip    *unzipper   // nil for a plain file
	offset   int64       // what is before it was counted; a line begins there
	discard  int64       // bytes after offset that were counted elsewhere
	skipping bool        // offset is within a line that is too long
	begun    bool        // something was read of it
	head     []byte      // how the file begins

	// retired is when the file was replaced by another one, or was added to
	// after that: its writers may take some time to let go. Zero for the file in use.
	retired time.Time
	// complete: nothing is added to the file any more.
	complete bool
}

// headSize is how much of its beginning tells a file from others, in bytes. It
// holds the first lines with their times.
const headSize = 1024

// grace is how long a retired file is kept open after the last line was added.
const grace = 10 * time.Minute

// errTruncated tells that a file begins anew.
var errTruncated = errors.New("the file was truncated")

// openSegment opens a file that may end in .gz.
func openSegment(name string) (*segment, error) {
	f, info, err := options.OpenRegular(name)
	if err != nil {
		return nil, cause(err)
	}
	s := &segment{name: name, file: f, info: info}
	if strings.HasSuffix(name, ".gz") {
		s.complete = true
		s.unzip, err = newUnzipper(f)
	}
	if err == nil {
		err = s.readHead()
	}
	if err != nil {
		f.Close()
		return nil, cause(err)
	}
	return s, nil
}

func (s *segment) close() { s.file.Close() }

// seek moves to the line that the file held unfinished when it had size bytes.
func (s *segment) seek(size int64) error {
	info, err := s.file.Stat()
	if err != nil || info.Size() < size {
		return err // truncated since then: all of it is new
	}
	tail := make([]byte, min(size, headSize))
	for end := size; end > 0 && size-end < bufferSize; end -= int64(len(tail)) {
		tail = tail[:min(end, headSize)]
		if _, err := s.file.ReadAt(tail, end-int64(len(tail))); err != nil {
			return err
		}
		if i := bytes.LastIndexByte(tail, '\n'); i >= 0 {
			s.offset = end - int64(len(tail)) + int64(i) + 1
			return nil
		}
	}
	if size >= bufferSize {
		s.offset, s.skipping = size, true
	}
	return nil // else its first line was unfinished
}

// fill reads into buf what begins at the offset; less than all of buf at the end
// of the file.
func (s *segment) fill(buf []byte) (n int, err error) {
	if s.unzip != nil {
		return s.unzip.fill(buf, s.offset)
	}
	n, err = s.file.ReadAt(buf, s.offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, cause(err)
	}
	if n == 0 {
		size, err := s.size()
		if err != nil {
			return 0, err
		}
		if size < s.offset {
			return 0, errTruncated
		}
	}
	// Read after the data: if the file begins as before, so did the data.
	if err := s.readHead(); err != nil {
		return 0, err
	}
	return n, nil
}

// readHead reads how the file begins. A file that begins otherwise than before
// was truncated.
func (s *segment) readHead() error {
	if s.unzip != nil {
		head, err := s.unzip.peek(headSize)
		s.head = bytes.Clone(head)
		return err
	}
	var b [headSize]byte
	n, err := s.file.ReadAt(b[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return cause(err)
	}
	if s.offset > 0 && !bytes.HasPrefix(b[:n], s.head) {
		return errTruncated
	}
	if n > len(s.head) || s.offset == 0 {
		s.head = append(s.head[:0], b[:n]...)
	}
	return nil
}

func (s *segment) size() (int64, error) {
	info, err := s.file.Stat()
	if err != nil {
		return 0, cause(err)
	}
	return info.Size(), nil
}

// unread returns how many bytes of the file were not counted yet. Of a
// compressed file that is what is stored.
func (s *segment) unread() int64 {
	size, err := s.size()
	if err != nil {
		return 0
	}
	if s.unzip != nil {
		return size
	}
	return max(0, size-s.offset)
}

// over tells whether nothing more is expected of the file.
func (s *segment) over(now time.Time) bool {
	return s.complete || !s.retired.IsZero() && now.Sub(s.retired) > grace
}

// consume counts the lines of data, which was read at the offset; full tells
// that there was no room for more, last that nothing will follow. What is left
// is the beginning of a line, which is read again with its end.
func (s *segment) consume(c *counter, data []byte, full, last bool) {
	rest := data
	if s.discard > 0 {
		n := min(s.discard, int64(len(rest)))
		rest = rest[n:]
		s.discard -= n
	}
	for len(rest) > 0 {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			break
		}
		if !s.skipping {
			c.line(rest[:end])
		}
		s.skipping = false
		rest = rest[end+1:]
	}
	switch {
	case s.skipping:
		rest = nil
	case full && len(rest) == len(data):
		c.lines++
		c.reject(rest)
		s.skipping, rest = true, nil
	case last && len(rest) > 0:
		c.line(rest)
		rest = nil
	}
	consumed := len(data) - len(rest)
	if consumed > 0 && !s.retired.IsZero() {
		s.retired = time.Now()
	}
	s.offset += int64(consumed)
}

// cause returns err without the operation and the path that os adds.
func cause(err error) error {
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
