package collector

import (
	"html"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A reading is a text as it is or with its escapes undone. Programs differ in what
// they escape and how (\/, \u00e4, \u00E4, %2f, &#39;), and an error message may quote
// a text that was quoted before: so not all spellings of a secret are looked for in
// a text, but the secret in all readings of the text.
type reading struct {
	text string
	at   []int // where each byte, and the end, stand in the text as it is; nil: at the same place
}

// place returns where byte i of the reading stands in the text as it is.
func (r reading) place(i int) int {
	if r.at == nil {
		return i
	}
	return r.at[i]
}

// An escape is a way to write a character: its first byte, and what undoes it at the
// beginning of a text. That returns the number of bytes read, 0 where there is none.
type escape struct {
	first byte
	undo  func(s string) (text string, length int)
}

var escapes = []escape{{'\\', unquote}, {'%', unescapeURL}, {'&', unescapeHTML}}

// misread returns what may be said of a secret by programs that do not write it as it
// is, where no escape tells of that.
func misread(secret string) []string {
	others := []string{
		strings.Join(strings.Fields(secret), " "), // put on one line
		strings.ReplaceAll(secret, " ", "+"),      // as in the query of a URL
		strings.ReplaceAll(secret, "'", "''"),     // as in SQL and YAML
		strings.ReplaceAll(secret, `"`, `""`),     // as in CSV
	}
	if unescaped, err := url.PathUnescape(secret); err == nil {
		others = append(others, unescaped) // it may be escaped in another way
	}
	if !utf8.ValidString(secret) {
		others = append(others, string([]rune(secret))) // as in JSON
	}
	if strings.ContainsFunc(secret, func(r rune) bool { return r >= utf8.RuneSelf }) {
		read := make([]rune, len(secret)) // as Latin-1
		for i := range len(secret) {
			read[i] = rune(secret[i])
		}
		others = append(others, string(read))
		if written, ok := latin1(secret); ok {
			others = append(others, written, string([]rune(written)))
		}
	}
	return others
}

// latin1 returns a text in Latin-1, which has only the first 256 characters.
func latin1(text string) (string, bool) {
	var written []byte
	for _, r := range text {
		if r > 0xff {
			return "", false
		}
		written = append(written, byte(r))
	}
	return string(written), true
}

// readings returns a text and its readings in which escapes were undone at most twice.
func readings(text string) []reading {
	all := []reading{{text: text}}
	for from := range 2 {
		last := all
		if from > 0 {
			last = all[1:]
		}
		for _, r := range last {
			for _, e := range escapes {
				if undone, ok := r.without(e); ok {
					all = append(all, undone)
				}
			}
		}
	}
	return all
}

// without returns the reading with an escape undone; ok is false where it has none.
func (r reading) without(e escape) (undone reading, ok bool) {
	if strings.IndexByte(r.text, e.first) < 0 {
		return reading{}, false
	}
	text := make([]byte, 0, len(r.text))
	at := make([]int, 0, len(r.text)+1)
	for i := 0; i < len(r.text); {
		if r.text[i] == e.first {
			if meant, length := e.undo(r.text[i:]); length > 0 {
				for range len(meant) {
					at = append(at, r.place(i))
				}
				text = append(text, meant...)
				i += length
				ok = true
				continue
			}
		}
		text, at = append(text, r.text[i]), append(at, r.place(i))
		i++
	}
	return reading{string(text), append(at, r.place(len(r.text)))}, ok
}

// unquote undoes what JSON, JavaScript and Go write after a backslash.
func unquote(s string) (string, int) {
	if len(s) < 2 {
		return "", 0
	}
	switch c := s[1]; c {
	case '0', '1', '2', '3': // of C and Python
		if len(s) >= 4 {
			if n, err := strconv.ParseUint(s[1:4], 8, 8); err == nil {
				return string([]byte{byte(n)}), 4
			}
		}
	case '"', '\'', '\\', '/':
		return s[1:2], 2
	case 'x':
		if n, ok := hexadecimal(s, 2, 2); ok {
			return string([]byte{byte(n)}), 4
		}
	case 'U':
		if n, ok := hexadecimal(s, 2, 8); ok {
			return string(n), 10
		}
	case 'u':
		n, ok := hexadecimal(s, 2, 4)
		switch {
		case !ok:
		case !utf16.IsSurrogate(n):
			return string(n), 6
		case len(s) >= 12 && s[6] == '\\' && s[7] == 'u':
			if second, ok := hexadecimal(s, 8, 4); ok && utf16.DecodeRune(n, second) != utf8.RuneError {
				return string(utf16.DecodeRune(n, second)), 12
			}
		}
	default:
		if i := strings.IndexByte("abfnrtv", c); i >= 0 {
			return "\a\b\f\n\r\t\v"[i : i+1], 2
		}
	}
	return "", 0
}

func hexadecimal(s string, from, digits int) (rune, bool) {
	if len(s) < from+digits {
		return 0, false
	}
	n, err := strconv.ParseUint(s[from:from+digits], 16, 31)
	return rune(n), err == nil //nolint:gosec // 31 bits
}

func unescapeURL(s string) (string, int) {
	if len(s) < 3 {
		return "", 0
	}
	text, err := url.PathUnescape(s[:3])
	if err != nil {
		return "", 0
	}
	return text, 3
}

// longestEntity is the most of a text that is read as an entity of HTML.
const longestEntity = 12

func unescapeHTML(s string) (string, int) {
	s = s[:min(len(s), longestEntity)]
	end := strings.IndexByte(s, ';') + 1
	if strings.HasPrefix(s, "&#") {
		// Browsers read a number without its end as well.
		digits := strings.TrimLeft(s[2:], "xX")
		rest := strings.TrimLeft(digits, "0123456789abcdefABCDEF")
		if digits == s[2:] {
			rest = strings.TrimLeft(digits, "0123456789")
		}
		end = len(s) - len(strings.TrimPrefix(rest, ";"))
	}
	text := html.UnescapeString(s[:end])
	if text == s[:end] {
		return "", 0
	}
	return text, end
}
