// Package query is our jq: itchyny/gojq with the functions that status pages
// need and with bounds on what an expression may cost.
package query

import (
	"context"
	"iter"

	"github.com/itchyny/gojq"
	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
)

// A Query is a compiled jq expression. It is immutable and safe for concurrent use.
type Query struct {
	source string
	code   *gojq.Code
}

// Env holds the values of the variables that every expression may read.
type Env struct {
	Root    any            // $root: the document
	Docs    map[string]any // $docs: every document of the probe by its name
	Target  string         // $target
	Status  int            // $status: the HTTP status code of the document
	Headers map[string]any // $headers: the answer's headers by lower-case name, several values joined with ", "
	Vars    map[string]any // $vars: the parameters of the module
}

// Compile compiles a jq expression.
func Compile(source string) (*Query, error) {
	parsed, err := gojq.Parse(source)
	if err != nil {
		return nil, err
	}
	code, err := gojq.Compile(parsed, gojq.WithVariables([]string{"$root", "$docs", "$target", "$status", "$headers", "$vars"}))
	if err != nil {
		return nil, err
	}
	return &Query{source, code}, nil
}

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
		*into = q
	}
}

// String returns the expression as it was written.
func (q *Query) String() string { return q.source }

// All returns the results for one input. An evaluation that fails ends with an
// error as its last result; results that came before it stand.
func (q *Query) All(ctx context.Context, env *Env, input any) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		it := q.code.RunWithContext(ctx, input, env.Root, env.Docs, env.Target, env.Status, env.Headers, env.Vars)
		for {
			v, ok := it.Next()
			if !ok {
				return
			}
			if err, failed := v.(error); failed {
				yield(nil, err)
				return
			}
			if !yield(v, nil) {
				return
			}
		}
	}
}
