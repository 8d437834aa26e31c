package query

import (
	"context"
	"maps"
	"slices"

	"status_exporter/collector/tree"
)

// Most expressions are plain paths: fields, items, [], ? and pipes of these. A
// path walks the value itself, which costs a twentieth of what the jq
// machine costs. It gives the same results in the same order, and where it
// would have to tell of an error it leaves that to the machine. The way in is
// walk.
type path []step

type step struct {
	kind     kind
	name     string        // of a key, a variable or a call
	index    int           // of an item
	optional bool          // a ? follows: an error gives nothing instead
	apply    func(any) any // of a call; an error is returned as the result
	value    func(*Env) any
	constant any  // of an else
	nothing  bool // else nothing: // empty
}

type kind int

const (
	keyStep      kind = iota // .name, ."name", .["name"]
	itemStep                 // .[0], .[-1]
	eachStep                 // .[]
	manyStep                 // many
	callStep                 // duration, to_entries
	variableStep             // $root
	elseStep                 // what comes before // 0
)

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
			case *tree.Node:
				if within.Kind() != tree.Object {
					return s.wrongType()
				}
				v = within.Member(s.name)
			case map[string]any:
				v = within[s.name]
			case nil:
			default:
				return s.wrongType()
			}
		case itemStep:
			switch within := v.(type) {
			case *tree.Node:
				if within.Kind() == tree.String { // a letter of it
					return failing
				}
				if within.Kind() != tree.Array {
					return s.wrongType()
				}
				v = nil
				if i := counted(s.index, within.Len()); i >= 0 {
					v = within.Item(i)
				}
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
			if isArray(v) {
				return p[i+1:].walkEach(env, v, r, s)
			}
		case callStep:
			v = s.apply(v)
			if _, failed := v.(error); failed {
				return failing
			}
		case variableStep:
			v = s.value(env)
			if i+1 == len(p) || p[i+1].kind != keyStep {
				v = allGo(v)
			}
		case elseStep:
			if v == nil || v == false {
				if s.nothing {
					return goOn
				}
				v = s.constant
			}
		}
	}
	return r.add(v)
}

// walkEach follows the path from every member of v, in jq's order.
func (p path) walkEach(env *Env, v any, r *results, s *step) verdict {
	switch within := v.(type) {
	case *tree.Node:
		if within.Kind() != tree.Array && within.Kind() != tree.Object {
			return s.wrongType()
		}
		for member := range within.Values() {
			if r.canceled() {
				return stop
			}
			if verdict := p.walk(env, member, r); verdict != goOn {
				return verdict
			}
		}
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
		for _, name := range slices.Sorted(maps.Keys(within)) {
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

// at returns an item of an array; nil where there is none.
func at(array []any, i int) any {
	if i = counted(i, len(array)); i < 0 {
		return nil
	}
	return array[i]
}

// counted returns the place of an item in an array, counted from the end where i is
// negative, or -1 where there is none.
func counted(i, length int) int {
	if i < 0 {
		i += length
	}
	if i < 0 || i >= length {
		return -1
	}
	return i
}

func isArray(v any) bool {
	if n, ok := v.(*tree.Node); ok {
		return n.Kind() == tree.Array
	}
	_, ok := v.([]any)
	return ok
}
