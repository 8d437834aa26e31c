package options

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// syntaxError puts an error of the YAML parser into our words and adds what is
// usually the cause.
func syntaxError(name string, text []byte, err error) *Error {
	var failed *yaml.LoadError
	if !errors.As(err, &failed) {
		return &Error{Position{File: name}, "not valid YAML: " + err.Error()}
	}
	if failed.Mark.Line == 0 {
		return unreadable(name, text, failed.Message)
	}
	message := "not valid YAML: " + plainly.Replace(unknownAnchor.ReplaceAllString(failed.Message, "unknown anchor; a text that begins with * stands in quotes")+" "+failed.ContextMsg)
	return &Error{Position{name, failed.Mark.Line, failed.Mark.Column}, strings.TrimSpace(message) + hint(text, failed.Mark.Line, failed.Message)}
}

// unknownAnchor is how the parser speaks of a text that begins with *, such as a
// password, which must not be quoted.
var unknownAnchor = regexp.MustCompile(`^unknown anchor '.*' referenced$`)

// plainly replaces the words of the YAML parser by those that people use.
var plainly = strings.NewReplacer(
	"mapping values are not allowed in this context", "a colon with a space behind it cannot stand here",
	"did not find expected key", "expected a key",
	"did not find expected", "expected",
	"found character that cannot start any token", "found a character with which no value begins",
	"while scanning for the next token", "",
	"a flow mapping", "{…}", "a flow sequence", "[…]",
	"a block mapping", "a mapping", "a block collection", "a list",
	"a block scalar", "a text", "a plain scalar", "a text", "a quoted scalar", "a text in quotes",
	"scanning", "reading", "parsing", "reading",
)

// unreadable tells of the first byte that is not UTF-8, or is a control
// character, which YAML knows nowhere. The parser does not say where it stands.
func unreadable(name string, text []byte, message string) *Error {
	at := Position{name, 1, 1}
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && size == 1:
			return &Error{at, fmt.Sprintf("not valid YAML: found the byte 0x%X, which is not UTF-8", text[0])}
		case r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f:
			return &Error{at, fmt.Sprintf("not valid YAML: found the control character %U", r)}
		case r == '\n':
			at.Line, at.Column = at.Line+1, 0
		}
		text = text[size:]
		at.Column++
	}
	return &Error{Position{File: name}, "not valid YAML: " + message}
}

// expression finds what looks like a jq path, variable or format in a line.
var expression = regexp.MustCompile(`(^|[\s(\[{|:,"])(\.[A-Za-z_\["]|[$@][a-z])`)

// hint guesses at the slip behind a syntax error in a line.
func hint(text []byte, number int, message string) string {
	lines := strings.Split(string(text), "\n")
	if number < 1 || number > len(lines) {
		return ""
	}
	line := lines[number-1]
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	switch {
	case strings.Contains(indent, "\t"):
		return "; YAML is indented with spaces, never with tabs"
	case expression.MatchString(line):
		return "; an expression with brackets, commas, colons or quotes in it needs quotes around all of it, or a block: |- after the key and the expression on the next line"
	case strings.Contains(message, "mapping values are not allowed"):
		return "; such a text needs quotes, and the keys of one mapping the same indentation"
	}
	return ""
}
