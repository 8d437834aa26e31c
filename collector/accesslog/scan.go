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
	case o.list:
		return o.endOfList(text)
	}
	for from := 0; ; {
		i := bytes.IndexByte(text[from:], o.until[0])
		if i < 0 {
			return -1
		}
		i += from
		if hasPrefix(text[i:], o.until) && !(o.quoted && escaped(text[:i])) {
			return i
		}
		from = i + 1
	}
}

// endOfList is end for a variable that may hold several values.
func (o *op) endOfList(text []byte) int {
	for i := 0; i < len(text); i++ {
		switch {
		case o.until[0] == ' ' && hasPrefix(text[i:], betweenGroups):
			i += len(betweenGroups) - 1
		case o.until[0] == ' ' && i > 0 && text[i-1] == ',':
		case hasPrefix(text[i:], o.until) && !(o.quoted && escaped(text[:i])):
			return i
		}
	}
	return -1
}

// hasPrefix is bytes.HasPrefix for a string, which mostly is one byte long.
func hasPrefix(text []byte, prefix string) bool {
	return len(text) >= len(prefix) && text[0] == prefix[0] && (len(prefix) == 1 || string(text[1:len(prefix)]) == prefix[1:])
}

// betweenGroups stands between the values of a list where a request was passed
// on to another group of servers.
const betweenGroups = " : "

// escaped tells whether what follows text is escaped: an odd number of
// backslashes stands before it.
func escaped(text []byte) bool {
	backslashes := 0
	for i := len(text) - 1; i >= 0 && text[i] == '\\'; i-- {
		backslashes++
	}
	return backslashes%2 == 1
}
