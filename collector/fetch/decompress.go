package fetch

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// inflaters are gzip readers that are used again.
type inflaters struct{ idle sync.Pool }

// read reads what an answer says from its body, at most limit bytes. It undoes
// the encoding that was asked for, gzip (RFC 9110 section 8.4.1); any other is an
// error.
func (p *inflaters) read(body io.Reader, a *answer, limit int64, reserve func(int) error) ([]byte, error) {
	switch encoding := strings.ToLower(a.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
		if a.ContentLength > limit {
			return nil, errTooLarge
		}
		return readAll(body, a.ContentLength, limit, reserve)
	case "gzip", "x-gzip":
		return p.inflate(body, a.ContentLength, limit, reserve)
	default:
		return nil, fmt.Errorf("the answer is encoded as %s, expected gzip or no encoding", nameOf(encoding))
	}
}

func (p *inflaters) inflate(body io.Reader, size, limit int64, reserve func(int) error) ([]byte, error) {
	z, _ := p.idle.Get().(*gzip.Reader)
	if z == nil {
		z = new(gzip.Reader)
	}
	defer p.idle.Put(z)
	switch err := z.Reset(body); {
	case errors.Is(err, io.EOF): // no body at all
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("the answer is said to be gzip: %w", err)
	}
	b, err := readAll(z, 4*size, limit, reserve)
	if err != nil && !errors.Is(err, errTooLarge) && !errors.Is(err, errOverloaded) {
		return nil, fmt.Errorf("the answer is broken gzip: %w", err)
	}
	return b, err
}

// nameOf quotes encodings that are known (RFC 9110 section 8.4.1, RFC 7932, RFC
// 8878), and no other words of the target's: they may be what it was sent.
func nameOf(encoding string) string {
	for name := range strings.SplitSeq(encoding, ",") {
		switch strings.TrimSpace(name) {
		case "gzip", "x-gzip", "compress", "deflate", "br", "zstd":
		default:
			return "something unknown"
		}
	}
	return strconv.Quote(encoding)
}
