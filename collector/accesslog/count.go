package accesslog

import (
	"strings"
	"unicode/utf8"
)

// counts are what was counted of all lines so far. They are bounded by the
// number of series and of buckets, not by the number of lines.
type counts struct {
	lines     uint64 // complete ones, unmatched ones included
	unmatched uint64
	limited   uint64 // lines counted as other because of the limit

	requests map[labels]*request
	duration map[labels]*histogram
	upstream map[labels]*histogram

	lastUnmatched []byte // its beginning
}

// labels are those of a series: 16 bits each for the code, the method, the
// virtual host's and the path's number. A map finds one number in half the time
// that it takes for four.
type labels uint64

func newLabels(code, method, vhost, path uint16) labels {
	return labels(code)<<48 | labels(method)<<32 | labels(vhost)<<16 | labels(path)
}

// In each of these 0 is a label that there is not; otherwise a code or a method
// is one less than the number.
func (l labels) code() uint16   { return uint16(l >> 48) }
func (l labels) method() uint16 { return uint16(l >> 32) }
func (l labels) vhost() uint16  { return uint16(l >> 16) }
func (l labels) path() uint16   { return uint16(l) }

func (l labels) withoutCode() labels { return l &^ newLabels(0xffff, 0, 0, 0) }

// The label other.
const (
	otherCode   = 1 + 1000
	otherMethod = 1
	otherVhost  = 1
	otherPath   = 1
	otherName   = "other"
)

type request struct{ count, bytes uint64 }

// A counter counts lines. It is not safe for concurrent use.
type counter struct {
	counts
	options *Options
	entry   entry
	vhosts  []string // names, by number
	byVhost map[string]uint16
	paths   []string // names, by number
	byPath  []uint16 // the number of each pattern's name
}

// maxVhost is how long the name of a host may be: RFC 1035, section 2.3.4, and a port.
const maxVhost = 255 + len(":65535")

// maxExcerpt is how much is kept of a line that did not match, in bytes.
const maxExcerpt = 200

func newCounter(o *Options) *counter {
	c := &counter{
		options: o,
		counts: counts{
			requests: make(map[labels]*request),
			duration: make(map[labels]*histogram),
			upstream: make(map[labels]*histogram),
		},
		vhosts:  []string{"", otherName},
		byVhost: map[string]uint16{otherName: otherVhost},
		paths:   []string{"", otherName},
	}
	numbers := map[string]uint16{otherName: otherPath}
	for _, p := range o.patterns {
		if _, ok := numbers[p.name]; !ok {
			numbers[p.name] = uint16(len(c.paths))
			c.paths = append(c.paths, p.name)
		}
		c.byPath = append(c.byPath, numbers[p.name])
	}
	return c
}

// line counts one line, without its newline.
func (c *counter) line(line []byte) {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	c.lines++
	e := &c.entry
	if !c.options.parser.parse(line, e) {
		c.reject(line)
		return
	}
	l := c.labels(e)
	r := c.requests[l]
	if r == nil {
		l, r = c.add(l)
	}
	r.count++
	r.bytes += e.bytes
	if e.seconds >= 0 || e.upstream >= 0 {
		l = l.withoutCode() // else every histogram stood there once for each code
		observe(c.duration, l, c.options.Buckets, e.seconds)
		observe(c.upstream, l, c.options.UpstreamBuckets, e.upstream)
	}
}

// reject counts a line that did not match.
func (c *counter) reject(line []byte) {
	c.unmatched++
	c.lastUnmatched = append(c.lastUnmatched[:0], line[:min(len(line), maxExcerpt)]...)
}

// labels returns the labels of an entry's series.
func (c *counter) labels(e *entry) labels {
	var code, method, vhost, path uint16
	o := c.options
	if o.labelCode {
		code = uint16(e.code) + 1
	}
	if o.labelMethod {
		method = uint16(e.method) + 1
	}
	if o.labelVhost && e.vhost != nil {
		vhost = c.vhost(e.vhost)
	}
	if len(o.patterns) > 0 {
		path = c.path(e.path)
	}
	return newLabels(code, method, vhost, path)
}

// vhost returns the number of a virtual host. The client may send any name:
// those beyond the limit are other.
func (c *counter) vhost(name []byte) uint16 {
	if number, ok := c.byVhost[string(name)]; ok {
		return number
	}
	if len(name) > maxVhost || len(c.byVhost) > c.options.SeriesLimit {
		return otherVhost
	}
	valid := strings.ToValidUTF8(string(name), string(utf8.RuneError))
	number, ok := c.byVhost[valid]
	if !ok {
		number = uint16(len(c.vhosts))
		c.vhosts = append(c.vhosts, valid)
	}
	c.byVhost[string(name)] = number
	return number
}

func (c *counter) path(path []byte) uint16 {
	for i := range c.options.patterns {
		if c.options.patterns[i].match(path) {
			return c.byPath[i]
		}
	}
	return otherPath
}

// add adds a series, or returns that of the label other where there are as many
// as there may be.
func (c *counter) add(l labels) (labels, *request) {
	if len(c.requests) >= c.options.SeriesLimit {
		c.limited++
		l = l.other()
		if r := c.requests[l]; r != nil {
			return l, r
		}
	}
	r := &request{}
	c.requests[l] = r
	return l, r
}

// other returns l with every label that there is set to other.
func (l labels) other() labels {
	instead := func(label, other uint16) uint16 {
		if label == 0 {
			return 0
		}
		return other
	}
	return newLabels(
		instead(l.code(), otherCode), instead(l.method(), otherMethod),
		instead(l.vhost(), otherVhost), instead(l.path(), otherPath),
	)
}
