package query

import (
	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
)

// Option decodes an expression from the configuration.
func Option(d *options.Decoder, into **Query) func(*yaml.Node) {
	return d.Scalar("an expression, in quotes where it begins with { or [", func(n *yaml.Node) string {
		q, err := Compile(n.Value)
		if err != nil {
			d.Errorf(n, "%v", err)
			return ""
		}
		for _, warning := range q.warnings {
			d.Warnf(n, "in the expression %s %s", excerpt(n.Value, 0), warning)
		}
		*into = q
		return ""
	})
}
