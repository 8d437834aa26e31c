package document

import (
	"context"
	"fmt"
	"mime"
	"regexp"
	"slices"
	"strings"
)

// Guess returns the format that a body most likely has, with the options that it
// seems to need, and how the configuration spells both: `json`, or
// `{keyvalue: {separator: "="}}`. It is for a person who tries an address without
// a configuration, and for nothing else. The text says more than contentType, as
// many programs call everything JSON or HTML: that counts where the text leaves it
// open. An HTML page counts as json, whose error says what it is.
func Guess(ctx context.Context, body []byte, contentType string) (f Format, spelling string) {
	text := strings.TrimSpace(decodeText(body, declaredEncoding(contentType)))
	mediaType, _, _ := mime.ParseMediaType(contentType)
	_, page := htmlPage(text)
	switch {
	case page, text == "", text[0] == '{', text[0] == '[', isJSON(ctx, text):
		return JSON, "json"
	case text[0] == '<':
		return Format{"xml", xmlDecoder{}}, "xml"
	case yamlLine.MatchString(text), strings.Contains(mediaType, "yaml"):
		return Format{"yaml", yamlDecoder{}}, "yaml"
	}
	lines := firstLines(text)
	delimiter := guessDelimiter(lines)
	if delimiter == 0 && strings.Contains(mediaType, "csv") {
		delimiter = ','
	}
	if delimiter != 0 {
		return guessCSV(text, lines[0], delimiter)
	}
	separator := guessSeparator(lines)
	f = Format{"keyvalue", keyValueDecoder{separator: separator}}
	if separator == ":" {
		return f, "keyvalue"
	}
	return f, fmt.Sprintf("{keyvalue: {separator: %q}}", separator)
}

// isJSON tells whether a text is JSON, a lone number or word among it.
func isJSON(ctx context.Context, text string) bool {
	_, err := JSON.Decode(ctx, []byte(text), "", DefaultLimits)
	return err == nil
}

// guessCSV returns csv with the options that a text with this first line seems to
// need. A first line with a number in it is no header.
func guessCSV(text, first string, delimiter rune) (Format, string) {
	c := csvDecoder{delimiter: delimiter, header: true}
	var spelled []string
	if delimiter != ',' {
		spelled = append(spelled, fmt.Sprintf("delimiter: %q", string(delimiter)))
	}
	switch {
	case strings.HasPrefix(text, "#"):
		c.headerPrefix = "#"
		spelled = append(spelled, `header_prefix: "#"`)
	case slices.ContainsFunc(strings.Split(first, string(delimiter)), numberCell.MatchString):
		c.header = false
		spelled = append(spelled, "header: false")
	}
	if emptyLine.MatchString(text) {
		c.tables = true
		spelled = append(spelled, "tables: true")
	}
	if len(spelled) == 0 {
		return Format{"csv", c}, "csv"
	}
	return Format{"csv", c}, "{csv: {" + strings.Join(spelled, ", ") + "}}"
}

var (
	numberCell = regexp.MustCompile(`^\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*$`)
	emptyLine  = regexp.MustCompile(`\n\r?\n`)
)

// yamlLine matches what stands in YAML and in no list of keys and values: the
// beginning of a document, an item, an indented key.
var yamlLine = regexp.MustCompile(`\A---\s|(?m)^ *- \S|^  +\S.*:(?: |$)`)

// firstLines returns some lines from the beginning of a text, the empty ones left out.
func firstLines(text string) []string {
	const most = 20
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
		if len(lines) == most {
			break
		}
	}
	return lines
}

// guessDelimiter returns the character that stands equally often in every line,
// or 0 where there is none.
func guessDelimiter(lines []string) rune {
	for _, delimiter := range ",;\t" {
		columns := strings.Count(lines[0], string(delimiter))
		same := columns > 0 && len(lines) > 1
		for _, line := range lines {
			same = same && strings.Count(line, string(delimiter)) == columns
		}
		if same {
			return delimiter
		}
	}
	return 0
}

// guessSeparator returns the separator that stands in most lines.
func guessSeparator(lines []string) string {
	best, most := ":", 0
	for _, separator := range []string{":", "=", " "} {
		found := 0
		for _, line := range lines {
			if strings.Contains(line, separator) {
				found++
			}
		}
		if found > most {
			best, most = separator, found
		}
	}
	return best
}
