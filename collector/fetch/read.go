package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"

	"status_exporter/collector/document"
)

// reserveLimit is how many bytes are set aside at most because an answer says
// that it will be so large.
const reserveLimit = 1 << 20

var errTooLarge = errors.New("too large")

// body reads the body of an answer to its end, at most limit bytes after
// decompression, and ends the exchange.
func (f *fetch) body(ctx context.Context, a *answer, limit int64) ([]byte, *document.Failure) {
	w := &wire{Reader: a.Body}
	body, err := f.client.inflaters.read(w, a, limit)
	if err == nil {
		a.drop()
		return body, nil
	}
	var failure *document.Failure
	switch {
	case errors.Is(err, errTooLarge):
		failure = document.Failf(document.ReasonTooLarge, "asking %s: the answer is larger than body_size_limit, %d bytes", a.shown, limit)
	case w.err != nil && w.err != io.EOF:
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
func readAll(r io.Reader, size, limit int64) ([]byte, error) {
	b := make([]byte, 0, max(bytes.MinRead, min(size+1, limit+1, reserveLimit)))
	for {
		if len(b) == cap(b) {
			b = slices.Grow(b, len(b))
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
