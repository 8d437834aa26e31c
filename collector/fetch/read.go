package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"status_exporter/collector/document"
)

// reserveLimit is how many bytes are set aside at most because an answer says
// that it will be so large.
const reserveLimit = 1 << 20

// ahead is how many times what a target has sent is set aside at most for what it
// says that it still has to send.
const ahead = 15

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

// A bodyBound is how many bytes bodies may have after decompression, those of all
// pages together.
type bodyBound struct {
	bytes, read int64  // and how many were read already
	name        string // with which errors tell of it
}

// body reads the body of an answer to its end and ends the exchange.
func (f *fetch) body(ctx context.Context, a *answer, bound bodyBound) ([]byte, *document.Failure) {
	w := &wire{Reader: a.Body}
	body, err := f.client.inflaters.read(w, a, bound.bytes-bound.read, f.reserve)
	a.whole = errors.Is(w.err, io.EOF)
	a.hop.trace.hasRead(w.bytes)
	if err == nil {
		a.drop()
		return body, nil
	}
	var failure *document.Failure
	switch {
	case errors.Is(err, errOverloaded):
		failure = document.Failf(document.ReasonOverloaded, "asking %s: %w", a.shown(), err)
	case errors.Is(err, errTooLarge):
		failure = document.Failf(document.ReasonTooLarge, "asking %s: the answer is larger than %s, %d bytes", a.shown(), bound.name, bound.bytes)
	case w.err != nil && !errors.Is(w.err, io.EOF):
		failure = failed(ctx, w.err, &a.hop.trace, a.shown())
	case timedOut(ctx, err):
		failure = failed(ctx, err, &a.hop.trace, a.shown())
	default:
		failure = document.Failf(document.ReasonEncoding, "asking %s: %w", a.shown(), err)
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
			grown := make([]byte, len(b), len(b)+more) // slices.Grow gives more than was asked for
			copy(grown, b)
			b = grown
			// Who has sent this much probably sends what was announced.
			more = cap(b)
			if left := min(size, limit) + 1 - int64(cap(b)); left > 0 {
				more = int(min(left, ahead*int64(more)))
			}
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
	err   error
	bytes int64
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	w.bytes += int64(n)
	if err != nil {
		w.err = err
	}
	return n, err
}
