package query

import (
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/itchyny/gojq"

	"status_exporter/collector/tree"
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
	if q.Op == gojq.OpAlt {
		return plainElse(q)
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

// plainElse accepts one value on the left of // and a constant on the right.
func plainElse(q *gojq.Query) (p path, whole bool) {
	p, whole = plain(q.Left)
	for _, s := range p {
		whole = whole && !s.optional && s.kind != eachStep && s.kind != manyStep && s.kind != elseStep
	}
	s, ok := plainConstant(q.Right)
	if !whole || !ok {
		return nil, false
	}
	return append(p, s), true
}

func plainConstant(q *gojq.Query) (s step, ok bool) {
	if q.Term == nil || len(q.Term.SuffixList) > 0 || len(q.FuncDefs) > 0 {
		return step{}, false
	}
	s.kind = elseStep
	switch t := q.Term; t.Type {
	case gojq.TermTypeNull:
		return s, true
	case gojq.TermTypeFalse, gojq.TermTypeTrue:
		s.constant = t.Type == gojq.TermTypeTrue
		return s, true
	case gojq.TermTypeNumber:
		number, err := strconv.Atoi(t.Number)
		s.constant = number
		return s, err == nil
	case gojq.TermTypeString:
		s.constant = t.Str.Str
		return s, t.Str.Queries == nil
	case gojq.TermTypeFunc:
		s.nothing = true
		return s, t.Func.Name == "empty" && len(t.Func.Args) == 0
	}
	return step{}, false
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
	if apply, ok := calls[f.Name]; ok {
		return step{kind: callStep, name: f.Name, apply: apply}, true
	}
	read, ok := values[f.Name]
	return step{kind: callStep, name: f.Name, apply: func(v any) any { return read(tree.Go(v)) }}, ok
}

func entries(v any) any {
	if n, ok := v.(*tree.Node); ok && n.Kind() == tree.Object {
		return n.Entries()
	}
	object, ok := v.(map[string]any)
	if !ok {
		return errMachine
	}
	list := make([]any, 0, len(object))
	for _, name := range slices.Sorted(maps.Keys(object)) {
		list = append(list, map[string]any{"key": name, "value": object[name]})
	}
	return list
}

func length(v any) any {
	switch v := v.(type) {
	case *tree.Node:
		if v.Kind() == tree.Array || v.Kind() == tree.Object {
			return v.Len()
		}
	case []any:
		return len(v)
	case map[string]any:
		return len(v)
	}
	return errMachine
}

var errMachine = errors.New("only the machine knows")
