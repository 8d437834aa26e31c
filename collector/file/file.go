// Package file is the source that reads a status document from a file which the
// configuration names: its path and a size limit go in, one document comes out.
// The file is opened, read and decoded anew at every scrape.
package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"status_exporter/collector/document"
)

// A Source reads one file. It is immutable and safe for concurrent use.
type Source struct {
	options Options
	format  document.Format
	limits  document.Limits
}

// New returns a source that reads the file in the given format and within the
// limits. The file need not exist yet.
func New(o *Options, format document.Format, limits document.Limits) (*Source, error) {
	return &Source{*o, format, limits}, nil
}

// Close has nothing to release: no file is kept open between scrapes.
func (s *Source) Close() error { return nil }

// Read returns the document named document.Status. It fails with ReasonRead for
// what cannot be read or is no regular file, ReasonTooLarge, ReasonDecode or
// what the format's decoder tells, and ReasonTimeout.
func (s *Source) Read(ctx context.Context) []*document.Document {
	doc := &document.Document{Name: document.Status, Bytes: -1}
	start := time.Now()
	body, err := s.contents(ctx)
	doc.Phases[document.PhaseTransfer] = time.Since(start)
	if err != nil {
		doc.Failure = document.AsFailure(ctx, document.ReasonRead, fmt.Errorf("reading the file %s: %w", s.options.Path, err))
		return []*document.Document{doc}
	}
	doc.Bytes = int64(len(body))

	start = time.Now()
	doc.Value, err = s.format.Decode(ctx, body, "", s.limits)
	doc.Phases[document.PhaseDecode] = time.Since(start)
	if err != nil {
		doc.Value = nil
		doc.Failure = document.AsFailure(ctx, document.ReasonDecode, fmt.Errorf("decoding the file %s as %s: %w", s.options.Path, s.format.Name, err))
	}
	return []*document.Document{doc}
}

// contents returns the whole file. Its errors do not name the file.
func (s *Source) contents(ctx context.Context) ([]byte, error) {
	info, err := os.Stat(s.options.Path)
	if err != nil {
		return nil, cause(err)
	}
	// Opening a named pipe waits for its writer, past any deadline.
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("found %s, expected a regular file", kind(info.Mode()))
	}
	f, err := os.Open(s.options.Path)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()

	limit := s.options.BodySizeLimit
	var body bytes.Buffer
	// One byte above the limit tells too large from just fitting; files in /proc
	// say that their size is 0, so the size is only a hint.
	body.Grow(int(min(info.Size(), limit)) + bytes.MinRead)
	_, err = body.ReadFrom(io.LimitReader(untilDone{ctx, f}, limit+1))
	if err != nil {
		return nil, cause(err)
	}
	if int64(body.Len()) > limit {
		return nil, document.Failf(document.ReasonTooLarge, "it is larger than body_size_limit, %d bytes", limit)
	}
	return body.Bytes(), nil
}

// untilDone reads until its context is done.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}

// cause returns err without the operation and the path that os adds.
func cause(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

func kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	default:
		return "a device"
	}
}
