package query

import (
	"context"
	"errors"
	"strconv"

	"github.com/itchyny/gojq"
)

// Most expressions are plain paths: fields, items, [], ? and pipes of these. A
// path walks the Go value itself, which costs a thirtieth of what the jq
// machine costs. It gives the same results in the same order, and where it
// would have to tell of an error it leaves that to the machine.
//
// walk is the way in; plain says which expressions are paths.
type path []step

type step struct {
	kind     kind
	name     string        // of a key or variable
	index    int           // of an item
	optional bool          // a ? follows: an error gives nothing instead
	apply    func(any) any // of a call; an error is returned as the result
	value    func(*Env) any
}

type kind int

const (
	keyStep      kind = iota // .name, ."name", .["name"]
	itemStep                 // .[0], .[-1]
	eachStep                 // .[]
	manyStep                 // many
	callStep                 // duration, to_entries
	variableStep             // $root
)

// calls are the functions that a path may apply, beside those in values.
var calls = map[string]func(any) any{
	"to_entries": entries,
	"length":     length,
}

// plain returns the path with which the expression begins, and whether that is
// all of it.
func plain(q *gojq.Query) (p path, whole bool) {
	if q.Meta != nil || len(q.Imports) > 0 || len(q.FuncDefs) > 0 {
		return nil, false
	}
	if q.Term != nil {
		return plainTerm(q.Term)
	}
	if q.Op != gojq.OpPipe {
		return nil, false
	}
	left, whole := plain(q.Left)
	if !whole || len(q.Patterns) > 0 {
		return left, false
	}
	right, whole := plain(q.Right)
	return append(left, right...), whole
}

func plainTerm(t *gojq.Term) (p path, whole bool) {
	switch t.Type {
	case gojq.TermTypeIdentity:
	case gojq.TermTypeIndex:
		s, ok := plainIndex(t.Index)
		if !ok {
			return nil, false
		}
		p = path{s}
	case gojq.TermTypeFunc:
		s, ok := plainCall(t.Func)
		if !ok {
			return nil, false
		}
		p = path{s}
	case gojq.TermTypeQuery:
		if p, whole = plain(t.Query); !whole {
			return p, false
		}
	default:
		return nil, false
	}
	single := len(p) == 1 && t.Type != gojq.TermTypeQuery // what a ? would belong to
	for _, suffix := range t.SuffixList {
		switch {
		case suffix.Optional && single:
			p[len(p)-1].optional = true
		case suffix.Iter:
			p = append(p, step{kind: eachStep})
		case suffix.Index != nil:
			s, ok := plainIndex(suffix.Index)
			if !ok {
				return p, false
			}
			p = append(p, s)
		default:
			return p, false
		}
		single = !suffix.Optional
	}
	return p, true
}

func plainIndex(x *gojq.Index) (s step, ok bool) {
	switch {
	case x.Name != "":
		return step{kind: keyStep, name: x.Name}, true
	case x.Str != nil:
		return step{kind: keyStep, name: x.Str.Str}, x.Str.Queries == nil
	case x.IsSlice || x.Start.Term == nil || len(x.Start.FuncDefs) > 0 || len(x.Start.Term.SuffixList) > 0:
		return step{}, false
	}
	switch t := x.Start.Term; t.Type {
	case gojq.TermTypeString:
		return step{kind: keyStep, name: t.Str.Str}, t.Str.Queries == nil
	case gojq.TermTypeNumber:
		index, err := strconv.Atoi(t.Number)
		return step{kind: itemStep, index: index}, err == nil
	case gojq.TermTypeUnary:
		number := t.Unary.Term
		index, err := strconv.Atoi(number.Number)
		return step{kind: itemStep, index: -index}, err == nil && t.Unary.Op == gojq.OpSub && len(number.SuffixList) == 0
	}
	return step{}, false
}

func plainCall(f *gojq.Func) (s step, ok bool) {
	if len(f.Args) > 0 {
		return step{}, false
	}
	if f.Name == "many" {
		return step{kind: manyStep}, true
	}
	if value, ok := variables[f.Name]; ok {
		return step{kind: variableStep, name: f.Name, value: value}, true
	}
	apply, ok := calls[f.Name]
	if !ok {
		apply, ok = values[f.Name]
	}
	return step{kind: callStep, name: f.Name, apply: apply}, ok
}

// results receives what a walk finds.
type results struct {
	yield func(any, error) bool // for All; nil where only the first result counts
	first any
	count int
	ctx   context.Context
	err   error // of ctx
	steps int
}

// A verdict says how a walk, or a part of it, went.
type verdict int

const (
	goOn    verdict = iota
	stop            // nobody wants more results, or ctx is done
	failing         // there is an error here: the machine has words for it
)

func (r *results) add(v any) verdict {
	r.count++
	if r.yield != nil {
		if !r.yield(v, nil) {
			return stop
		}
		return goOn
	}
	if r.count == 1 {
		r.first = v
		return goOn
	}
	return stop
}

// canceled looks at the context now and then.
func (r *results) canceled() bool {
	if r.steps++; r.steps%1024 == 0 {
		r.err = r.ctx.Err()
	}
	return r.err != nil
}

// walk follows the path from v.
func (p path) walk(env *Env, v any, r *results) verdict {
	for i := range p {
		switch s := &p[i]; s.kind {
		case keyStep:
			switch within := v.(type) {
			case map[string]any:
				v = within[s.name]
			case nil:
			default:
				return s.wrongType()
			}
		case itemStep:
			switch within := v.(type) {
			case []any:
				v = at(within, s.index)
			case nil:
			case string: // a letter of it
				return failing
			default:
				return s.wrongType()
			}
		case eachStep:
			return p[i+1:].walkEach(env, v, r, s)
		case manyStep:
			if v == nil {
				return goOn
			}
			if _, several := v.([]any); several {
				return p[i+1:].walkEach(env, v, r, s)
			}
		case callStep:
			v = s.apply(v)
			if _, failed := v.(error); failed {
				return failing
			}
		case variableStep:
			v = s.value(env)
		}
	}
	return r.add(v)
}

// walkEach follows the path from every member of v, in jq's order.
func (p path) walkEach(env *Env, v any, r *results, s *step) verdict {
	switch within := v.(type) {
	case []any:
		for _, member := range within {
			if r.canceled() {
				return stop
			}
			if verdict := p.walk(env, member, r); verdict != goOn {
				return verdict
			}
		}
	case map[string]any:
		for _, name := range keys(within) {
			if r.canceled() {
				return stop
			}
			if verdict := p.walk(env, within[name], r); verdict != goOn {
				return verdict
			}
		}
	default:
		return s.wrongType()
	}
	return goOn
}

func (s *step) wrongType() verdict {
	if s.optional {
		return goOn
	}
	return failing
}

// at returns an item of an array, counted from the end where i is negative.
func at(array []any, i int) any {
	if i < 0 {
		i += len(array)
	}
	if i < 0 || i >= len(array) {
		return nil
	}
	return array[i]
}

func entries(v any) any {
	object, ok := v.(map[string]any)
	if !ok {
		return errMachine
	}
	list := make([]any, 0, len(object))
	for _, name := range keys(object) {
		list = append(list, map[string]any{"key": name, "value": object[name]})
	}
	return list
}

func length(v any) any {
	switch v := v.(type) {
	case []any:
		return len(v)
	case map[string]any:
		return len(v)
	}
	return errMachine
}

var errMachine = errors.New("only the machine knows")
