package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"status_exporter/collector/document"
)

// reserveLimit is how many bytes are set aside at most because an answer says
// that it will be so large.
const reserveLimit = 1 << 20

var (
	errTooLarge   = errors.New("too large")
	errOverloaded = errors.New("the exporter is overloaded")
)

// reserve asks for memory for n more bytes of a body.
func (f *fetch) reserve(n int) error {
	if f.share == nil {
		return nil
	}
	if err := f.share.Reserve(int64(n)); err != nil {
		return fmt.Errorf("%w: %w", errOverloaded, err)
	}
	return nil
}

// body reads the body of an answer to its end, at most limit bytes after
// decompression, and ends the exchange.
func (f *fetch) body(ctx context.Context, a *answer, limit int64) ([]byte, *document.Failure) {
	w := &wire{Reader: a.Body}
	body, err := f.client.inflaters.read(w, a, limit, f.reserve)
	if err == nil {
		a.drop()
		return body, nil
	}
	var failure *document.Failure
	switch {
	case errors.Is(err, errOverloaded):
		failure = document.Failf(document.ReasonOverloaded, "asking %s: %w", a.shown, err)
	case errors.Is(err, errTooLarge):
		failure = document.Failf(document.ReasonTooLarge, "asking %s: the answer is larger than body_size_limit, %d bytes", a.shown, limit)
	case w.err != nil && !errors.Is(w.err, io.EOF):
		failure = failed(ctx, w.err, a.trace, a.shown)
	case timedOut(ctx, err):
		failure = failed(ctx, err, a.trace, a.shown)
	default:
		failure = document.Failf(document.ReasonEncoding, "asking %s: %w", a.shown, err)
	}
	a.drop()
	return nil, failure
}

// readAll reads r to its end, at most limit bytes; size is how many are expected.
// reserve is asked for every piece of memory before it is used.
func readAll(r io.Reader, size, limit int64, reserve func(int) error) ([]byte, error) {
	var b []byte
	more := int(max(bytes.MinRead, min(size+1, limit+1, reserveLimit)))
	for {
		if len(b) == cap(b) {
			if err := reserve(more); err != nil {
				return nil, err
			}
			b = slices.Grow(b, more)
			more = cap(b)
		}
		n, err := r.Read(b[len(b):min(int64(cap(b)), limit+1)])
		b = b[:len(b)+n]
		switch {
		case int64(len(b)) > limit:
			return nil, errTooLarge
		case err == io.EOF:
			return b, nil
		case err != nil:
			return nil, err
		}
	}
}

// A wire remembers how reading from the network ended, to tell a broken
// connection from a broken encoding.
type wire struct {
	io.Reader
	err error
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if err != nil {
		w.err = err
	}
	return n, err
}
