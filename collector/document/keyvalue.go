package document

import (
	"context"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"

	"status_exporter/collector/tree"
	"status_exporter/config/options"
)

// keyValueDecoder decodes lines of a key, a separator and a value.
type keyValueDecoder struct {
	separator string // only white space stands for any white space
	comment   string // how lines begin that are skipped; "" for none
}

func newKeyValue(d *options.Decoder, n *yaml.Node) Decoder {
	k := keyValueDecoder{separator: ":"}
	d.Mapping(n, "keyvalue", options.Fields{
		"separator": notEmpty(d, &k.separator, `separator: found an empty text, expected one such as ":" or "="`),
		"comment":   notEmpty(d, &k.comment, `comment: found an empty text, expected one such as "#"`),
	})
	return k
}

// notEmpty decodes a text and refuses an empty one.
func notEmpty(d *options.Decoder, into *string, otherwise string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		failed := d.Failed()
		if d.Text(into)(n); *into == "" && d.Failed() == failed {
			d.Errorf(n, "%s", otherwise)
		}
	}
}

func (k keyValueDecoder) Decode(ctx context.Context, body []byte, contentType string, limits Limits) (any, error) {
	return k.build(ctx, body, contentType, limits, new(tree.Builder))
}

func (k keyValueDecoder) build(ctx context.Context, body []byte, contentType string, limits Limits, b *tree.Builder) (any, error) {
	text := stripColours(decodeText(body, declaredEncoding(contentType)))
	if err := wrongKind(text, "lines of keys and values"); err != nil {
		return nil, err
	}
	m := newMeter(ctx, limits)
	if err := m.count(1); err != nil {
		return nil, err
	}
	var bare []string
	begin := b.Mark()
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || k.comment != "" && strings.HasPrefix(line, k.comment) {
			continue
		}
		if err := m.count(1); err != nil {
			return nil, err
		}
		key, value, found := k.cut(line)
		if !found || key == "" {
			bare = append(bare, line)
			continue
		}
		b.Key(key)
		if value == "" {
			b.Null()
		} else {
			b.String(value)
		}
	}
	if bare != nil {
		b.Key("")
		lines := b.Mark()
		for _, line := range bare {
			b.String(line)
		}
		b.CloseArray(lines)
	}
	if err := m.members(b.CloseGathered(begin)); err != nil {
		return nil, err
	}
	return b.Root(), nil
}

// cut cuts a line at its first separator.
func (k keyValueDecoder) cut(line string) (key, value string, found bool) {
	if strings.TrimSpace(k.separator) == "" {
		i := strings.IndexFunc(line, unicode.IsSpace)
		if i < 0 {
			return "", "", false
		}
		return line[:i], strings.TrimSpace(line[i:]), true
	}
	key, value, found = strings.Cut(line, k.separator)
	return strings.TrimSpace(key), strings.TrimSpace(value), found
}
