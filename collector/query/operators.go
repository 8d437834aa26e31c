package query

import "github.com/itchyny/gojq"

// Operators cannot be defined anew in jq as functions can. Those that a target
// could make expensive are replaced in the parsed expression.

// boundedOperators maps an operator to the function that looks at both sides
// and returns them as an array, and to the one that does what the operator does.
var boundedOperators = map[gojq.Operator][2]string{
	gojq.OpMul:       {"_bound_factors", "_product"},
	gojq.OpUpdateMul: {"_bound_factors", "_product"},
	gojq.OpSub:       {"_bound_terms", "_difference"},
	gojq.OpUpdateSub: {"_bound_terms", "_difference"},
}

// boundOperators replaces a * b by _bound_factors(a; b) | _product, a - b
// likewise, and .[a] by .[a | _bound_index].
func boundOperators(node any) {
	switch node := node.(type) {
	case *gojq.Query:
		functions, bounded := boundedOperators[node.Op]
		switch {
		case !bounded || node.Op == gojq.OpSub && (isConstant(node.Left) || isConstant(node.Right)):
		case node.Op == gojq.OpUpdateMul || node.Op == gojq.OpUpdateSub:
			boundUpdate(node, functions)
		default:
			node.Left, node.Op, node.Right = call(functions[0], node.Left, node.Right), gojq.OpPipe, call(functions[1])
		}
	case *gojq.Index:
		if node.Start != nil && !node.IsSlice && !isConstant(node.Start) {
			node.Start = &gojq.Query{Left: node.Start, Op: gojq.OpPipe, Right: call("_bound_index")}
		}
	}
}

// boundUpdate replaces a *= b by b as $n | a |= (_bound_factors(.; $n) | _product).
func boundUpdate(q *gojq.Query, functions [2]string) {
	const operand = "$__operand"
	identity := &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeIdentity}}
	result := &gojq.Query{Left: call(functions[0], identity, call(operand)), Op: gojq.OpPipe, Right: call(functions[1])}
	update := &gojq.Query{Left: q.Left, Op: gojq.OpModify, Right: result}
	q.Left, q.Patterns, q.Op, q.Right = q.Right, []*gojq.Pattern{{Name: operand}}, gojq.OpPipe, update
}

func call(name string, args ...*gojq.Query) *gojq.Query {
	return &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: name, Args: args}}}
}

// isConstant tells whether an index is a number or text that is written there.
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
