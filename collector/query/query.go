// Package query is our jq: itchyny/gojq with the functions that status pages
// need and with bounds on what an expression may cost.
//
// In goes an expression, once, and then a value for each evaluation; out come
// results and at most one error. Values are what package document makes: nil,
// bool, string, json.Number, []any, map[string]any and *tree.Node; results may also
// be int, float64 and *big.Int.
package query

import (
	"context"
	"iter"
	"net/http"
	"strings"
	"sync"

	"github.com/itchyny/gojq"
)

// A Query is a compiled jq expression. It is immutable and safe for concurrent use.
type Query struct {
	source   string
	path     path   // with which the expression begins
	plain    bool   // the path is all of it
	leads    []path // the paths with which parts of it begin
	warnings []string

	compile sync.Once // of a path, which is compiled for the machine when it is needed there
	machine *program
}

// Env holds the values of the variables that every expression may read.
type Env struct {
	Root    any            // $root: the document
	Docs    map[string]any // $docs: every document of the probe by its name
	Target  string         // $target
	Status  int            // $status: the HTTP status code of the document
	Headers map[string]any // $headers: the answer's headers by lower-case name, several values joined with ", "
	Header  http.Header    // what Headers are made of, when an expression reads them
	Vars    map[string]any // $vars: the parameters of the module
}

// variables are the variables of expressions, and where their values come from.
var variables = map[string]func(*Env) any{
	"$root":    func(env *Env) any { return env.Root },
	"$docs":    func(env *Env) any { return env.Docs },
	"$target":  func(env *Env) any { return env.Target },
	"$status":  func(env *Env) any { return env.Status },
	"$headers": (*Env).headers,
	"$vars":    func(env *Env) any { return env.Vars },
}

func (env *Env) headers() any {
	if env.Headers == nil {
		env.Headers = make(map[string]any, len(env.Header))
		for name, lines := range env.Header {
			env.Headers[strings.ToLower(name)] = strings.Join(lines, ", ")
		}
	}
	return env.Headers
}

// Compile compiles a jq expression. The error is a *SyntaxError.
func Compile(source string) (*Query, error) {
	if strings.TrimSpace(source) == "" {
		return nil, &SyntaxError{Source: source, Offset: -1, Problem: "it is empty", Hint: wholeDocument}
	}
	parsed, err := gojq.Parse(source)
	if err != nil {
		return nil, parseError(source, err)
	}
	if len(parsed.Imports) > 0 || parsed.Meta != nil {
		return nil, &SyntaxError{Source: source, Offset: -1, Problem: "modules of jq cannot be used here"}
	}
	q := &Query{source: source, warnings: slips(parsed)}
	if q.path, q.plain = plain(parsed); q.plain {
		q.leads = []path{q.path}
		return q, nil
	}
	q.leads = leads(parsed)
	if q.machine, err = build(parsed); err != nil {
		return nil, compileError(source, err)
	}
	return q, nil
}

// program returns the expression for the machine. A path is parsed again for it:
// few ever get there, and what the parser made takes more memory than all else.
func (q *Query) program() *program {
	if q.plain {
		q.compile.Do(func() {
			parsed, _ := gojq.Parse(q.source) // it was right before
			q.machine, _ = build(parsed)
		})
	}
	return q.machine
}

// String returns the expression as it was written.
func (q *Query) String() string { return q.source }

// All returns the results for one input. An evaluation that fails ends with an
// error as its last result; results that came before it stand. Errors are those
// of the expression, the context's, and ErrMemory. The input and the values in
// env are only read.
func (q *Query) All(ctx context.Context, env *Env, input any) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		found := 0
		if q.plain {
			r := results{yield: yield, ctx: ctx}
			verdict := q.path.walk(env, input, &r)
			if r.err != nil {
				yield(nil, r.err)
			}
			if verdict != failing {
				return
			}
			found = r.count
		}
		q.program().run(ctx, env, input, found, yield)
	}
}

// One returns the first result for one input, and how many there are: 0, 1, or
// 2 for several. Where the evaluation failed, what came before the error is
// still counted.
func (q *Query) One(ctx context.Context, env *Env, input any) (value any, count int, err error) {
	if q.plain {
		r := results{ctx: ctx}
		if q.path.walk(env, input, &r) != failing {
			return r.first, r.count, r.err
		}
	}
	q.program().run(ctx, env, input, 0, func(v any, failure error) bool {
		if failure != nil {
			err = failure
			return false
		}
		if count++; count == 1 {
			value = v
		}
		return count < 2
	})
	return value, count, err
}
