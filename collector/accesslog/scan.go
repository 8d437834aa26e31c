package accesslog

import (
	"bytes"
)

func (s *scanner) parse(line []byte, e *entry) bool {
	e.reset()
	if len(line) < len(s.prefix) || string(line[:len(s.prefix)]) != s.prefix {
		return false
	}
	rest := line[len(s.prefix):]
	for i := range s.ops {
		o := &s.ops[i]
		end := o.end(rest)
		if end < 0 {
			return false
		}
		if o.field != skipped && !e.set(o.field, o.scale, rest[:end]) {
			return false
		}
		rest = rest[end+len(o.until):]
	}
	return len(rest) == 0
}

// end returns the length of the variable that text begins with, or -1 where the
// literal behind it does not come.
func (o *op) end(text []byte) int {
	switch {
	case o.until == "":
		return len(text)
	case len(o.until) == 1 && !o.quoted && !o.list:
		return bytes.IndexByte(text, o.until[0])
	}
	for from := 0; ; {
		i := bytes.IndexByte(text[from:], o.until[0])
		if i < 0 {
			return -1
		}
		i += from
		from = i + 1
		switch {
		case o.list && bytes.HasPrefix(text[i:], betweenGroups):
			from = i + len(betweenGroups)
		case o.list && text[i] == ' ' && i > 0 && text[i-1] == ',':
		case o.quoted && escaped(text[:i]):
		case len(text)-i < len(o.until) || string(text[i:i+len(o.until)]) != o.until:
		default:
			return i
		}
	}
}

// betweenGroups stands between the values of a list where a request was passed
// on to another group of servers.
var betweenGroups = []byte(" : ")

// escaped tells whether what follows text is escaped: an odd number of
// backslashes stands before it.
func escaped(text []byte) bool {
	backslashes := 0
	for i := len(text) - 1; i >= 0 && text[i] == '\\'; i-- {
		backslashes++
	}
	return backslashes%2 == 1
}
