package query

import (
	"reflect"
	"strconv"
	"strings"

	"github.com/itchyny/gojq"
)

// Operators cannot be defined anew in jq as functions can, and a call of a
// definition takes longer than most of what it would bound. So the operators
// and calls that could make one step long or large are replaced in the parsed
// expression.

// A bounding replaces operators and calls in one expression.
type bounding struct {
	grows  bool         // the expression may make something larger than the document
	slices bool         // it may put items between those of an array
	done   map[any]bool // what stays as it is
}

// boundExpression replaces what may take long or much memory in one step.
func boundExpression(parsed *gojq.Query) {
	b := bounding{done: make(map[any]bool)}
	times := 1
	walk(reflect.ValueOf(parsed), func(node any) {
		b.grows = b.grows || isGrowth(node)
		b.slices = b.slices || isSlice(node)
		times = min(times*amplification(node), mostTimes+1)
	})
	b.grows = b.grows || times > mostTimes
	walk(reflect.ValueOf(parsed), b.replace)
}

// growing are the functions that make something of many values, or apply what
// they are given to its own result.
var growing = map[string]bool{
	"add": true, "map": true, "map_values": true, "with_entries": true,
	"until": true, "while": true, "repeat": true, "recurse": true, "walk": true,
}

// isGrowth tells whether a node can make something larger than the document. An
// expression without any, as most are, needs no look at sums and texts.
func isGrowth(node any) bool {
	switch node := node.(type) {
	case *gojq.Array, *gojq.Object, *gojq.Reduce, *gojq.Foreach, *gojq.FuncDef:
		return true
	case *gojq.Query:
		return node.Op == gojq.OpMul || node.Op == gojq.OpUpdateMul
	case *gojq.Func:
		return growing[node.Name] && (node.Name != "add" || len(node.Args) > 0)
	}
	return false
}

// mostTimes is how many times as long as its input an expression may make a text
// without a look at it: less than what one escaping may.
const mostTimes = escaping - 1

// amplification returns how many times as long as its input a node can make a text.
func amplification(node any) int {
	switch node := node.(type) {
	case *gojq.Query:
		if (node.Op == gojq.OpAdd || node.Op == gojq.OpUpdateAdd) && !isConstant(node.Left) && !isConstant(node.Right) {
			return 2
		}
	case *gojq.String:
		return max(len(node.Queries), 1)
	case *gojq.Term:
		if node.Type == gojq.TermTypeFormat {
			return escaping
		}
	case *gojq.Func:
		if node.Name == "tojson" {
			return escaping
		}
	}
	return 1
}

// isSlice tells whether a node can be the path to a part of an array.
func isSlice(node any) bool {
	switch node := node.(type) {
	case *gojq.Index:
		return node.IsSlice
	case *gojq.Func:
		return node.Name == "getpath"
	}
	return false
}

// boundedOperators maps an operator to the function that takes its place.
var boundedOperators = map[gojq.Operator]string{
	gojq.OpMul: "_bound_product", gojq.OpUpdateMul: "_bound_product",
	gojq.OpDiv: "_bound_quotient", gojq.OpUpdateDiv: "_bound_quotient",
	gojq.OpSub: "_bound_difference", gojq.OpUpdateSub: "_bound_difference",
	gojq.OpAdd: "_bound_sum", gojq.OpUpdateAdd: "_bound_sum",
}

// boundedComparisons does so for those that need no look at the meter.
var boundedComparisons = map[gojq.Operator]string{
	gojq.OpEq: "_bound_equal", gojq.OpNe: "_bound_notequal",
	gojq.OpLt: "_bound_less", gojq.OpLe: "_bound_lesseq",
	gojq.OpGt: "_bound_greater", gojq.OpGe: "_bound_greatereq",
}

// proportional are the calls that take time in proportion to their input, and
// how many times as much memory.
var proportional = map[string]int{
	"add/0": 2, "ascii_downcase/0": 1, "ascii_upcase/0": 1, "bsearch/1": 0, "del/1": 0, "delpaths/1": 0, "error/0": escaping,
	"explode/0": 32, "flatten/0": 2, "flatten/1": 2, "format/1": escaping, "halt_error/0": escaping, "halt_error/1": escaping, "implode/0": 1,
	"keys/0": 1, "max/0": 0, "min/0": 0, "reverse/0": 1, "tojson/0": escaping,
}

// replace replaces a + b by _bound_sum($__meter; a; b) and other operators
// likewise, a = b by a = (b | _bound_items), .[a] by .[a | _bound_index], and a
// call f that takes time in proportion to its input by
// (_bound_input($__meter; n) | f).
func (b bounding) replace(node any) {
	switch node := node.(type) {
	case *gojq.Query:
		b.replaceOperator(node)
	case *gojq.Index:
		if node.Start != nil && !node.IsSlice && !isSmallIndex(node.Start) {
			node.Start = pipe(node.Start, call("_bound_index"))
		}
	case *gojq.ObjectKeyVal:
		if node.KeyString != nil && node.Val != nil { // as a query, its parts are seen
			node.KeyQuery = &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeString, Str: node.KeyString}}
			node.KeyString = nil
		}
	case *gojq.Term:
		b.replaceTerm(node)
	}
}

func (b bounding) replaceOperator(q *gojq.Query) {
	function, bounded := boundedOperators[q.Op]
	comparison, compares := boundedComparisons[q.Op]
	isSum := q.Op == gojq.OpAdd || q.Op == gojq.OpUpdateAdd
	switch {
	case q.Op == gojq.OpAssign || q.Op == gojq.OpModify:
		b.replaceAssignment(q)
	case !bounded && !compares || isSum && !b.grows:
	case q.Op >= gojq.OpAssign:
		boundUpdate(q, function)
	case !isProduct(q) && (isConstant(q.Left) || isConstant(q.Right)):
	case compares:
		q.Term, q.Left, q.Op, q.Right = call(comparison, q.Left, q.Right).Term, nil, 0, nil
	default:
		q.Term, q.Left, q.Op, q.Right = metered(function, q.Left, q.Right).Term, nil, 0, nil
	}
}

// isProduct tells whether an operator with one constant side can make much of the
// other: a text times a number, or a text divided by one.
func isProduct(q *gojq.Query) bool {
	return q.Op == gojq.OpMul || q.Op == gojq.OpDiv && q.Right.Term != nil && q.Right.Term.Type == gojq.TermTypeString
}

// replaceAssignment looks at what is assigned to slices and, where the expression can
// make values that are deep, at how deep what is updated is, and where. What was
// replaced is not replaced again.
func (b bounding) replaceAssignment(q *gojq.Query) {
	if b.done[q] {
		return
	}
	if b.slices {
		q.Right = pipe(q.Right, call("_bound_items"))
	}
	if !b.grows {
		return
	}
	update := &gojq.Query{Left: q.Left, Op: q.Op, Right: q.Right}
	b.done[update] = true
	if hasCalls(q.Left) {
		update = pipe(call("_bound_paths", q.Left), update)
	}
	q.Left, q.Op, q.Right = metered("_bound_nesting"), gojq.OpPipe, update
}

// hasCalls tells whether a path is made by more than keys and indexes.
func hasCalls(path *gojq.Query) (found bool) {
	walk(reflect.ValueOf(path), func(node any) {
		switch node := node.(type) {
		case *gojq.Func:
			found = found || node.Name != "select" && node.Name != "empty"
		case *gojq.Reduce, *gojq.Foreach:
			found = true
		case *gojq.Term:
			found = found || node.Type == gojq.TermTypeRecurse
		}
	})
	return found
}

// boundUpdate replaces a *= b by b as $n | a |= _bound_product($__meter; .; $n).
func boundUpdate(q *gojq.Query, function string) {
	const operand = "$__operand"
	identity := &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeIdentity}}
	update := &gojq.Query{Left: q.Left, Op: gojq.OpModify, Right: metered(function, identity, call(operand))}
	q.Left, q.Patterns, q.Op, q.Right = q.Right, []*gojq.Pattern{{Name: operand}}, gojq.OpPipe, update
}

func (b bounding) replaceTerm(t *gojq.Term) {
	if b.done[t] {
		return
	}
	switch t.Type {
	case gojq.TermTypeFunc:
		name := t.Func.Name + "/" + strconv.Itoa(len(t.Func.Args))
		if times, ok := proportional[name]; ok && (b.grows || times > escaping) {
			b.boundBy(t, boundInput(times))
		} else if name == "tostring/0" {
			b.boundBy(t, boundText())
		} else if name == "error/1" {
			t.Func.Args[0] = pipe(t.Func.Args[0], boundInput(escaping))
		}
	case gojq.TermTypeFormat:
		if b.grows && t.Str == nil {
			b.boundBy(t, boundInput(escaping))
		} else if b.grows {
			b.replaceText(t, &gojq.Term{Type: gojq.TermTypeFormat, Format: t.Format})
		}
	case gojq.TermTypeString:
		if b.grows {
			b.replaceText(t, call("tostring").Term)
		} else if t.Str != nil {
			boundParts(t.Str)
		}
	}
}

// boundBy replaces the call t by (look | t).
func (b bounding) boundBy(t *gojq.Term, look *gojq.Query) {
	inner := *t
	inner.SuffixList = nil
	b.done[&inner] = true
	*t = gojq.Term{Type: gojq.TermTypeQuery, Query: pipe(look, &gojq.Query{Term: &inner}), SuffixList: t.SuffixList}
}

// replaceText bounds what is inserted into a text, and the sum of its parts: a
// text with a and b in it is ("" + (a | format)) + (b | format).
func (b bounding) replaceText(t, format *gojq.Term) {
	var sum *gojq.Query
	b.done[format] = true
	look := boundText()
	if t.Format != "" && t.Format != "@text" {
		look = boundInput(escaping)
	}
	for _, part := range t.Str.Queries {
		if part.Term.Str == nil {
			part = pipe(pipe(part, look), &gojq.Query{Term: format})
		}
		if sum == nil {
			sum = part
		} else {
			sum = metered("_bound_sum", sum, part)
		}
	}
	if sum != nil {
		*t = gojq.Term{Type: gojq.TermTypeQuery, Query: sum, SuffixList: t.SuffixList}
	}
}

// boundParts bounds only what is inserted into a text.
func boundParts(t *gojq.String) {
	for i, part := range t.Queries {
		if part.Term.Str == nil {
			t.Queries[i] = &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeQuery, Query: pipe(part, boundText())}}
		}
	}
}

func call(name string, args ...*gojq.Query) *gojq.Query {
	return &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: name, Args: args}}}
}

// metered calls one of our functions that look at the meter.
func metered(name string, args ...*gojq.Query) *gojq.Query {
	return call(name, append([]*gojq.Query{call(meterVariable)}, args...)...)
}

func boundInput(times int) *gojq.Query {
	return metered("_bound_input", &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeNumber, Number: strconv.Itoa(times)}})
}

func boundText() *gojq.Query { return metered("_bound_text") }

func pipe(left, right *gojq.Query) *gojq.Query {
	return &gojq.Query{Left: left, Op: gojq.OpPipe, Right: right}
}

// isConstant tells whether an operand is a number or text that is written there.
func isConstant(q *gojq.Query) bool {
	if q.Term == nil || len(q.Term.SuffixList) > 0 || len(q.FuncDefs) > 0 {
		return false
	}
	switch t := q.Term; t.Type {
	case gojq.TermTypeNumber:
		return true
	case gojq.TermTypeString:
		return t.Str.Queries == nil
	case gojq.TermTypeUnary:
		return t.Unary.Term.Type == gojq.TermTypeNumber && len(t.Unary.Term.SuffixList) == 0
	}
	return false
}

// isSmallIndex tells whether an index is a constant that is no large number.
func isSmallIndex(q *gojq.Query) bool {
	return isConstant(q) && len(q.Term.Number) < 7 && !strings.ContainsAny(q.Term.Number, "eE")
}
