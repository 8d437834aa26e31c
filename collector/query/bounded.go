package query

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/itchyny/gojq"
)

// What a target sends must not make one instruction of the machine take
// seconds or gigabytes, because the meter looks at the clock only between
// instructions. So the built-in functions that can are given a look at their
// input first.
const (
	longestText   = 64 << 20 // bytes that a repeated text may have
	longestNumber = 1000     // digits; reading a number takes the square of their count
	mostValues    = 1 << 20  // that fromjson and transpose may make
)

// A definition that calls the function that it replaces needs the older name
// for it: within its own body a name means itself.
const boundedDefinitions = `
def _tonumber: tonumber;
def tonumber: _bound_number | _tonumber;
def _fromjson: fromjson;
def fromjson: _bound_json | _fromjson;
def _transpose: transpose;
def transpose: _bound_table | _transpose;
def _multiply_both: .[0] * .[1];
`

func boundedFunctions() []gojq.CompilerOption {
	return []gojq.CompilerOption{
		gojq.WithFunction("_bound_number", 0, 0, func(v any, _ []any) any { return boundNumber(v) }),
		gojq.WithFunction("_bound_json", 0, 0, func(v any, _ []any) any { return boundJSON(v) }),
		gojq.WithFunction("_bound_table", 0, 0, func(v any, _ []any) any { return boundTable(v) }),
		gojq.WithFunction("_bound_factors", 2, 2, func(_ any, factors []any) any { return boundFactors(factors[0], factors[1]) }),
	}
}

func boundNumber(v any) any {
	if text, ok := v.(string); ok && len(text) > longestNumber {
		return fmt.Errorf("tonumber cannot read %s: it is longer than %d characters", quote(text), longestNumber)
	}
	return v
}

// boundJSON counts the values of a JSON text by what stands between them.
func boundJSON(v any) any {
	text, ok := v.(string)
	if !ok {
		return v
	}
	if strings.Count(text, ",")+strings.Count(text, "[")+strings.Count(text, "{") > mostValues {
		return fmt.Errorf("fromjson cannot read %s: it has more than %d values", quote(text), mostValues)
	}
	run := 0
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			run = 0
		} else if run++; run > longestNumber {
			return fmt.Errorf("fromjson cannot read %s: it has a number of more than %d digits", quote(text), longestNumber)
		}
	}
	return v
}

// boundTable looks at the table that transpose would fill: as many cells as
// there are rows times the longest row.
func boundTable(v any) any {
	rows, _ := v.([]any)
	longest := 0
	for _, row := range rows {
		cells, _ := row.([]any)
		longest = max(longest, len(cells))
	}
	if longest > 0 && len(rows) > mostValues/longest {
		return fmt.Errorf("transpose cannot make a table of %d by %d: it has more than %d values", longest, len(rows), mostValues)
	}
	return v
}

// boundProduct replaces a * b by _bound_factors(a; b) | _multiply_both, and
// a *= b likewise. The product of a text and a number is the text repeated, and
// both may come from the target.
func boundProduct(node any) {
	q, ok := node.(*gojq.Query)
	if !ok {
		return
	}
	switch q.Op {
	case gojq.OpMul:
		p := product(q.Left, q.Right)
		q.Left, q.Op, q.Right = p.Left, p.Op, p.Right
	case gojq.OpUpdateMul: // right as $f | left |= . * $f
		const factor = "$__factor"
		times := product(&gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeIdentity}}, function(factor))
		update := &gojq.Query{Left: q.Left, Op: gojq.OpModify, Right: times}
		q.Left, q.Patterns, q.Op, q.Right = q.Right, []*gojq.Pattern{{Name: factor}}, gojq.OpPipe, update
	}
}

func product(left, right *gojq.Query) *gojq.Query {
	return &gojq.Query{Left: function("_bound_factors", left, right), Op: gojq.OpPipe, Right: function("_multiply_both")}
}

func function(name string, args ...*gojq.Query) *gojq.Query {
	return &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: name, Args: args}}}
}

// boundFactors returns both factors as an array, if multiplying them is cheap.
func boundFactors(a, b any) any {
	if bits(a)+bits(b) > 1<<20 {
		return errors.New("the product has too many digits")
	}
	text, isText := a.(string)
	times := b
	if !isText {
		text, isText = b.(string)
		times = a
	}
	if count, ok := gojq.ToFloat64(times); isText && ok && float64(len(text))*count > longestText {
		return fmt.Errorf("%s times %s is longer than %d bytes", quote(text), gojq.Preview(times), longestText)
	}
	return []any{a, b}
}

// bits returns how long a whole number is that does not fit into 64 bits.
func bits(v any) int {
	switch v := v.(type) {
	case *big.Int:
		return v.BitLen()
	case json.Number:
		return 4 * len(v)
	}
	return 0
}
