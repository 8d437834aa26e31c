package document

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// yamlDecoder decodes YAML 1.2, with the numbers of 1.1.
type yamlDecoder struct{}

func (yamlDecoder) Decode(ctx context.Context, body []byte, contentType string, limits Limits) (any, error) {
	text := decodeText(body, declaredEncoding(contentType))
	if err := wrongKind(text, "YAML"); err != nil {
		return nil, err
	}
	p := yamlParser{meter: newMeter(ctx, limits)}
	documents, err := p.documents(text)
	switch {
	case err != nil:
		return nil, p.explain(err)
	case len(documents) == 0:
		return nil, errors.New("the answer holds no document, expected YAML")
	case len(documents) == 1:
		return documents[0], nil
	}
	return documents, p.count(1)
}

// A yamlParser lets the library build the tree of one document after the other and
// makes values of it. The tree is bounded by the same limits: its scalars stand
// between line ends and commas, and CheckDepth counts its collections.
type yamlParser struct {
	meter
	collections int
	exceeded    error // what CheckDepth said
}

// CheckDepth is called by the library for every collection that begins.
func (p *yamlParser) CheckDepth(depth int, _ *yaml.DepthContext) error {
	p.collections++
	switch {
	case depth > p.limits.Depth:
		p.exceeded = p.tooDeep()
	case p.collections > p.limits.Values:
		p.exceeded = p.tooMany()
	}
	return p.exceeded
}

// CheckAlias is not called: aliases stay in the tree, and are counted where they
// become values.
func (p *yamlParser) CheckAlias(int, int) error { return nil }

// explain puts an error of the library into our words.
func (p *yamlParser) explain(err error) error {
	var load *yaml.LoadError
	switch {
	case p.ctx.Err() != nil:
		return p.givenUp()
	case p.exceeded != nil:
		return p.exceeded
	case !errors.As(err, &load):
		return err
	case load.Mark.Line == 0:
		return fmt.Errorf("%s, expected YAML", load.Message)
	}
	return fmt.Errorf("line %d, column %d: %s, expected YAML", load.Mark.Line, load.Mark.Column, load.Message)
}

func (p *yamlParser) documents(text string) ([]any, error) {
	if err := p.foresee(text, "\n", ","); err != nil {
		return nil, err
	}
	loader, err := yaml.NewLoader(&reader{p.ctx, text}, yaml.WithPlugin(p))
	if err != nil {
		return nil, err
	}
	var documents []any
	for {
		var n yaml.Node
		err := loader.Load(&n)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, err
		}
		v, err := p.value(&n)
		if err != nil {
			return nil, err
		}
		documents = append(documents, v)
	}
}

func (p *yamlParser) value(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.DocumentNode:
		return p.value(n.Content[0])
	case yaml.AliasNode:
		return p.value(n.Alias)
	}
	if err := p.count(1); err != nil {
		return nil, err
	}
	if n.Kind == yaml.ScalarNode {
		return scalar(n)
	}
	if err := p.enter(); err != nil { // an alias within what it names ends here
		return nil, err
	}
	defer p.leave()
	if n.Kind == yaml.SequenceNode {
		return p.array(n)
	}
	m := make(map[string]any, len(n.Content)/2)
	return m, p.object(n, m)
}

func (p *yamlParser) array(n *yaml.Node) (any, error) {
	a := make([]any, len(n.Content))
	for i, item := range n.Content {
		var err error
		if a[i], err = p.value(item); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// object adds the entries of a mapping to m: those of merge keys first, so that
// the mapping's own win.
func (p *yamlParser) object(n *yaml.Node, m map[string]any) error {
	for i := 0; i < len(n.Content); i += 2 {
		if isMerge(n.Content[i]) {
			if err := p.merge(n.Content[i+1], m); err != nil {
				return err
			}
		}
	}
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			return fmt.Errorf("line %d, column %d: found a list or mapping as a key, expected a word", key.Line, key.Column)
		}
		if isMerge(key) {
			continue
		}
		v, err := p.value(n.Content[i+1])
		if err != nil {
			return err
		}
		m[key.Value] = v
	}
	return nil
}

func isMerge(key *yaml.Node) bool { return key.ShortTag() == "!!merge" }

// merge adds the entries of the mapping, or of the list of mappings, that stands
// under a merge key. Of several mappings the first wins.
func (p *yamlParser) merge(from *yaml.Node, m map[string]any) error {
	if from.Kind == yaml.AliasNode {
		from = from.Alias
	}
	if err := p.enter(); err != nil {
		return err
	}
	defer p.leave()
	switch from.Kind {
	case yaml.MappingNode:
		return p.object(from, m)
	case yaml.SequenceNode:
		for i := len(from.Content) - 1; i >= 0; i-- {
			if err := p.merge(from.Content[i], m); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("line %d, column %d: found a single value under <<, expected a mapping or a list of mappings", from.Line, from.Column)
}

// scalar returns the value of a single node, numbers in the spelling of JSON.
func scalar(n *yaml.Node) (any, error) {
	var v any
	switch n.ShortTag() {
	case "!!null":
		return nil, nil
	case "!!bool", "!!int", "!!float":
		if isJSONNumber(n.Value) {
			return json.Number(n.Value), nil
		}
		if err := n.Load(&v); err != nil {
			return nil, fmt.Errorf("line %d, column %d: found %q, expected what its tag %s says", n.Line, n.Column, excerpt(n.Value, 20), n.ShortTag())
		}
		return jsonNumber(v), nil
	}
	return n.Value, nil
}

func isJSONNumber(s string) bool {
	p := jsonParser{text: s}
	if s == "" || s[0] != '-' && s[0]-'0' > 9 {
		return false
	}
	_, err := p.number()
	return err == nil && p.pos == len(s)
}

// jsonNumber returns a number that JSON spells otherwise; it leaves true and false.
func jsonNumber(v any) any {
	switch v := v.(type) {
	case bool:
		return v
	case float64:
		text := strconv.FormatFloat(v, 'g', -1, 64)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return text
		}
		return json.Number(text)
	}
	return json.Number(fmt.Sprint(v))
}
