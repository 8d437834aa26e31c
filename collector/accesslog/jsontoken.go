package accesslog

import (
	"unicode/utf16"
	"unicode/utf8"
)

// A cursor goes through the text of a line. Its methods read what begins at the
// cursor and tell whether it is valid.
type cursor struct {
	text  []byte
	at    int
	entry *entry
}

func (c *cursor) end() bool {
	c.space()
	return c.at == len(c.text)
}

func (c *cursor) space() {
	for c.at < len(c.text) {
		switch c.text[c.at] {
		case ' ', '\t', '\n', '\r':
			c.at++
		default:
			return
		}
	}
}

// next tells whether b stands at the cursor, and passes it and the space behind it.
func (c *cursor) next(b byte) bool {
	if c.at == len(c.text) || c.text[c.at] != b {
		return false
	}
	c.at++
	c.space()
	return true
}

// word reads true, false or null.
func (c *cursor) word(word string) ([]byte, bool) {
	text := c.text[c.at:]
	if len(text) < len(word) || string(text[:len(word)]) != word {
		return nil, false
	}
	c.at += len(word)
	return text[:len(word)], true
}

// number reads a number and returns its text.
func (c *cursor) number() ([]byte, bool) {
	start := c.at
	if c.text[c.at] == '-' {
		c.at++
	}
	whole := c.digits()
	if whole == 0 || whole > 1 && c.text[c.at-whole] == '0' {
		return nil, false
	}
	if c.at < len(c.text) && c.text[c.at] == '.' {
		c.at++
		if c.digits() == 0 {
			return nil, false
		}
	}
	if c.at < len(c.text) && c.text[c.at]|0x20 == 'e' {
		c.at++
		if c.at < len(c.text) && (c.text[c.at] == '+' || c.text[c.at] == '-') {
			c.at++
		}
		if c.digits() == 0 {
			return nil, false
		}
	}
	return c.text[start:c.at], true
}

// digits passes digits and returns how many they were.
func (c *cursor) digits() int {
	start := c.at
	for c.at < len(c.text) && isDigit(c.text[c.at]) {
		c.at++
	}
	return c.at - start
}

// string reads a string. Its text, with escapes resolved, is returned only where
// it is wanted.
func (c *cursor) string(wanted bool) ([]byte, bool) {
	if c.at == len(c.text) || c.text[c.at] != '"' {
		return nil, false
	}
	c.at++
	start := c.at
	escapes := false
	for c.at < len(c.text) {
		switch b := c.text[c.at]; {
		case b == '"':
			text := c.text[start:c.at]
			c.at++
			if escapes && wanted {
				text = c.unescape(text)
			}
			return text, true
		case b == '\\':
			length := escapeLength(c.text[c.at:])
			if length == 0 {
				return nil, false
			}
			escapes = true
			c.at += length
		case b < 0x20:
			return nil, false
		default:
			c.at++
		}
	}
	return nil, false
}

// escapeLength returns the length of the escape that text begins with, or 0
// where it is none.
func escapeLength(text []byte) int {
	if len(text) < 2 {
		return 0
	}
	switch text[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(text); ok {
			return 6
		}
	}
	return 0
}

// hex4 returns the number of an escape \uXXXX.
func hex4(text []byte) (r rune, ok bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	for _, b := range text[2:6] {
		switch {
		case isDigit(b):
			r = r<<4 | rune(b-'0')
		case b|0x20 >= 'a' && b|0x20 <= 'f':
			r = r<<4 | rune(b|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// unescape returns text, whose escapes are valid, with its escapes resolved.
func (c *cursor) unescape(text []byte) []byte {
	scratch := c.entry.scratch
	start := len(scratch)
	for i := 0; i < len(text); {
		if text[i] != '\\' {
			scratch = append(scratch, text[i])
			i++
			continue
		}
		switch b := text[i+1]; b {
		case 'b':
			scratch = append(scratch, '\b')
		case 'f':
			scratch = append(scratch, '\f')
		case 'n':
			scratch = append(scratch, '\n')
		case 'r':
			scratch = append(scratch, '\r')
		case 't':
			scratch = append(scratch, '\t')
		case 'u':
			r, _ := hex4(text[i:])
			low, _ := hex4(text[i+6:])
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				r = pair
				i += 6
			}
			scratch = utf8.AppendRune(scratch, r)
			i += 4
		default:
			scratch = append(scratch, b)
		}
		i += 2
	}
	c.entry.scratch = scratch
	return scratch[start:len(scratch):len(scratch)]
}
