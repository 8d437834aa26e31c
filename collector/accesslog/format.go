package accesslog

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// A parser finds in a line what is counted. It tells whether the line is of its
// format. It is immutable and safe for concurrent use.
type parser interface {
	parse(line []byte, e *entry) bool
}

// namedFormats are Apache's names; nginx's combined is the same.
// https://httpd.apache.org/docs/2.4/logs.html#accesslog
var namedFormats = map[string]string{
	"common":   `%h %l %u %t "%r" %>s %b`,
	"combined": `%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-agent}i"`,
}

// compileFormat compiles the name of a format, or a format as it stands in the
// configuration of nginx or Apache: the string alone, or the whole directive.
func compileFormat(text string) (*scanner, error) {
	text = strings.TrimSpace(text)
	if named, ok := namedFormats[text]; ok {
		text = named
	}
	parts, err := split(text)
	if err != nil {
		return nil, err
	}
	return compile(parts)
}

var nginxVariable = regexp.MustCompile(`\$\{?[a-z]`)

func split(text string) ([]part, error) {
	switch {
	case hasWord(text, "log_format"):
		format, err := nginxDirective(text)
		if err != nil {
			return nil, err
		}
		return splitNginx(format)
	case hasWord(text, "LogFormat"):
		format, err := apacheDirective(text)
		if err != nil {
			return nil, err
		}
		return splitApache(format)
	case nginxVariable.MatchString(text):
		if strings.HasPrefix(text, "'") { // the strings of the directive
			format, err := joinStrings(text)
			if err != nil {
				return nil, err
			}
			text = format
		}
		return splitNginx(text)
	case strings.Contains(text, "%"):
		return splitApache(text)
	}
	return nil, fmt.Errorf("the format %q is not known, expected common, combined, json, or a string as after log_format in nginx ($status …) or LogFormat in Apache (%%>s …)", text)
}

func hasWord(text, word string) bool {
	return strings.HasPrefix(text, word) && len(text) > len(word) && (text[len(word)] == ' ' || text[len(word)] == '\t')
}

// A part of a format is a literal text, or a variable with what it holds.
type part struct {
	literal string // "" in a variable
	name    string // of a variable, as it is written
	field   field
	rank    int     // of several variables of a field, the one with the lowest rank is read
	scale   float64 // of times, in seconds
	list    bool    // may hold several values, with ", " and " : " between them
	query   bool    // a query, or the question mark before it
}

// An op reads one variable and the literal behind it.
type op struct {
	field  field
	scale  float64
	until  string // "" at the end of the line
	quoted bool   // a quote after a backslash does not end it
	list   bool
}

// A scanner reads lines of a text format in one pass. Every variable ends where
// the literal behind it begins for the first time.
type scanner struct {
	prefix string
	ops    []op
	fields map[field]bool // that are read
}

// compile chooses a variable for every field and checks that each has an end.
func compile(parts []part) (*scanner, error) {
	s := &scanner{fields: make(map[field]bool)}
	chosen := choose(parts)
	for i, p := range parts {
		read := chosen[p.field] == i+1
		switch {
		case p.literal != "" && i == 0:
			s.prefix = p.literal
		case p.literal != "":
			last := &s.ops[len(s.ops)-1]
			last.until = p.literal
			last.quoted = last.quoted && p.literal[0] == '"'
		case i > 0 && parts[i-1].literal == "":
			if !read && s.ops[len(s.ops)-1].field == skipped {
				continue // nobody needs to tell them apart
			}
			return nil, fmt.Errorf("nothing stands between %s and %s, so that nobody can tell where one ends and the other begins", parts[i-1].name, p.name)
		default:
			o := op{scale: p.scale, list: p.list, quoted: i > 0 && strings.HasSuffix(parts[i-1].literal, `"`)}
			if read {
				o.field = p.field
				s.fields[p.field] = true
			}
			s.ops = append(s.ops, o)
		}
	}
	if !s.fields[codeField] {
		return nil, errors.New("the format has no status code ($status in nginx, %>s in Apache), by which requests are counted")
	}
	return s, nil
}

// choose returns the number, from 1, of the part that is read for every field.
// The request line holds a method and a path.
func choose(parts []part) map[field]int {
	chosen := make(map[field]int)
	for i, p := range parts {
		if p.literal != "" || p.field == skipped {
			continue
		}
		if before, ok := chosen[p.field]; !ok || p.rank < parts[before-1].rank {
			chosen[p.field] = i + 1
		}
	}
	if _, ok := chosen[requestField]; ok {
		delete(chosen, methodField)
		delete(chosen, pathField)
	}
	return chosen
}

// appendVariable appends a variable. A query behind a path is part of it.
func appendVariable(parts []part, p part) []part {
	if n := len(parts); n > 0 && p.query && parts[n-1].field == pathField {
		parts[n-1].name += p.name
		return parts
	}
	return append(parts, p)
}

// appendLiteral appends a literal text, to the literal before it where there is one.
func appendLiteral(parts []part, text string) []part {
	if text == "" {
		return parts
	}
	if n := len(parts); n > 0 && parts[n-1].literal != "" {
		parts[n-1].literal += text
		return parts
	}
	return append(parts, part{literal: text})
}
