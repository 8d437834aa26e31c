package accesslog

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// nginxVariables are those that are read, from
// https://nginx.org/en/docs/http/ngx_http_log_module.html and
// https://nginx.org/en/docs/varindex.html.
var nginxVariables = map[string]part{
	"status":                 {field: codeField},
	"request":                {field: requestField},
	"request_method":         {field: methodField},
	"request_uri":            {field: pathField},
	"uri":                    {field: pathField, rank: 1},
	"document_uri":           {field: pathField, rank: 2},
	"is_args":                {query: true},
	"args":                   {query: true},
	"query_string":           {query: true},
	"body_bytes_sent":        {field: bytesField},
	"bytes_sent":             {field: bytesField, rank: 1},
	"request_time":           {field: secondsField, scale: 1},
	"upstream_response_time": {field: upstreamField, scale: 1},
	"server_name":            {field: vhostField},
	"host":                   {field: vhostField, rank: 1},
	"http_host":              {field: vhostField, rank: 2},
}

var nginxName = regexp.MustCompile(`^\$(?:\{([a-zA-Z0-9_]+)\}|([a-zA-Z0-9_]+))`)

// splitNginx splits the string of a log_format.
func splitNginx(text string) ([]part, error) {
	var parts []part
	for text != "" {
		next := strings.IndexByte(text, '$')
		if next < 0 {
			next = len(text)
		}
		parts = appendLiteral(parts, text[:next])
		text = text[next:]
		if text == "" {
			break
		}
		found := nginxName.FindStringSubmatch(text)
		if found == nil {
			return nil, errors.New("a dollar in the format stands before no name of a variable")
		}
		name := found[1] + found[2]
		p := nginxVariables[name]
		p.name, p.list = found[0], strings.HasPrefix(name, "upstream_")
		parts = appendVariable(parts, p)
		text = text[len(found[0]):]
	}
	return parts, nil
}

var nginxHead = regexp.MustCompile(`^log_format\s+\S+\s+(?:escape=(\w+)\s+)?`)

// nginxDirective returns the string of a whole directive:
// log_format NAME [escape=default|json|none] STRING …; and no more.
func nginxDirective(text string) (string, error) {
	head := nginxHead.FindString(text)
	if head == "" {
		return "", errors.New("the format begins with log_format, expected its name and its strings behind it")
	}
	return joinStrings(text[len(head):])
}

// joinStrings joins the strings of a directive, which is how nginx lets a long
// one stand on several lines.
func joinStrings(text string) (string, error) {
	var joined strings.Builder
	text = strings.TrimSpace(text)
	for text != "" && text != ";" {
		quote := text[0]
		if quote != '\'' && quote != '"' {
			return "", fmt.Errorf("found %q between the strings of the format, expected a quote", text)
		}
		end := 1
		for end < len(text) && text[end] != quote {
			if text[end] == '\\' && end+1 < len(text) && (text[end+1] == quote || text[end+1] == '\\') {
				end++
			}
			joined.WriteByte(text[end])
			end++
		}
		if end == len(text) {
			return "", fmt.Errorf("a string of the format has no closing %c", quote)
		}
		text = strings.TrimSpace(text[end+1:])
	}
	return joined.String(), nil
}
