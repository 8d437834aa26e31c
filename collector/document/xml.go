package document

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
	"golang.org/x/text/encoding"

	"status_exporter/config/options"
)

// xmlDecoder decodes XML 1.0.
type xmlDecoder struct {
	arrays []string // names of elements that are always arrays
}

func newXML(d *options.Decoder, n *yaml.Node) Decoder {
	var x xmlDecoder
	d.Mapping(n, "xml", options.Fields{"arrays": d.Texts(&x.arrays)})
	return x
}

func (x xmlDecoder) Decode(ctx context.Context, body []byte, contentType string, limits Limits) (any, error) {
	enc, err := xmlEncoding(body, contentType)
	if err != nil {
		return nil, err
	}
	text := decodeText(body, enc)
	p := xmlParser{meter: newMeter(ctx, limits), arrays: x.arrays, attributes: make(map[string]string)}
	if err := p.foresee(text, "="); err != nil { // the parser holds all attributes of a tag at once
		return nil, err
	}
	p.tokens = xml.NewDecoder(&reader{ctx, text})
	p.tokens.Entity = xml.HTMLEntity
	p.tokens.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // it is UTF-8 by now
	v, err := p.document()
	if err != nil {
		return nil, p.explain(text, err)
	}
	return v, nil
}

// explain puts an error of the parser into our words.
func (p *xmlParser) explain(text string, err error) error {
	var syntax *xml.SyntaxError
	switch {
	case p.ctx.Err() != nil:
		return p.givenUp()
	case !errors.As(err, &syntax):
		return err
	}
	if err := wrongKind(text, "XML"); err != nil {
		return err
	}
	if syntax.Msg == "unexpected EOF" {
		return mistakeAt(text, len(text), "XML")
	}
	line, column := p.tokens.InputPos()
	return fmt.Errorf("line %d, column %d: %s, expected XML", line, column, syntax.Msg)
}

var xmlDeclaration = regexp.MustCompile(`^<\?xml\s[^>]*?encoding\s*=\s*["']([^"']+)["']`)

// xmlEncoding returns the encoding that the document declares, else that of its
// Content-Type. A declaration of UTF-16 that can be read byte by byte is wrong. One
// that does not stand in the first KiB is none, as a search is not interrupted.
func xmlEncoding(body []byte, contentType string) (encoding.Encoding, error) {
	found := xmlDeclaration.FindSubmatch(body[:min(len(body), 1<<10)])
	if found == nil {
		return declaredEncoding(contentType), nil
	}
	name := string(found[1])
	if strings.HasPrefix(strings.ToLower(name), "utf-16") {
		return nil, nil
	}
	enc, err := encodingOf(name)
	if err != nil {
		return nil, fmt.Errorf("line 1: the document declares the encoding %q, which is unknown", name)
	}
	return enc, nil
}

type xmlParser struct {
	meter
	tokens     *xml.Decoder
	arrays     []string
	attributes map[string]string // name → @name
	members    []member          // of the elements that are open
	text       []byte            // of the elements that are open
}

// document reads up to the end of the root element, and looks at what follows.
func (p *xmlParser) document() (any, error) {
	for {
		token, err := p.tokens.Token()
		if errors.Is(err, io.EOF) {
			return nil, &xml.SyntaxError{Msg: "unexpected EOF"}
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.CharData:
			if text := bytes.TrimSpace(token); len(text) > 0 {
				return nil, &xml.SyntaxError{Msg: fmt.Sprintf("found the text %q before the first element", excerpt(string(text), 20))}
			}
		case xml.StartElement:
			name := token.Name.Local
			root, err := p.element(token)
			if err != nil {
				return nil, err
			}
			v, err := p.object([]member{{name, root}})
			if err != nil {
				return nil, err
			}
			return v, p.trailer()
		}
	}
}

// trailer reads what follows the root element. White space, comments and stray
// bytes are harmless; another element is not.
func (p *xmlParser) trailer() error {
	for {
		token, err := p.tokens.RawToken()
		if err != nil {
			return nil //nolint:nilerr // the end, or bytes that mean nothing any more
		}
		if start, ok := token.(xml.StartElement); ok {
			return &xml.SyntaxError{Msg: fmt.Sprintf("found a second root element <%s>", start.Name.Local)}
		}
	}
}

// element reads up to the end of the element that began with start.
func (p *xmlParser) element(start xml.StartElement) (any, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	if err := p.count(1); err != nil {
		return nil, err
	}
	defer p.leave()
	firstMember, firstText := len(p.members), len(p.text)
	for _, a := range start.Attr {
		if err := p.count(1); err != nil {
			return nil, err
		}
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
			p.members = append(p.members, member{p.attribute(a.Name.Local), a.Value})
		}
	}
	for {
		token, err := p.tokens.Token()
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			v, err := p.element(token)
			if err != nil {
				return nil, err
			}
			p.members = append(p.members, member{token.Name.Local, v})
		case xml.CharData:
			p.text = append(p.text, token...)
		case xml.EndElement:
			v, err := p.finish(p.members[firstMember:], bytes.TrimSpace(p.text[firstText:]))
			p.members, p.text = p.members[:firstMember], p.text[:firstText]
			return v, err
		}
	}
}

// finish makes the value of an element.
func (p *xmlParser) finish(members []member, text []byte) (any, error) {
	switch {
	case len(members) > 0 && len(text) > 0:
		return p.object(append(members, member{"#text", string(text)}))
	case len(members) > 0:
		return p.object(members)
	case len(text) > 0:
		return string(text), nil
	default:
		return nil, nil
	}
}

// object makes an object in which a repeated member is an array.
func (p *xmlParser) object(members []member) (any, error) {
	m, err := p.gather(members)
	if err != nil {
		return nil, err
	}
	for _, name := range p.arrays {
		if v, ok := m[name]; ok {
			if _, is := v.([]any); !is {
				m[name] = []any{v}
			}
		}
	}
	return m, nil
}

func (p *xmlParser) attribute(name string) string {
	key, ok := p.attributes[name]
	if !ok {
		key = "@" + name
		p.attributes[name] = key
	}
	return key
}
