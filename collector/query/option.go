package query

import (
	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
)

// Option decodes an expression from the configuration.
func Option(d *options.Decoder, into **Query) func(*yaml.Node) {
	return func(n *yaml.Node) {
		var source string
		failed := d.Failed()
		d.Text(&source)(n)
		if d.Failed() > failed {
			return
		}
		q, err := Compile(source)
		if err != nil {
			d.Errorf(n, "%v", err)
			return
		}
		for _, warning := range q.warnings {
			d.Warnf(n, "in the expression %s %s", excerpt(source, 0), warning)
		}
		*into = q
	}
}
