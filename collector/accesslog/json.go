package accesslog

import (
	"strings"
)

// A jsonScanner reads lines that hold one JSON object (RFC 8259) each.
type jsonScanner struct {
	members *member
	fields  map[field]bool // that are read
}

// A member is what is read of an object's member: its value, or members of it.
type member struct {
	field   field
	scale   float64
	members map[string]*member
}

// jsonField says what `fields:` may name.
type jsonField struct {
	field  field
	scale  float64 // of times, in seconds
	member string  // read where `fields:` does not name the field
}

// jsonFields are named by the unit where there is one. The default members are
// named like nginx's variables.
var jsonFields = map[string]jsonField{
	"code":                  {codeField, 0, "status"},
	"method":                {methodField, 0, "request_method"},
	"request":               {requestField, 0, "request"},
	"path":                  {pathField, 0, "request_uri"},
	"vhost":                 {vhostField, 0, "host"},
	"bytes":                 {bytesField, 0, "body_bytes_sent"},
	"seconds":               {secondsField, 1, "request_time"},
	"milliseconds":          {secondsField, 1e-3, ""},
	"microseconds":          {secondsField, 1e-6, ""},
	"nanoseconds":           {secondsField, 1e-9, ""},
	"upstream_seconds":      {upstreamField, 1, "upstream_response_time"},
	"upstream_milliseconds": {upstreamField, 1e-3, ""},
	"upstream_microseconds": {upstreamField, 1e-6, ""},
	"upstream_nanoseconds":  {upstreamField, 1e-9, ""},
}

// compileJSON returns a scanner that reads the members that names give for
// fields, and the default ones of the other fields. A name with dots is that of
// a member's member, or has dots.
func compileJSON(names map[string]string) *jsonScanner {
	s := &jsonScanner{members: &member{}, fields: make(map[field]bool)}
	for name, path := range names {
		f := jsonFields[name]
		s.fields[f.field] = true
		s.members.add(path, f)
	}
	for _, f := range jsonFields {
		if f.member != "" && !s.fields[f.field] {
			s.members.add(f.member, f)
		}
	}
	for _, f := range jsonFields {
		s.fields[f.field] = true // any line may have any of them
	}
	return s
}

func (m *member) add(path string, f jsonField) {
	m.child(path).set(f)
	if first, rest, nested := strings.Cut(path, "."); nested {
		m.child(first).add(rest, f)
	}
}

func (m *member) set(f jsonField) { m.field, m.scale = f.field, f.scale }

func (m *member) child(name string) *member {
	if m.members == nil {
		m.members = make(map[string]*member)
	}
	if m.members[name] == nil {
		m.members[name] = &member{}
	}
	return m.members[name]
}

// maxDepth bounds how deep the objects and arrays of a line may be nested.
const maxDepth = 100

// parse tells whether the line is one JSON object with a status code. Of members
// with one name the last is read.
func (s *jsonScanner) parse(line []byte, e *entry) bool {
	e.reset()
	c := cursor{text: line, entry: e}
	c.space()
	return c.object(s.members, 1) && c.end() && e.code >= 0
}

// object reads an object, of which m is wanted; nil for nothing.
func (c *cursor) object(m *member, depth int) bool {
	if depth > maxDepth || !c.next('{') {
		return false
	}
	if c.next('}') {
		return true
	}
	for {
		name, ok := c.string(m != nil)
		if !ok {
			return false
		}
		var wanted *member
		if m != nil {
			wanted = m.members[string(name)]
		}
		c.space()
		if !c.next(':') || !c.value(wanted, depth) {
			return false
		}
		c.space()
		if c.next('}') {
			return true
		}
		if !c.next(',') {
			return false
		}
	}
}

func (c *cursor) array(depth int) bool {
	if depth > maxDepth || !c.next('[') {
		return false
	}
	if c.next(']') {
		return true
	}
	for {
		if !c.value(nil, depth) {
			return false
		}
		c.space()
		if c.next(']') {
			return true
		}
		if !c.next(',') {
			return false
		}
	}
}

// value reads any value, and sets the field that it is wanted for.
func (c *cursor) value(wanted *member, depth int) bool {
	if c.at == len(c.text) {
		return false
	}
	var text []byte
	var ok bool
	switch b := c.text[c.at]; {
	case b == '{':
		return c.object(wanted, depth+1)
	case b == '[':
		return c.array(depth + 1)
	case b == '"':
		text, ok = c.string(wanted != nil && wanted.field != skipped)
	case b == '-' || isDigit(b):
		text, ok = c.number()
	case b == 't':
		text, ok = c.word("true")
	case b == 'f':
		text, ok = c.word("false")
	default:
		_, ok = c.word("null")
	}
	if !ok || wanted == nil || wanted.field == skipped {
		return ok
	}
	return c.entry.set(wanted.field, wanted.scale, text)
}
