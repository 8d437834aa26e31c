package accesslog

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// apacheDirectives are those that are read, with what stands in braces before
// them, from https://httpd.apache.org/docs/2.4/mod/mod_log_config.html#formats.
var apacheDirectives = map[string]part{
	"s":      {field: codeField},
	"r":      {field: requestField},
	"m":      {field: methodField},
	"U":      {field: pathField},
	"q":      {query: true},
	"b":      {field: bytesField},
	"B":      {field: bytesField},
	"O":      {field: bytesField, rank: 1},
	"D":      {field: secondsField, scale: 1e-6},
	"us T":   {field: secondsField, scale: 1e-6},
	"ms T":   {field: secondsField, scale: 1e-3, rank: 1},
	"s T":    {field: secondsField, scale: 1, rank: 2},
	"T":      {field: secondsField, scale: 1, rank: 2},
	"v":      {field: vhostField},
	"V":      {field: vhostField, rank: 1},
	"host i": {field: vhostField, rank: 2},
}

// apacheDirective is a percent sign, modifiers, braces and letters.
var apacheFormat = regexp.MustCompile(`^%(?:(!?\d{3}(?:,\d{3})*)|([<>]))*(?:\{([^}]*)\})?(\^t[io]|[aAbBCDeEfFhHiIklLmnoOpPqrRsSTtuUvVX%])`)

// splitApache splits the string of a LogFormat.
func splitApache(text string) ([]part, error) {
	var parts []part
	for text != "" {
		next := strings.IndexAny(text, `%\`)
		if next < 0 {
			next = len(text)
		}
		parts = appendLiteral(parts, text[:next])
		text = text[next:]
		switch {
		case text == "":
		case text[0] == '\\':
			literal, length := apacheEscape(text)
			parts = appendLiteral(parts, literal)
			text = text[length:]
		default:
			found := apacheFormat.FindStringSubmatch(text)
			if found == nil {
				return nil, fmt.Errorf("no directive of Apache begins with %q", text[:min(len(text), 8)])
			}
			parts = appendDirective(parts, found)
			text = text[len(found[0]):]
		}
	}
	return parts, nil
}

// apacheEscape returns what the backslash that text begins with stands for, and
// how long it is: quotes and backslashes are those of the directive, \n and \t
// of the format.
func apacheEscape(text string) (literal string, length int) {
	if len(text) == 1 {
		return `\`, 1
	}
	switch text[1] {
	case 't':
		return "\t", 2
	case 'n':
		return "\n", 2
	case '"', '\\':
		return text[1:2], 2
	}
	return `\`, 1
}

func appendDirective(parts []part, found []string) []part {
	whole, condition, modifier, braces, letter := found[0], found[1], found[2], found[3], found[4]
	if letter == "%" {
		return appendLiteral(parts, "%")
	}
	if letter == "t" && braces == "" { // it brings its own brackets
		parts = appendLiteral(parts, "[")
		parts = append(parts, part{name: whole})
		return appendLiteral(parts, "]")
	}
	key := letter
	if braces != "" {
		key = strings.ToLower(braces) + " " + letter
	}
	p := apacheDirectives[key]
	p.name = whole
	if condition != "" { // "-" for most requests
		p.field = skipped
	}
	if letter == "s" && modifier != ">" {
		p.rank = 1 // before internal redirects
	}
	return appendVariable(parts, p)
}

// apacheDirective returns the string of a whole directive: LogFormat "STRING" NAME.
func apacheDirective(text string) (string, error) {
	text = strings.TrimSpace(strings.TrimPrefix(text, "LogFormat"))
	if !strings.HasPrefix(text, `"`) {
		return "", errors.New("the format begins with LogFormat, expected a string in quotes behind it")
	}
	for end := 1; end < len(text); end++ {
		switch text[end] {
		case '\\':
			end++
		case '"':
			return text[1:end], nil
		}
	}
	return "", errors.New(`the string of the format has no closing "`)
}
