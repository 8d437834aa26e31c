package accesslog

import "bytes"

// An entry is what is counted of one line. Its slices point into the line.
type entry struct {
	code     int // 0 to 999; -1 where there was none
	method   method
	bytes    uint64
	path     []byte // up to its query; nil where there was none
	vhost    []byte // nil where there was none
	seconds  float64
	upstream float64 // both -1 where there was none

	scratch []byte // for texts whose escapes were resolved
}

func (e *entry) reset() {
	e.code, e.method, e.bytes = -1, 0, 0
	e.path, e.vhost = nil, nil
	e.seconds, e.upstream = -1, -1
	e.scratch = e.scratch[:0]
}

// A field says what a part of a line is.
type field uint8

const (
	skipped field = iota
	codeField
	methodField
	requestField // method, URL and protocol
	pathField
	bytesField
	secondsField
	upstreamField
	vhostField
)

// set takes the text of a field. scale is the unit of a time in seconds.
func (e *entry) set(f field, scale float64, text []byte) (ok bool) {
	switch f {
	case codeField:
		e.code, ok = statusCode(text)
		return ok
	case methodField:
		e.method = methodOf(text)
	case requestField:
		e.request(text)
	case pathField:
		e.path = pathOf(text)
	case bytesField:
		e.bytes, ok = size(text)
		return ok
	case secondsField:
		e.seconds, ok = seconds(text, scale)
		return ok
	case upstreamField:
		e.upstream, ok = sumOfSeconds(text, scale)
		return ok
	case vhostField:
		e.vhost = nil
		if !absent(text) {
			e.vhost = text
		}
	}
	return true
}

// request takes a request line as the client sent it, which may be anything.
func (e *entry) request(text []byte) {
	name, rest := word(text)
	url, _ := word(rest)
	e.method, e.path = methodOf(name), pathOf(url)
}

// word cuts text at its first space.
func word(text []byte) (first, rest []byte) {
	if i := bytes.IndexByte(text, ' '); i >= 0 {
		return text[:i], text[i+1:]
	}
	return text, nil
}

func pathOf(url []byte) []byte {
	if i := bytes.IndexByte(url, '?'); i >= 0 {
		url = url[:i]
	}
	if absent(url) {
		return nil
	}
	return url
}

// A method is a number for an HTTP method.
type method uint8

// methodNames are the methods of RFC 9110, PATCH (RFC 5789) and those of WebDAV
// (RFC 4918). A client may send any word: the rest is other.
var methodNames = [...]string{
	"other", "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
	"PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK",
}

func methodOf(text []byte) method {
	for i, name := range methodNames[1:] {
		if string(text) == name {
			return method(i + 1)
		}
	}
	return 0
}
