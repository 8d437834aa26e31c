package document

import (
	"context"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"status_exporter/collector/tree"
)

// jsonDecoder decodes JSON (RFC 8259), and newline-delimited JSON as an array.
//
// It accepts and refuses what encoding/json does and gives the same value in a fifth
// of the time: the text is read once, strings and numbers are cut out of it, and a key
// that stands where it stood in the object before is compared instead of read.
type jsonDecoder struct{}

func (d jsonDecoder) Decode(ctx context.Context, body []byte, contentType string, limits Limits) (any, error) {
	return d.build(ctx, body, contentType, limits, new(tree.Builder))
}

func (jsonDecoder) build(ctx context.Context, body []byte, _ string, limits Limits, b *tree.Builder) (any, error) {
	p := jsonParser{text: decodeText(body, nil), meter: newMeter(ctx, limits), Builder: b}
	if err := wrongKind(p.text, "JSON"); err != nil {
		return nil, err
	}
	if err := p.document(); err != nil {
		return nil, err
	}
	return b.Root(), nil
}

type jsonParser struct {
	meter
	*tree.Builder
	text    string // valid UTF-8
	pos     int
	escaped bool // a key was written with escapes
}

// document reads the whole text: one value, or several on lines of their own.
func (p *jsonParser) document() error {
	begin := p.Mark()
	for several := false; ; several = true {
		if err := p.value(); err != nil {
			return err
		}
		end := p.pos
		p.next()
		switch {
		case p.pos == len(p.text) && several:
			p.CloseArray(begin)
			return p.count(1)
		case p.pos == len(p.text):
			return nil
		case !strings.Contains(p.text[end:p.pos], "\n"):
			return mistakeAt(p.text, p.pos, "the end of the document, or a line break before the next one")
		}
	}
}

func (p *jsonParser) value() error {
	if err := p.count(1); err != nil {
		return err
	}
	switch p.next() {
	case '{':
		return p.object()
	case '[':
		return p.array()
	case '"':
		text, err := p.string()
		p.String(text)
		return err
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		text, err := p.number()
		if err != nil {
			return err
		}
		p.Number(text)
		return shortNumber(text)
	case 't':
		p.Bool(true)
		return p.literal("true")
	case 'f':
		p.Bool(false)
		return p.literal("false")
	case 'n':
		p.Null()
		return p.literal("null")
	}
	return mistakeAt(p.text, p.pos, "a value")
}

func (p *jsonParser) object() error {
	if err := p.enter(); err != nil {
		return err
	}
	defer p.leave()
	begin := p.Mark()
	p.pos++
	if p.next() == '}' {
		p.pos++
		p.CloseObject(begin)
		return nil
	}
	for {
		if p.next() != '"' {
			return mistakeAt(p.text, p.pos, "a key in quotes")
		}
		key, err := p.key(p.Guess(&begin))
		if err != nil {
			return err
		}
		p.Key(key)
		if p.next() != ':' {
			return mistakeAt(p.text, p.pos, `":"`)
		}
		p.pos++
		if err := p.value(); err != nil {
			return err
		}
		switch p.next() {
		case ',':
			p.pos++
		case '}':
			p.pos++
			if err := p.members(p.Keys(begin)); err != nil {
				return err
			}
			p.CloseObject(begin)
			return nil
		default:
			return mistakeAt(p.text, p.pos, `"," or "}"`)
		}
	}
}

// key reads a key, its opening quote included, which is probably the guess. Guesses
// end with the first key that has escapes: it is not spelled as it reads.
func (p *jsonParser) key(guess string) (string, error) {
	rest := p.text[p.pos+1:]
	if guess != "" && !p.escaped && len(rest) > len(guess) && rest[len(guess)] == '"' && rest[:len(guess)] == guess {
		p.pos += len(guess) + 2
		return guess, nil
	}
	start := p.pos
	key, err := p.string()
	p.escaped = p.escaped || p.pos-start != len(key)+2
	return key, err
}

func (p *jsonParser) array() error {
	if err := p.enter(); err != nil {
		return err
	}
	defer p.leave()
	begin := p.Mark()
	p.pos++
	if p.next() == ']' {
		p.pos++
		p.CloseArray(begin)
		return nil
	}
	for {
		if err := p.value(); err != nil {
			return err
		}
		switch p.next() {
		case ',':
			p.pos++
		case ']':
			p.pos++
			p.CloseArray(begin)
			return nil
		default:
			return mistakeAt(p.text, p.pos, `"," or "]"`)
		}
	}
}

// next skips white space and returns the byte that follows, 0 at the end.
func (p *jsonParser) next() byte {
	for ; p.pos < len(p.text); p.pos++ {
		switch c := p.text[p.pos]; c {
		case ' ', '\n', '\t', '\r':
		default:
			return c
		}
	}
	return 0
}

// peek returns the next byte, 0 at the end.
func (p *jsonParser) peek() byte {
	if p.pos == len(p.text) {
		return 0
	}
	return p.text[p.pos]
}

func (p *jsonParser) literal(word string) error {
	for i := range len(word) {
		if p.peek() != word[i] {
			return mistakeAt(p.text, p.pos, word)
		}
		p.pos++
	}
	return nil
}

// number reads a number in the grammar of RFC 8259, section 6, and keeps its spelling.
func (p *jsonParser) number() (string, error) {
	start := p.pos
	if p.peek() == '-' {
		p.pos++
	}
	if p.peek() == '0' {
		p.pos++
	} else if !p.digits() {
		return "", mistakeAt(p.text, p.pos, "a digit")
	}
	if p.peek() == '.' {
		p.pos++
		if !p.digits() {
			return "", mistakeAt(p.text, p.pos, "a digit after the decimal point")
		}
	}
	if p.peek()|0x20 == 'e' {
		p.pos++
		if c := p.peek(); c == '+' || c == '-' {
			p.pos++
		}
		if !p.digits() {
			return "", mistakeAt(p.text, p.pos, "a digit of the exponent")
		}
	}
	return p.text[start:p.pos], nil
}

// digits skips digits and tells whether there were any.
func (p *jsonParser) digits() bool {
	rest := p.text[p.pos:]
	n := 0
	for n < len(rest) && rest[n]-'0' <= 9 {
		n++
	}
	p.pos += n
	return n > 0
}

// string reads a string, its opening quote included. It is a piece of the text,
// or a copy where it holds escapes.
func (p *jsonParser) string() (string, error) {
	p.pos++
	var unescaped []byte
	for {
		plain := p.text[p.pos:]
		plain = plain[:plainLength(plain)]
		if p.pos += len(plain); p.pos == len(p.text) {
			return "", mistakeAt(p.text, p.pos, "a closing quote")
		}
		switch p.text[p.pos] {
		case '"':
			p.pos++
			if unescaped == nil {
				return plain, nil
			}
			return string(append(unescaped, plain...)), nil
		case '\\':
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			unescaped = utf8.AppendRune(append(unescaped, plain...), r)
		default:
			return "", mistakeAt(p.text, p.pos, "control characters in a string to be escaped")
		}
	}
}

// plainLength returns how much of s a string holds as it stands.
func plainLength(s string) int {
	for i := range len(s) {
		if c := s[i]; c == '"' || c == '\\' || c < ' ' {
			return i
		}
	}
	return len(s)
}

// escape reads one escape sequence. Half a surrogate pair stands for U+FFFD.
func (p *jsonParser) escape() (rune, error) {
	if p.pos+1 == len(p.text) {
		return 0, mistakeAt(p.text, len(p.text), "an escape")
	}
	if r, ok := p.unit(); ok {
		if end := p.pos; utf16.IsSurrogate(r) {
			low, _ := p.unit()
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				p.pos = end
			}
		}
		return r, nil
	}
	i := strings.IndexByte(`"\/bfnrt`, p.text[p.pos+1])
	if i < 0 {
		return 0, mistakeAt(p.text, p.pos, `an escape such as \n or \u00e9`)
	}
	p.pos += 2
	return rune("\"\\/\b\f\n\r\t"[i]), nil
}

// unit reads \uXXXX, if that stands here: one unit of UTF-16.
func (p *jsonParser) unit() (rune, bool) {
	hex, is := strings.CutPrefix(p.text[p.pos:], `\u`)
	if !is || len(hex) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(hex[:4], 16, 16)
	if err != nil {
		return 0, false
	}
	p.pos += 6
	return rune(n), true
}
