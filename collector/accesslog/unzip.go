package accesslog

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
)

// An unzipper reads a compressed file from its beginning to its end. What a line
// left over is kept.
type unzipper struct {
	zip  *gzip.Reader
	at   int64  // position behind held
	held []byte // what was read last
}

func newUnzipper(f *os.File) (*unzipper, error) {
	zip, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("not compressed with gzip: %w", err)
	}
	return &unzipper{zip: zip}, nil
}

// fill reads into buf what begins at offset, which lies within what was read last;
// less than all of buf at the end of the file. It may return both data and an error.
func (u *unzipper) fill(buf []byte, offset int64) (n int, err error) {
	n = copy(buf, u.held[int64(len(u.held))-(u.at-offset):])
	for n < len(buf) && err == nil {
		var more int
		more, err = u.zip.Read(buf[n:])
		n += more
		u.at += int64(more)
	}
	u.held = append(u.held[:0], buf[:n]...)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, fmt.Errorf("decompressing with gzip: %w", err)
	}
	return n, nil
}

// peek returns the beginning, before anything else was read.
func (u *unzipper) peek(size int) ([]byte, error) {
	buf := make([]byte, size)
	n, err := u.fill(buf, 0)
	return buf[:n], err
}
