package accesslog

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// reference parses a line as the package says it is done, in the slow and
// obvious way.
func reference(parts []part, line string) (found, bool) {
	values, ok := cut(parts, line)
	if !ok {
		return found{}, false
	}
	result := found{Code: -1, Method: "other", Seconds: -1, Upstream: -1}
	for f := codeField; f <= vhostField; f++ {
		read := -1
		for i, p := range parts {
			if p.literal == "" && p.field == f && (read < 0 || p.rank < parts[read].rank) {
				read = i
			}
		}
		isRequest := func(p part) bool { return p.literal == "" && p.field == requestField }
		if read < 0 || (f == methodField || f == pathField) && slices.ContainsFunc(parts, isRequest) {
			continue
		}
		if !result.set(f, parts[read].scale, values[read]) {
			return found{}, false
		}
	}
	return result, true
}

// cut returns the text of every variable by its number among the parts.
func cut(parts []part, line string) (map[int]string, bool) {
	values := make(map[int]string)
	for i, p := range parts {
		if p.literal != "" {
			if !strings.HasPrefix(line, p.literal) {
				return nil, false
			}
			line = line[len(p.literal):]
			continue
		}
		if i+1 < len(parts) && parts[i+1].literal == "" {
			continue // the next one takes the text of both, which nobody reads
		}
		until := ""
		if i+1 < len(parts) {
			until = parts[i+1].literal
		}
		first := i
		for first > 0 && parts[first-1].literal == "" {
			first--
		}
		quoted := first > 0 && strings.HasSuffix(parts[first-1].literal, `"`) && strings.HasPrefix(until, `"`)
		end := -1
		for n := 0; n <= len(line) && end < 0; n++ {
			if isEnd(line, n, until, quoted, parts[first].list) {
				end = n
			}
		}
		if end < 0 {
			return nil, false
		}
		values[i] = line[:end]
		line = line[end:]
	}
	return values, line == ""
}

var oddBackslashes = regexp.MustCompile(`(^|[^\\])\\(\\\\)*$`)

func isEnd(line string, n int, until string, quoted, list bool) bool {
	switch {
	case until == "":
		return n == len(line)
	case !strings.HasPrefix(line[n:], until):
		return false
	case quoted && oddBackslashes.MatchString(line[:n]):
		return false
	case list && until[0] == ' ':
		// The spaces of " : " and those behind a comma are within a list.
		outside := strings.ReplaceAll(line, " : ", "###")
		return outside[n] == ' ' && !strings.HasSuffix(line[:n], ",")
	}
	return true
}

var numbers = map[field]*regexp.Regexp{
	codeField:     regexp.MustCompile(`^[0-9]{3}$`),
	bytesField:    regexp.MustCompile(`^([0-9]{1,19}|-|)$`),
	secondsField:  regexp.MustCompile(`^([0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?|-|)$`),
	upstreamField: regexp.MustCompile(`^`),
}

// set takes the text of a field.
func (r *found) set(f field, scale float64, text string) bool {
	if re := numbers[f]; re != nil && !re.MatchString(text) {
		return false
	}
	none := text == "" || text == "-"
	var err error
	switch f {
	case codeField:
		r.Code, err = strconv.Atoi(text)
	case methodField:
		r.Method = knownMethod(text)
	case requestField:
		words := append(strings.Split(text, " "), "")
		r.Method = knownMethod(words[0])
		r.set(pathField, 0, words[1])
	case pathField:
		r.Path = strings.Split(text, "?")[0]
		if r.Path == "-" {
			r.Path = ""
		}
	case bytesField:
		r.Bytes = 0
		if !none {
			r.Bytes, err = strconv.ParseUint(text, 10, 64)
		}
	case secondsField:
		r.Seconds = -1
		if !none {
			r.Seconds, err = strconv.ParseFloat(text, 64)
			r.Seconds *= scale
		}
	case upstreamField:
		r.Upstream = -1
		for _, word := range betweenTimes.Split(text, -1) {
			one := found{Seconds: -1}
			if !one.set(secondsField, scale, word) {
				return false
			}
			if one.Seconds >= 0 {
				r.Upstream = max(r.Upstream, 0) + one.Seconds
			}
		}
	case vhostField:
		r.Vhost = text
		if none {
			r.Vhost = ""
		}
	}
	return err == nil
}

var betweenTimes = regexp.MustCompile(`[ ,][ :,]*`)

func knownMethod(word string) string {
	if slices.Contains(methodNames[:], word) {
		return word
	}
	return "other"
}

// referenceJSON parses a line that holds a JSON object whose members have the
// default names.
func referenceJSON(line string) (found, bool) {
	result := found{Code: -1, Method: "other", Seconds: -1, Upstream: -1}
	dec := json.NewDecoder(bytes.NewReader([]byte(line)))
	dec.UseNumber()
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return found{}, false
	}
	// Members in their order: of those that set the same, the last one counts.
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return found{}, false
		}
		var value any
		if err := dec.Decode(&value); err != nil {
			return found{}, false
		}
		if !result.setMember(name.(string), value) {
			return found{}, false
		}
	}
	if _, err := dec.Token(); err != nil {
		return found{}, false
	}
	if _, err := dec.Token(); err != io.EOF {
		return found{}, false
	}
	if result.Code < 0 {
		return found{}, false
	}
	return result, true
}

func (r *found) setMember(name string, value any) bool {
	for _, f := range jsonFields {
		if f.member == "" || f.member != name { // some fields have no member of their own
			continue
		}
		switch v := value.(type) {
		case string:
			return r.set(f.field, f.scale, v)
		case json.Number:
			return r.set(f.field, f.scale, string(v))
		case bool:
			return r.set(f.field, f.scale, strconv.FormatBool(v))
		case nil:
			return r.set(f.field, f.scale, "null")
		}
	}
	return true
}
