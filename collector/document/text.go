package document

import (
	"bytes"
	"context"
	"io"
	"mime"
	"strings"
	"unicode/utf8"
	"unsafe"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/runes"
)

// decodeText returns the text of a body as valid UTF-8. A byte order mark tells
// UTF-8 and UTF-16 and is left out; a body without one is in enc, or in UTF-8
// where enc is nil. Every byte that is not part of a character becomes U+FFFD.
//
// The text shares memory with body where nothing had to be changed: so do the
// strings that the decoders cut out of it, which therefore cost no copy. The
// contract of Decoder, that the body does not change while its value is in use,
// is what makes this sound.
func decodeText(body []byte, enc encoding.Encoding) string {
	switch {
	case bytes.HasPrefix(body, []byte("\xef\xbb\xbf")):
		body, enc = body[3:], nil
	case bytes.HasPrefix(body, []byte("\xfe\xff")), bytes.HasPrefix(body, []byte("\xff\xfe")):
		enc = unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	}
	if enc != nil {
		if converted, err := enc.NewDecoder().Bytes(body); err == nil {
			body = converted
		}
	}
	text := unsafe.String(unsafe.SliceData(body), len(body))
	if !utf8.ValidString(text) {
		return runes.ReplaceIllFormed().String(text)
	}
	return text
}

// declaredEncoding returns the encoding that the charset of a Content-Type
// names; UTF-8 where there is none or it is unknown.
func declaredEncoding(contentType string) encoding.Encoding {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil
	}
	enc, _ := encodingOf(params["charset"])
	return enc
}

// encodingOf returns the encoding with a name such as iso-8859-1; nil for UTF-8.
func encodingOf(name string) (encoding.Encoding, error) {
	enc, err := htmlindex.Get(name)
	if err != nil || enc == unicode.UTF8 {
		return nil, err
	}
	return enc, nil
}

// stripColours leaves out the ANSI escape sequences (ECMA-48) with which programs
// colour what they print.
func stripColours(text string) string {
	if strings.IndexByte(text, '\x1b') < 0 {
		return text
	}
	var b strings.Builder
	for {
		plain, after, found := strings.Cut(text, "\x1b")
		b.WriteString(plain)
		if !found {
			return b.String()
		}
		text = after[escapeLength(after):]
	}
}

// escapeLength returns how many bytes after an ESC belong to its sequence.
func escapeLength(text string) int {
	switch {
	case text == "":
		return 0
	case text[0] == '[': // a control sequence, ESC [ 1 m
		return sequenceLength(text, '?', '@')
	case text[0] == ']': // a command to the terminal, up to BEL or ESC \
		i := strings.IndexAny(text, "\x07\x1b")
		switch {
		case i < 0:
			return len(text)
		case strings.HasPrefix(text[i:], "\x1b\\"):
			return i + 2
		case text[i] == '\x07':
			return i + 1
		}
		return i
	case ' ' <= text[0] && text[0] <= '/': // the choice of a character set, ESC ( B
		return sequenceLength(text, '/', '0')
	case '0' <= text[0] && text[0] <= '~':
		return 1
	}
	return 0
}

// sequenceLength returns the length of a first byte, bytes from space to parameter,
// and a final byte from final to ~.
func sequenceLength(text string, parameter, final byte) int {
	i := 1
	for i < len(text) && ' ' <= text[i] && text[i] <= parameter {
		i++
	}
	if i < len(text) && final <= text[i] && text[i] <= '~' {
		i++
	}
	return i
}

// A reader reads a text and fails once its context has ended, so that a parser
// that is given much to read at once ends as well.
type reader struct {
	ctx  context.Context
	text string
}

func (r *reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	if r.text == "" {
		return 0, io.EOF
	}
	n := copy(b, r.text)
	r.text = r.text[n:]
	return n, nil
}
