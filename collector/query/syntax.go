package query

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/itchyny/gojq"
)

// A SyntaxError says what is wrong with an expression and where.
type SyntaxError struct {
	Source  string // the expression
	Offset  int    // where it goes wrong, in bytes; -1 where there is no such place
	Problem string
	Hint    string // what was probably meant; may be empty
}

// Error returns one line.
func (e *SyntaxError) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "the expression %s is wrong", excerpt(e.Source, e.Offset))
	if e.Offset >= 0 && e.Offset < len(e.Source) {
		fmt.Fprintf(&s, " at character %d", 1+utf8.RuneCountInString(e.Source[:e.Offset]))
	}
	s.WriteString(": " + e.Problem)
	if e.Hint != "" {
		s.WriteString("; " + e.Hint)
	}
	return s.String()
}

// excerpt returns an expression on one line, or the part of it around offset.
func excerpt(source string, offset int) string {
	const around = 60
	start, end := 0, len(source)
	if end > 2*around {
		start, end = max(0, offset-around), min(end, max(offset, around)+around)
	}
	for start > 0 && !utf8.RuneStart(source[start]) {
		start--
	}
	for end < len(source) && !utf8.RuneStart(source[end]) {
		end++
	}
	shown := oneLine(source[start:end])
	if start > 0 {
		shown = "…" + shown
	}
	if end < len(source) {
		shown += "…"
	}
	return backquoted(shown)
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func backquoted(text string) string { return "`" + text + "`" }

const wholeDocument = "the whole document is a single dot"

// parseError puts an error of jq's parser into our words.
func parseError(source string, err error) error {
	e := &SyntaxError{Source: source, Offset: len(source)}
	var cause *gojq.ParseError
	if !errors.As(err, &cause) {
		e.Problem = err.Error()
		return e
	}
	e.Offset = min(max(cause.Offset-len(cause.Token), 0), len(source))
	e.Hint = parseHint(source, e.Offset, cause.Token)
	switch text := cause.Error(); {
	case strings.HasPrefix(text, "unterminated"):
		e.Offset = strings.LastIndexByte(source, '"')
		e.Problem, e.Hint = "the text that begins here does not end", ""
	case strings.HasPrefix(text, "invalid escape"):
		e.Problem = fmt.Sprintf("%s is no escape sequence of a JSON text", oneLine(cause.Token))
		e.Hint = `a backslash is written \\, in a regular expression too: test("\\d")`
	case cause.Token == "":
		e.Problem = "it ends too early"
		if e.Hint == "" {
			e.Hint = open(source)
		}
	default:
		e.Problem = fmt.Sprintf("jq expects no %s here", excerpt(cause.Token, 0))
	}
	return e
}

var bracket = regexp.MustCompile(`[][(){}]|\b(?:if|end)\b`)

// open tells which bracket of an expression is not closed.
func open(source string) string {
	closing := map[string]string{"(": ")", "[": "]", "{": "}", "if": "end"}
	var pending [][]int
	masked := withoutTexts(source)
	for _, at := range bracket.FindAllStringIndex(masked, -1) {
		if closing[masked[at[0]:at[1]]] != "" {
			pending = append(pending, at)
		} else if len(pending) > 0 {
			pending = pending[:len(pending)-1]
		}
	}
	if len(pending) == 0 {
		return "something is missing after it"
	}
	at := pending[len(pending)-1]
	word := source[at[0]:at[1]]
	return fmt.Sprintf("the %s at character %d needs its %s", word, 1+utf8.RuneCountInString(source[:at[0]]), closing[word])
}

var jqText = regexp.MustCompile(`"(?:[^"\\]|\\[^(])*"`)

// withoutTexts replaces what stands in quotes by blanks of the same length.
func withoutTexts(source string) string {
	return jqText.ReplaceAllStringFunc(source, func(text string) string { return strings.Repeat(" ", len(text)) })
}

// compileError puts an error of jq's compiler into our words.
func compileError(source string, err error) error {
	text := err.Error()
	e := &SyntaxError{Source: source, Offset: -1, Problem: text}
	problem, name, _ := strings.Cut(text, ": ")
	switch {
	case problem == "variable not defined":
		e.Offset = find(source, name)
		e.Problem, e.Hint = "there is no variable "+name, variableHint(name)
	case problem == "function not defined":
		name, arity, _ := strings.Cut(name, "/")
		e.Offset = find(source, name)
		e.Problem, e.Hint = functionHint(source, e.Offset, name, arity)
	case problem == "label not defined":
		e.Offset = find(source, name)
		e.Problem = "there is no label " + name
	case errors.Is(err, errEnvironment):
		e.Problem = "the environment cannot be read here"
		e.Hint = "the parameters of the module are $vars"
	case strings.HasPrefix(text, "input(s)"):
		e.Problem = "input and inputs have nothing to read here"
		e.Hint = "the document is $root, and all documents are $docs"
	case strings.HasPrefix(text, "missing query"):
		e.Problem, e.Hint = "it says nothing", wholeDocument
	}
	return e
}

// find returns where a word stands that is neither a field nor part of a text,
// or -1.
func find(source, word string) int {
	masked := withoutTexts(source)
	for from := 0; ; {
		i := strings.Index(masked[from:], word)
		if i < 0 {
			return strings.Index(source, word)
		}
		i += from
		from = i + len(word)
		if (i == 0 || !isWordByte(masked[i-1]) && masked[i-1] != '.') && (from == len(masked) || !isWordByte(masked[from])) {
			return i
		}
	}
}

func isWordByte(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '_' || b == '$'
}
