package options

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Parse reads the YAML text of one file and returns its top node, or nil where
// the file is empty or its syntax is wrong; the error is noted. Aliases and
// merge keys are resolved, so that what decodes the nodes need not know them.
func (d *Decoder) Parse(name string, text []byte) *yaml.Node {
	dir := filepath.Dir(name)
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	d.files = append(d.files, file{name: name, dir: dir})
	number := len(d.files) - 1

	var docs []yaml.Node
	if err := yaml.Load(text, &docs, yaml.WithAllDocuments(), yaml.WithUniqueKeys(false)); err != nil {
		d.errs = append(d.errs, syntaxError(name, text, err))
		return nil
	}
	if len(docs) == 0 {
		return nil
	}
	if len(docs) > 1 {
		d.errs = append(d.errs, &Error{
			Position{name, docs[1].Line, max(docs[1].Column, 1)},
			"a second YAML document begins here, expected one document in a file",
		})
		return nil
	}
	top := &docs[0]
	if top.Kind == yaml.DocumentNode {
		if len(top.Content) == 0 {
			return nil
		}
		top = top.Content[0]
	}
	top, err := resolve(top, map[*yaml.Node]bool{})
	if err != nil {
		d.errs = append(d.errs, &Error{Position{name, err.node.Line, err.node.Column}, err.message})
		return nil
	}
	if IsNull(top) {
		return nil
	}
	stamp(top, number)
	return top
}

type resolveError struct {
	node    *yaml.Node
	message string
}

// resolve returns a copy of the tree in which aliases are replaced by what they
// stand for and merge keys (<<) by the entries that they bring.
func resolve(n *yaml.Node, within map[*yaml.Node]bool) (*yaml.Node, *resolveError) {
	if n.Kind == yaml.AliasNode {
		if within[n.Alias] {
			return nil, &resolveError{n, fmt.Sprintf("the alias *%s stands within what it names", n.Value)}
		}
		return resolve(n.Alias, within)
	}
	within[n] = true
	defer delete(within, n)
	c := *n
	c.Anchor = ""
	c.Content = make([]*yaml.Node, 0, len(n.Content))
	var merged []*yaml.Node
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && child.Kind == yaml.ScalarNode && child.Value == "<<" && child.ShortTag() == "!!merge" {
			from, err := resolve(n.Content[i+1], within)
			if err != nil {
				return nil, err
			}
			switch from.Kind {
			case yaml.MappingNode:
				merged = append(merged, from)
			case yaml.SequenceNode:
				merged = append(merged, from.Content...)
			default:
				return nil, &resolveError{child, "the merge key << takes a mapping or a list of mappings"}
			}
			continue
		}
		if n.Kind == yaml.MappingNode && i%2 == 1 && n.Content[i-1].Value == "<<" && n.Content[i-1].ShortTag() == "!!merge" {
			continue
		}
		r, err := resolve(child, within)
		if err != nil {
			return nil, err
		}
		c.Content = append(c.Content, r)
	}
	for _, from := range merged {
		for i := 0; i+1 < len(from.Content); i += 2 {
			if key, _ := Get(&c, from.Content[i].Value); key == nil {
				c.Content = append(c.Content, from.Content[i], from.Content[i+1])
			}
		}
	}
	return &c, nil
}

var queryInFlow = regexp.MustCompile(`(?m)(\{[^}\n]*\b(?:value|each|sum|count|buckets|created)\s*:[^"'\n]*[\[{|,])|((?:value|each|labels?)\s*:\s*[^"'\n]*\{[^}\n]*:[^}\n]*\})`)

// syntaxError puts an error of the YAML parser into our words and adds what is
// usually the cause: jq's brackets and colons outside quotes.
func syntaxError(name string, text []byte, err error) *Error {
	position := Position{File: name}
	message := err.Error()
	var loadErr *yaml.LoadError
	if errors.As(err, &loadErr) {
		position.Line, position.Column = loadErr.Mark.Line, loadErr.Mark.Column+1
		message = loadErr.Message
	}
	hint := ""
	lines := strings.Split(string(text), "\n")
	for _, number := range []int{position.Line, position.Line - 1} {
		if number >= 1 && number <= len(lines) {
			line := lines[number-1]
			if queryInFlow.MatchString(line) {
				hint = "; in YAML, jq's {, [, | and : need quotes around the expression, or a block: value: |- and the expression on the next line"
				break
			}
			if strings.HasPrefix(strings.TrimLeft(line, " "), "\t") || strings.HasPrefix(line, "\t") {
				hint = "; YAML is indented with spaces, never with tabs"
				break
			}
		}
	}
	return &Error{position, "not valid YAML: " + strings.TrimSpace(message) + hint}
}
