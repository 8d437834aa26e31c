// Package file is the source that reads a status document from a file which the
// configuration names: its path and a size limit go in, one document comes out.
// The file is opened, read and decoded anew at every scrape.
package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"status_exporter/collector/document"
	"status_exporter/config/options"
)

// A Source reads one file. It is safe for concurrent use: concurrent scrapes read it
// one after the other.
type Source struct {
	options Options
	format  document.Format
	limits  document.Limits
	open    func(name string) (*os.File, fs.FileInfo, error)

	// turn holds one token, which who opens the file has. Some files keep their
	// reader waiting and take no notice of a deadline, such as those of a server that
	// is gone: then one reader waits, and not one more for every scrape.
	turn chan struct{}
}

// New returns a source that reads the file in the given format and within the
// limits. The file need not exist yet.
func New(o *Options, format document.Format, limits document.Limits) (*Source, error) {
	return &Source{*o, format, limits, options.OpenRegular, make(chan struct{}, 1)}, nil
}

// Close has nothing to release: no file is kept open between scrapes.
func (s *Source) Close() error { return nil }

// Read returns the document named document.Status. It fails with ReasonRead for
// what cannot be read or is no regular file, ReasonTooLarge, ReasonDecode or
// what the format's decoder tells, ReasonOverloaded and ReasonTimeout.
func (s *Source) Read(ctx context.Context, share document.Share) []*document.Document {
	doc := &document.Document{Name: document.Status, Bytes: -1}
	if err := s.read(ctx, share, doc); err != nil {
		doc.Failure = document.AsFailure(ctx, document.ReasonOverloaded, err)
	}
	return []*document.Document{doc}
}

func (s *Source) read(ctx context.Context, share document.Share, doc *document.Document) error {
	start := time.Now()
	body, err := s.contents(ctx, share)
	doc.Phases[document.PhaseTransfer] = time.Since(start)
	if err != nil {
		return document.AsFailure(ctx, document.ReasonRead, fmt.Errorf("reading the file %s: %w", s.options.Path, err))
	}
	doc.Bytes = int64(len(body))

	if err := share.Wait(ctx); err != nil {
		return fmt.Errorf("decoding the file %s: %w", s.options.Path, err)
	}
	limits := s.limits
	limits.Share = share
	start = time.Now()
	value, err := doc.Decode(ctx, s.format, body, "", limits)
	doc.Phases[document.PhaseDecode] = time.Since(start)
	if err != nil {
		return document.AsFailure(ctx, document.ReasonDecode, fmt.Errorf("decoding the file %s as %s: %w", s.options.Path, s.format.Name, err))
	}
	if err := share.Decoded(doc.Values); err != nil {
		return fmt.Errorf("decoding the file %s: %w", s.options.Path, err)
	}
	doc.Value = value
	return nil
}

// contents returns the whole file. Its errors do not name the file.
func (s *Source) contents(ctx context.Context, share document.Share) ([]byte, error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("an earlier scrape is still waiting for the file system: %w", context.Cause(ctx))
	}
	c := &claim{ctx: ctx, share: share}
	defer c.end()
	return document.Abandonable(ctx, func() ([]byte, error) {
		defer func() { <-s.turn }()
		return s.readAll(c)
	})
}

// readAll returns the whole file.
func (s *Source) readAll(c *claim) ([]byte, error) {
	f, info, err := s.open(s.options.Path)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	// It ends reading where the system can, /proc/kmsg for example.
	defer context.AfterFunc(c.ctx, func() { _ = f.SetReadDeadline(time.Unix(1, 0)) })()

	limit := s.options.BodySizeLimit
	var body []byte
	// Files in /proc say that their size is 0, so the size is only a hint. One byte
	// above the limit tells too large from just fitting, one above the size its end.
	more := min(max(info.Size(), leastRead-1), limit) + 1
	for {
		if len(body) == cap(body) {
			if err := c.reserve(more); err != nil {
				return nil, err
			}
			grown := make([]byte, len(body), int64(len(body))+more)
			copy(grown, body)
			body = grown
			more = min(int64(len(body)), limit+1-int64(cap(body)))
		}
		n, err := f.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > limit:
			return nil, document.Failf(document.ReasonTooLarge, "it is larger than body_size_limit, %d bytes", limit)
		case err == io.EOF:
			return body, nil
		case err != nil:
			return nil, cause(err)
		case c.ctx.Err() != nil:
			return nil, context.Cause(c.ctx)
		}
	}
}

// leastRead is how many bytes are read at once at least.
const leastRead = 512

// A claim asks for memory in the name of a probe until that has ended, which a reader
// may outlive.
type claim struct {
	ctx   context.Context
	mu    sync.Mutex
	share document.Share // nil: it has ended
}

func (c *claim) reserve(n int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.share == nil {
		return context.Cause(c.ctx)
	}
	if err := c.share.Reserve(n); err != nil {
		return document.Failf(document.ReasonOverloaded, "%w", err)
	}
	return nil
}

func (c *claim) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.share = nil
}

// cause returns err without the operation and the path that os adds.
func cause(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
