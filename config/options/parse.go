package options

import (
	"path/filepath"

	"go.yaml.in/yaml/v4"
)

// Parse reads the YAML text of one file and returns its top node, or nil where
// the file is empty or its syntax is wrong; the error is noted. Aliases and
// merge keys are resolved and comments left out, so that what decodes or shows
// the nodes need not know them.
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
	for i := range docs {
		stamp(&docs[i], number)
	}
	if len(docs) > 1 {
		d.Errorf(&docs[1], "a second YAML document begins here, expected one document in a file")
		return nil
	}
	r := resolver{d: d, within: make(map[*yaml.Node]bool)}
	top := r.resolve(docs[0].Content[0])
	if r.failed || IsNull(top) {
		return nil
	}
	return top
}
