package query

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/itchyny/gojq"
)

// The functions that take the place of operators: each looks at both sides and
// does then what jq does.

func arithmeticFunctions() []gojq.CompilerOption {
	options := []gojq.CompilerOption{
		gojq.WithFunction("_bound_sum", 3, 3, func(_ any, args []any) any { return sum(args[0].(*meter), args[1], args[2]) }),
		gojq.WithFunction("_bound_product", 3, 3, func(_ any, args []any) any { return product(args[0].(*meter), args[1], args[2]) }),
		gojq.WithFunction("_bound_quotient", 3, 3, func(_ any, args []any) any { return quotient(args[0].(*meter), args[1], args[2]) }),
		gojq.WithFunction("_bound_difference", 3, 3, func(_ any, args []any) any { return difference(args[1], args[2]) }),
	}
	for name, holds := range map[string]func(int) bool{
		"_bound_equal":     func(order int) bool { return order == 0 },
		"_bound_notequal":  func(order int) bool { return order != 0 },
		"_bound_less":      func(order int) bool { return order < 0 },
		"_bound_lesseq":    func(order int) bool { return order <= 0 },
		"_bound_greater":   func(order int) bool { return order > 0 },
		"_bound_greatereq": func(order int) bool { return order >= 0 },
	} {
		options = append(options, gojq.WithFunction(name, 2, 2, func(_ any, args []any) any {
			if err := boundComparison(args[0], args[1]); err != nil {
				return err
			}
			return holds(gojq.Compare(args[0], args[1]))
		}))
	}
	return options
}

// boundComparison tells when two arrays or objects are too large to compare.
func boundComparison(a, b any) error {
	if !isNested(a) || !isNested(b) {
		return nil
	}
	if n := size(a); n < largestInput || size(b) < largestInput {
		return nil
	}
	return fmt.Errorf("comparing %s with %s takes too long", gojq.Preview(a), gojq.Preview(b))
}

func isNested(v any) bool {
	switch v.(type) {
	case []any, map[string]any:
		return true
	}
	return false
}

// sum returns a + b, if there is room for it.
func sum(m *meter, a, b any) any {
	switch l := a.(type) {
	case string:
		if r, ok := b.(string); ok {
			if err := m.room(len(l) + len(r)); err != nil {
				return err
			}
			if len(l)+len(r) > longestText {
				return fmt.Errorf("%s and %s together are longer than %d bytes", quote(l), quote(r), longestText)
			}
			return l + r
		}
	case []any:
		if r, ok := b.([]any); ok && len(l) > 0 && len(r) > 0 {
			if err := m.room(16 * (len(l) + len(r))); err != nil {
				return err
			}
			if len(l)+len(r) > mostItems {
				return fmt.Errorf("%s and %s together have more than %d items", gojq.Preview(l), gojq.Preview(r), mostItems)
			}
			return slices.Concat(l, r)
		}
	case map[string]any:
		if r, ok := b.(map[string]any); ok && len(l) > 0 && len(r) > 0 {
			if err := m.room(64 * (len(l) + len(r))); err != nil {
				return err
			}
			if len(l)+len(r) > mostItems {
				return fmt.Errorf("%s and %s together have more than %d keys", gojq.Preview(l), gojq.Preview(r), mostItems)
			}
			all := make(map[string]any, len(l)+len(r))
			maps.Copy(all, l)
			maps.Copy(all, r)
			return all
		}
	}
	return ofNumbers("+", a, b)
}

// ofNumbers does what jq does with two numbers, and leaves what is not common to
// jq itself.
func ofNumbers(operator string, a, b any) any {
	x, fits := asPlain(a)
	y, alsoFits := asPlain(b)
	if !fits || !alsoFits {
		return asJQ(operator, a, b)
	}
	var v float64
	switch operator {
	case "+":
		v = x.float + y.float
	case "-":
		v = x.float - y.float
	case "/":
		if y.float == 0 {
			return asJQ(operator, a, b) // which says what it is that cannot be divided
		}
		if x.whole && y.whole && int(x.float)%int(y.float) != 0 {
			return x.float / y.float
		}
		v = x.float / y.float
	default:
		v = x.float * y.float
	}
	if !x.whole || !y.whole {
		return v
	}
	if v <= -exact || v >= exact {
		return asJQ(operator, a, b)
	}
	return int(v)
}

// exact is up to where a float64 holds every whole number.
const exact = 1 << 53

// A plainNumber is a number as a float64 that has lost nothing.
type plainNumber struct {
	float float64
	whole bool // written without a fraction or exponent
}

// asPlain returns the value of a number, unless it is too long to be a plain one.
func asPlain(v any) (n plainNumber, ok bool) {
	switch v := v.(type) {
	case int:
		return plainNumber{float64(v), true}, -exact <= v && v <= exact
	case float64:
		return plainNumber{v, false}, true
	case json.Number:
		if strings.ContainsAny(string(v), ".eE") {
			f, err := v.Float64()
			return plainNumber{f, false}, err == nil
		}
		if len(v) < 16 {
			i, err := strconv.Atoi(string(v))
			return plainNumber{float64(i), true}, err == nil
		}
	}
	return plainNumber{}, false
}

// product returns a * b, if it is cheap. The product of a text and a number is
// the text repeated, and both may come from the target.
func product(m *meter, a, b any) any {
	if bits(a)+bits(b) > 1<<20 {
		return errors.New("the product has too many digits")
	}
	text, isText := a.(string)
	times := b
	if !isText {
		text, isText = b.(string)
		times = a
	}
	if n, ok := gojq.ToFloat64(times); isText && ok {
		if float64(len(text))*n > longestText {
			return fmt.Errorf("%s times %s is longer than %d bytes", quote(text), gojq.Preview(times), longestText)
		}
		if err := m.room(int(float64(len(text)) * max(n, 0))); err != nil {
			return err
		}
	}
	if err := boundComparison(a, b); err != nil { // objects are merged
		return err
	}
	return ofNumbers("*", a, b)
}

// bits returns about how long a whole number is that does not fit into 64 bits.
func bits(v any) int {
	switch v := v.(type) {
	case *big.Int:
		return v.BitLen()
	case json.Number:
		return 4 * len(v)
	}
	return 0
}

// difference returns a - b, if it is cheap.
func difference(a, b any) any {
	if err, ok := boundPairs(nil, a, b).(error); ok {
		return err
	}
	return ofNumbers("-", a, b)
}

// quotient returns a / b: of two texts the parts of the one between the others.
func quotient(m *meter, a, b any) any {
	if err, ok := boundSplit(m, a, b).(error); ok {
		return err
	}
	return ofNumbers("/", a, b)
}

// asJQ does what jq does.
func asJQ(operator string, a, b any) any {
	v, _ := operations[operator]().Run([]any{a, b}).Next()
	return v
}

var operations = map[string]func() *gojq.Code{"+": operation("+"), "*": operation("*"), "-": operation("-"), "/": operation("/")}

func operation(operator string) func() *gojq.Code {
	return sync.OnceValue(func() *gojq.Code {
		parsed, err := gojq.Parse(strings.ReplaceAll(".[0] o .[1]", "o", operator))
		if err != nil {
			panic(err)
		}
		code, err := gojq.Compile(parsed)
		if err != nil {
			panic(err)
		}
		return code
	})
}
