package document

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"unicode/utf8"
)

// wrongKind tells of a body that cannot be in the wanted format at a glance:
// nothing at all, or the HTML page of a login, a proxy or an error.
func wrongKind(text, wanted string) error {
	start := strings.TrimLeft(text, " \t\r\n")
	if start == "" {
		return fmt.Errorf("the answer is empty, expected %s", wanted)
	}
	if title, is := htmlPage(start); is {
		return fmt.Errorf("the answer is an HTML page%s, expected %s", title, wanted)
	}
	return nil
}

var (
	htmlStart = regexp.MustCompile(`(?is)^(?:<\?xml[^>]*\?>|<!--.*?-->|\s)*<(?:!doctype\s+html|html|head|body)\b`)
	htmlTitle = regexp.MustCompile(`(?is)<title[^>]*>\s*(.*?)\s*</title>`)
)

// htmlPage tells whether text begins as an HTML page does, and its title for a message.
func htmlPage(text string) (title string, is bool) {
	const far = 4096 // bytes within which a page shows what it is
	text = text[:min(len(text), far)]
	if !strings.HasPrefix(text, "<") || !htmlStart.MatchString(text) {
		return "", false
	}
	if found := htmlTitle.FindStringSubmatch(text); found != nil {
		title = fmt.Sprintf(" titled %q", excerpt(html.UnescapeString(found[1]), 60))
	}
	return title, true
}

// mistakeAt says what stands at an offset of the text instead of what was expected.
func mistakeAt(text string, offset int, expected string) error {
	line, column := position(text, offset)
	if offset == len(text) {
		return fmt.Errorf("the answer ends in the middle of the document, at line %d, column %d, expected %s", line, column, expected)
	}
	return fmt.Errorf("line %d, column %d: found %q, expected %s", line, column, excerpt(text[offset:], 20), expected)
}

// position returns the line and column of an offset; both begin at 1, and
// columns count characters.
func position(text string, offset int) (line, column int) {
	before := text[:offset]
	lineStart := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[lineStart:]) + 1
}

// excerpt returns the beginning of the first line of text, or its line break where
// there is nothing before it.
func excerpt(text string, characters int) string {
	if end := strings.IndexAny(text, "\r\n"); end >= 0 {
		text = text[:max(end, 1)]
	}
	for i := range text {
		if characters == 0 {
			return text[:i] + "..."
		}
		characters--
	}
	return text
}
