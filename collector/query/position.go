package query

import (
	"strings"
	"unicode/utf8"
)

// position returns where part stands first or last in text, counted in
// letters, or nil.
func position(text, part string, last bool) any {
	text, part = letters(text), letters(part)
	i := strings.Index(text, part)
	if last {
		i = strings.LastIndex(text, part)
	}
	if i < 0 || part == "" {
		return nil
	}
	return utf8.RuneCountInString(text[:i])
}

// positions returns every place where part stands in text, also those that
// overlap.
func positions(m *meter, text, part string) any {
	text, part = letters(text), letters(part)
	found := []any{}
	if part == "" {
		return found
	}
	_, width := utf8.DecodeRuneInString(part)
	for at := 0; ; {
		i := strings.Index(text, part)
		if i < 0 {
			return found
		}
		if err := m.check(); err != nil {
			return err
		}
		at += utf8.RuneCountInString(text[:i])
		found = append(found, at)
		at, text = at+1, text[i+width:]
	}
}

// letters replaces each byte that is no part of a letter by U+FFFD, as jq does.
func letters(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return string([]rune(text))
}
