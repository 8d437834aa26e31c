package fetch

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"

	"status_exporter/config/options"
)

// inflaters are gzip readers that are used again. They are no spare.Pool: they are few
// and of 36 KiB, and one that is not in use still refers to the answer that it read,
// which the next collection should take.
type inflaters struct{ idle sync.Pool }

// read reads what an answer says from its body, at most limit bytes. It undoes
// the encoding that was asked for, gzip (RFC 9110 section 8.4.1); any other is an
// error.
func (p *inflaters) read(body io.Reader, a *answer, limit int64, reserve func(int) error) ([]byte, error) {
	switch encoding := encodingOf(a.Header.Values("Content-Encoding")); encoding {
	case "":
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

// encodingOf returns the encodings that several lines of the header name one after the
// other, which mean the same as one line (RFC 9110 section 5.3), without those that
// change nothing.
func encodingOf(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	var names []string
	for name := range strings.SplitSeq(strings.ToLower(strings.Join(lines, ",")), ",") {
		if name = strings.TrimSpace(name); name != "" && name != "identity" {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
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
	return strconv.Quote(options.Shorten(encoding, options.Shown))
}
