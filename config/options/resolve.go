package options

import (
	"slices"

	"go.yaml.in/yaml/v4"
)

// maxNodes bounds what the aliases of one file may expand to: a few hundred
// bytes can otherwise stand for more than any memory holds.
const maxNodes = 1_000_000

// A resolver copies the tree of one file without aliases, merge keys and comments.
type resolver struct {
	d      *Decoder
	within map[*yaml.Node]bool // the nodes that are being copied
	nodes  int                 // copied so far
	failed bool                // the copy is not complete
}

func (r *resolver) resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		if r.within[n.Alias] {
			r.fail(n, "the alias *%s stands within what it names", n.Value)
			return n.Alias
		}
		return r.resolve(n.Alias)
	}
	if r.nodes++; r.nodes > maxNodes {
		if !r.failed {
			r.fail(n, "the aliases stand for more than %d values", maxNodes)
		}
		return n
	}
	r.checkTag(n)
	c := &yaml.Node{Kind: n.Kind, Style: n.Style, Tag: n.Tag, Value: n.Value, Line: n.Line, Column: n.Column}
	r.within[n] = true
	if n.Kind == yaml.MappingNode {
		r.mapping(c, n)
	} else {
		for _, item := range n.Content {
			c.Content = append(c.Content, r.resolve(item))
		}
	}
	delete(r.within, n)
	return c
}

// mapping copies the entries of a mapping: its own, then those that merge keys
// bring and that it does not have itself.
func (r *resolver) mapping(c, n *yaml.Node) {
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge" {
			merged = append(merged, r.merged(value)...)
			continue
		}
		c.Content = append(c.Content, r.resolve(key), r.resolve(value))
	}
	for _, from := range merged {
		for i := 0; i+1 < len(from.Content); i += 2 {
			if key, _ := Get(c, from.Content[i].Value); key == nil {
				c.Content = append(c.Content, from.Content[i], from.Content[i+1])
			}
		}
	}
}

// merged returns the mappings that stand under a merge key.
func (r *resolver) merged(n *yaml.Node) []*yaml.Node {
	from := []*yaml.Node{r.resolve(n)}
	if from[0].Kind == yaml.SequenceNode {
		from = from[0].Content
	}
	for _, m := range from {
		if m.Kind != yaml.MappingNode {
			r.d.Errorf(n, "found %s under the merge key <<, expected a mapping or a list of mappings", Describe(m))
			return nil
		}
	}
	return from
}

// coreTags are the tags that the texts of a configuration have by themselves.
var coreTags = []string{"!!map", "!!seq", "!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!merge"}

// checkTag does not quote the tag, which may be a password without its quotes.
func (r *resolver) checkTag(n *yaml.Node) {
	if tag := n.ShortTag(); tag != "" && !slices.Contains(coreTags, tag) {
		r.d.Errorf(n, "found a tag, which means nothing here; a text that begins with ! stands in quotes")
	}
}

func (r *resolver) fail(n *yaml.Node, format string, args ...any) {
	r.failed = true
	r.d.Errorf(n, format, args...)
}
