package options

import (
	"slices"

	"go.yaml.in/yaml/v4"
)

// maxNodes bounds what the aliases of one file may expand to: a few hundred
// bytes can otherwise stand for more than any memory holds.
const maxNodes = 1_000_000

// A resolver makes a tree of one file without aliases, merge keys and comments: of
// its nodes, and of a copy of them for each alias.
type resolver struct {
	d       *Decoder
	within  map[*yaml.Node]bool // the nodes with an anchor that are being resolved
	aliases int                 // that are being resolved
	nodes   int                 // resolved so far
	failed  bool                // the tree is not complete
}

func (r *resolver) resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		if r.within[n.Alias] {
			r.fail(n, "the alias *%s stands within what it names", n.Value)
			return n.Alias
		}
		r.aliases++
		c := r.resolve(n.Alias)
		r.aliases--
		return c
	}
	if r.nodes++; r.nodes > maxNodes {
		if !r.failed {
			r.fail(n, "the aliases stand for more than %d values", maxNodes)
		}
		return n
	}
	r.checkTag(n)
	if n.Anchor != "" {
		r.within[n] = true
		defer delete(r.within, n)
	}
	c := n
	if r.aliases > 0 {
		c = &yaml.Node{}
	}
	content := n.Content
	*c = yaml.Node{Kind: n.Kind, Style: n.Style, Tag: n.Tag, Value: n.Value, Line: n.Line, Column: n.Column}
	if n.Kind == yaml.MappingNode {
		r.mapping(c, content)
	} else if len(content) > 0 {
		c.Content = make([]*yaml.Node, len(content))
		for i, item := range content {
			c.Content[i] = r.resolve(item)
		}
	}
	return c
}

// mapping gives c the entries of a mapping: its own, then those that merge keys
// bring and that it does not have itself.
func (r *resolver) mapping(c *yaml.Node, content []*yaml.Node) {
	var merged []*yaml.Node
	c.Content = make([]*yaml.Node, 0, len(content))
	for i := 0; i+1 < len(content); i += 2 {
		key, value := content[i], content[i+1]
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
