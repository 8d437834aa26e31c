package document

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"status_exporter/collector/search"
	"status_exporter/config/options"
)

// regexpDecoder finds the named groups of patterns in a text.
type regexpDecoder struct {
	patterns []*search.Pattern
	repeat   bool
}

// maxSearched is the largest text that patterns are tried on, in bytes. Go's regexp
// reads 10 to 30 MB/s with a pattern of ordinary size, and each pattern reads it again.
const maxSearched = 1 << 20

func newRegexp(d *options.Decoder, n *yaml.Node) Decoder {
	var r regexpDecoder
	failed := d.Failed()
	d.Mapping(n, "regexp", options.Fields{
		"pattern": func(n *yaml.Node) { r.add(d, n) },
		"patterns": func(n *yaml.Node) {
			d.Sequence(n, `"patterns"`, func(item *yaml.Node) { r.add(d, item) })
		},
		"repeat": d.Bool(&r.repeat),
	})
	if len(r.patterns) == 0 && d.Failed() == failed {
		d.Errorf(n, `the format regexp has no pattern, expected format: {regexp: {pattern: 'Active: (?P<active>\d+)'}} or a list under patterns`)
	}
	return r
}

func (r *regexpDecoder) add(d *options.Decoder, n *yaml.Node) {
	var re *regexp.Regexp
	if d.Regexp(&re)(n); re == nil {
		return
	}
	p, err := search.Compile("(?m)" + re.String())
	if err != nil {
		d.Errorf(n, "the pattern is too large: %v", err) // it stands in a larger one when it is searched for
		return
	}
	if strings.Join(p.Names(), "") == "" {
		d.Errorf(n, `the pattern has no named group, expected at least one such as (?P<active>\d+)`)
	}
	r.patterns = append(r.patterns, p)
}

func (r regexpDecoder) Decode(ctx context.Context, body []byte, contentType string, limits Limits) (any, error) {
	if len(body) > maxSearched {
		return nil, Failf(ReasonLimit, "the answer has %d bytes, more than the %d that the format regexp reads", len(body), maxSearched)
	}
	text := stripColours(decodeText(body, declaredEncoding(contentType)))
	text = strings.ReplaceAll(text, "\r\n", "\n")
	m := newMeter(ctx, limits)
	if r.repeat {
		return r.every(&m, text)
	}
	return r.once(&m, text)
}

// every returns an array with an object for each match.
func (r regexpDecoder) every(m *meter, text string) (any, error) {
	objects := []any{}
	for _, p := range r.patterns {
		for match, err := range p.In(text, m.look).All() {
			if err != nil {
				return nil, searchFailed(p, text, err)
			}
			object := make(map[string]any)
			if err := add(m, object, p, text, match); err != nil {
				return nil, err
			}
			objects = append(objects, object)
		}
		if err := m.look(); err != nil {
			return nil, err
		}
	}
	if len(objects) == 0 {
		return objects, wrongKind(text, "matches of "+r.String())
	}
	return objects, m.count(1 + len(objects))
}

// once returns an object with the groups of every pattern's first match.
func (r regexpDecoder) once(m *meter, text string) (any, error) {
	object := make(map[string]any)
	for _, p := range r.patterns {
		match, err := p.In(text, m.look).From(0)
		if err != nil {
			return nil, searchFailed(p, text, err)
		}
		if match != nil {
			if err := add(m, object, p, text, match); err != nil {
				return nil, err
			}
		}
		if err := m.look(); err != nil {
			return nil, err
		}
	}
	if len(object) > 0 {
		return object, m.count(1)
	}
	if err := wrongKind(text, "a match of "+r.String()); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("found no match of %s in the answer, which begins %q", r, excerpt(strings.TrimSpace(text), 40))
}

func searchFailed(p *search.Pattern, text string, err error) error {
	if errors.Is(err, search.ErrAgain) {
		return Failf(ReasonLimit, "the pattern %q %w, expected one that does not search the rest of a text of %d bytes after each match", source(p), err, len(text))
	}
	return err
}

// add adds the named groups of a match to an object. Where several patterns have
// a group of one name, one that took part in its match wins over one that did not.
func add(m *meter, object map[string]any, p *search.Pattern, text string, match []int) error {
	for i, name := range p.Names() {
		if name == "" {
			continue
		}
		if start, end := match[2*i], match[2*i+1]; start >= 0 {
			object[name] = text[start:end]
		} else if _, ok := object[name]; !ok {
			object[name] = nil
		}
		if err := m.count(1); err != nil {
			return err
		}
	}
	return nil
}

// String names the patterns in an error.
func (r regexpDecoder) String() string {
	if len(r.patterns) > 1 {
		return fmt.Sprintf("any of the %d patterns", len(r.patterns))
	}
	return fmt.Sprintf("the pattern %q", source(r.patterns[0]))
}

// source returns a pattern as the user wrote it, shortened.
func source(p *search.Pattern) string {
	return excerpt(strings.TrimPrefix(p.String(), "(?m)"), 60)
}
