package document

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// yamlDecoder decodes YAML 1.2, with the numbers of 1.1.
type yamlDecoder struct{}

func (yamlDecoder) Decode(ctx context.Context, body []byte, contentType string, limits Limits) (any, error) {
	text := decodeText(body, declaredEncoding(contentType))
	if err := wrongKind(text, "YAML"); err != nil {
		return nil, err
	}
	// Where its buffer begins with such a mark, the library passes what stands elsewhere.
	text = strings.ReplaceAll(text, byteOrderMark, "")
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

const byteOrderMark = "\ufeff"

// A yamlParser lets the library build the tree of one document after the other and
// makes values of it. The tree is bounded by the same limits: CheckDepth counts its
// collections, and yamlTokens what else may be in it.
type yamlParser struct {
	meter
	text        io.Reader
	marked      int // the line in which a mark of ours is put, or 0
	collections int
	exceeded    error // the limit
}

// Read is how the library reads the text.
func (p *yamlParser) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	return p.text.Read(b)
}

// CheckDepth is called by the library for every collection that begins.
func (p *yamlParser) CheckDepth(depth int, _ *yaml.DepthContext) error {
	p.collections++
	switch {
	case depth > p.limits.Depth:
		p.exceeded = p.tooDeep()
	case p.limits.Before+p.collections > p.limits.Values:
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
	return p.errorf(load.Mark.Line, load.Mark.Column, "%s, expected YAML", load.Message)
}

// errorf says what is wrong where.
func (p *yamlParser) errorf(line, column int, format string, args ...any) error {
	if line == p.marked {
		column -= len(documentMark)
	}
	return fmt.Errorf("line %d, column %d: %w", line, column, fmt.Errorf(format, args...))
}

// documentMark begins a document. A bracket in the same line cannot begin a key, so
// that the library need not read up to its end first.
const documentMark = "--- "

// read lets the library read a text, and asks for the memory that it will take.
// What is returned gives it back.
func (p *yamlParser) read(text string) (giveBack func(), err error) {
	begin := 0
	if start := strings.TrimLeft(text, " \t\r\n"); start != "" && (start[0] == '[' || start[0] == '{') {
		begin = strings.LastIndexAny(text[:len(text)-len(start)], "\r\n") + 1
		lines := strings.ReplaceAll(text[:begin], "\r\n", "\n")
		p.marked = 1 + strings.Count(lines, "\r") + strings.Count(lines, "\n")
		p.text = io.MultiReader(strings.NewReader(text[:begin]), strings.NewReader(documentMark), strings.NewReader(text[begin:]))
	} else {
		p.text = strings.NewReader(text)
	}
	tokens := newYAMLTokens(text, begin, p.marked > 0, p.limits.Depth)
	for looked := 0; tokens.next(); {
		switch {
		case p.limits.Before+tokens.values > p.limits.Values, tokens.nodes > nodesPerValue*(p.limits.Values+1):
			return nil, p.tooMany()
		case tokens.ahead > mostAhead:
			return nil, Failf(ReasonLimit, "a line, or a list or mapping in brackets within others, has more than %d words, commas, colons and the like, which is the limit in YAML; documents of JSON have the format json", mostAhead)
		case tokens.inside > mostInside:
			return nil, Failf(ReasonLimit, "a list or mapping in brackets has more than %d words, commas, colons and the like, which is the limit in YAML; documents of JSON have the format json", mostInside)
		case tokens.pos-looked >= lookEvery:
			if looked = tokens.pos; p.ctx.Err() != nil {
				return nil, p.givenUp()
			}
		}
	}
	if p.limits.Share == nil {
		return func() {}, nil
	}
	n := tokens.cost()
	if err := p.limits.Share.Decoded(n); err != nil {
		return nil, Failf(ReasonOverloaded, "%w", err)
	}
	return func() { _ = p.limits.Share.Decoded(-n) }, nil // to give back does not fail
}

// nodesPerValue is how many nodes of the library a value may take: itself and its key,
// and a tag and an anchor of each; or those that yamlTokens counts where a value is
// nothing.
const nodesPerValue = 4

// lookEvery is after how many bytes the reading of tokens looks at its context.
const lookEvery = 4096

func (p *yamlParser) documents(text string) ([]any, error) {
	giveBack, err := p.read(text)
	if err != nil {
		return nil, err
	}
	defer giveBack()
	loader, err := yaml.NewLoader(p, yaml.WithPlugin(p))
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
		return p.scalar(n)
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
			return p.errorf(key.Line, key.Column, "found a list or mapping as a key, expected a word")
		}
		if isMerge(key) {
			continue
		}
		v, err := p.value(n.Content[i+1])
		if err != nil {
			return err
		}
		m[key.Value] = v
		if err := p.members(len(m)); err != nil {
			return err
		}
	}
	return nil
}

func isMerge(key *yaml.Node) bool { return key.ShortTag() == "!!merge" }

// merge adds the entries of the mapping, or of the list of mappings, that stands
// under a merge key. Of several mappings the first wins. Each counts as a value, also
// where it adds nothing: aliases name the same mappings again and again.
func (p *yamlParser) merge(from *yaml.Node, m map[string]any) error {
	if from.Kind == yaml.AliasNode {
		from = from.Alias
	}
	if err := p.count(1); err != nil {
		return err
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
	return p.errorf(from.Line, from.Column, "found a single value under <<, expected a mapping or a list of mappings")
}

// scalar returns the value of a single node, numbers in the spelling of JSON.
func (p *yamlParser) scalar(n *yaml.Node) (any, error) {
	var v any
	switch n.ShortTag() {
	case "!!null":
		return nil, nil
	case "!!bool", "!!int", "!!float":
		if err := shortNumber(n.Value); err != nil { // aliases name the same number again and again
			return nil, err
		}
		if isJSONNumber(n.Value) {
			return json.Number(n.Value), nil
		}
		if err := n.Load(&v); err != nil {
			return nil, p.errorf(n.Line, n.Column, "found %q, expected what its tag %s says", excerpt(n.Value, 20), n.ShortTag())
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
