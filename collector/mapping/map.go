package mapping

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"status_exporter/collector/query"
	"status_exporter/collector/tree"
	"status_exporter/config/options"
)

// A textMap turns texts into numbers, as the key `map:` says.
type textMap struct {
	numbers map[string]float64 // nil without `map:`
	other   *float64           // for "*"
}

func (m *textMap) decode(d *options.Decoder) func(*yaml.Node) {
	return func(n *yaml.Node) {
		m.numbers = make(map[string]float64)
		d.Entries(n, "map", func(key, value *yaml.Node) {
			f, ok := options.Number(value)
			if value.ShortTag() == "!!bool" {
				ok = true
				if strings.EqualFold(value.Value, "true") {
					f = 1
				}
			}
			switch {
			case !ok:
				d.Errorf(value, "found %s for %q in map, expected a number", options.Describe(value), key.Value)
			case key.Value == "*":
				m.other = &f
			default:
				m.numbers[key.Value] = f
			}
		})
	}
}

// number turns what an expression found into a sample's value. A number that
// the map does not name is itself, unless the map says what all others are.
func (m *textMap) number(q *query.Query, v any) (float64, *problem) {
	if m.numbers != nil {
		if text, scalar := scalarText(v); scalar {
			if f, ok := m.numbers[strings.TrimSpace(text)]; ok {
				return f, nil
			}
			if m.other != nil {
				return *m.other, nil
			}
		}
	}
	f, ok := number(v)
	switch {
	case ok:
		return f, nil
	case m.numbers != nil && !isCollection(v):
		return 0, &problem{reason: Unmapped, query: q, found: v}
	default:
		return 0, notANumber(q, v)
	}
}

func isCollection(v any) bool {
	switch v := v.(type) {
	case *tree.Node:
		return v.Kind() == tree.Array || v.Kind() == tree.Object
	case []any, map[string]any:
		return true
	}
	return false
}
