package query

import (
	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
)

// compiled is what became of an expression.
type compiled struct {
	query *Query
	err   error
}

// spelling tells an expression apart from what else is shared.
type spelling string

// Option decodes an expression from the configuration. Those that are spelled the
// same are compiled once.
func Option(d *options.Decoder, into **Query) func(*yaml.Node) {
	return d.Scalar("an expression, in quotes where it begins with { or [", func(n *yaml.Node) string {
		c := options.Shared(d, spelling(n.Value), func() (c compiled) {
			c.query, c.err = Compile(n.Value)
			return c
		})
		if c.err != nil {
			d.Errorf(n, "%v", c.err)
			return ""
		}
		for _, warning := range c.query.warnings {
			d.Warnf(n, "in the expression %s %s", excerpt(n.Value, 0), warning)
		}
		*into = c.query
		return ""
	})
}
