package query

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"unicode/utf8"

	"github.com/itchyny/gojq"
)

// What a target sends must not make one instruction of the machine take
// minutes or gigabytes, because the meter looks at the clock only between
// instructions. So the built-in functions that could are given a look at their
// input first, and those that search texts are replaced.
const (
	longestText   = 64 << 20 // bytes that a repeated text may have
	longestNumber = 1000     // digits; reading a number takes the square of their count
	longestIndex  = 16       // items of an array that is searched for in another by .[…]
	mostValues    = 1 << 20  // that fromjson and transpose may make
	mostPairs     = 1 << 22  // of values, one of them from each of two arrays
)

// A definition that calls the function that it replaces needs another name for
// that one: within its own body a name means itself.
const boundedDefinitions = `
def _tonumber: tonumber;
def tonumber: _bound_number | _tonumber;
def _fromjson: fromjson;
def fromjson: _bound_json | _fromjson;
def _transpose: transpose;
def transpose: _bound_table | _transpose;
def _contains($x): contains($x);
def contains($x): _bound_pairs(.; $x) | _contains($x);
def inside($x): . as $v | $x | contains($v);
def _texts($x): type == "string" and ($x | type == "string");
def _indices($x): indices($x);
def indices($x): if _texts($x) then _positions($__meter; $x) else _bound_pairs(.; $x) | _indices($x) end;
def _index($x): index($x);
def index($x): if _texts($x) then _position($x; false) else _bound_pairs(.; $x) | _index($x) end;
def _rindex($x): rindex($x);
def rindex($x): if _texts($x) then _position($x; true) else _bound_pairs(.; $x) | _rindex($x) end;
def _product: .[0] * .[1];
def _difference: .[0] - .[1];
`

func boundedFunctions() []gojq.CompilerOption {
	return []gojq.CompilerOption{
		gojq.WithFunction("_bound_number", 0, 0, func(v any, _ []any) any { return boundNumber(v) }),
		gojq.WithFunction("_bound_json", 0, 0, func(v any, _ []any) any { return boundJSON(v) }),
		gojq.WithFunction("_bound_table", 0, 0, func(v any, _ []any) any { return boundTable(v) }),
		gojq.WithFunction("_bound_index", 0, 0, func(v any, _ []any) any { return boundIndex(v) }),
		gojq.WithFunction("_bound_pairs", 2, 2, func(v any, args []any) any { return boundPairs(v, args[0], args[1]) }),
		gojq.WithFunction("_bound_factors", 2, 2, func(_ any, args []any) any { return boundFactors(args[0], args[1]) }),
		gojq.WithFunction("_bound_terms", 2, 2, func(_ any, args []any) any {
			return boundPairs([]any{args[0], args[1]}, args[0], args[1])
		}),
		gojq.WithFunction("_position", 2, 2, func(v any, args []any) any {
			return position(v.(string), args[0].(string), args[1] == true)
		}),
		gojq.WithFunction("_positions", 2, 2, func(v any, args []any) any {
			return positions(args[0].(*meter), v.(string), args[1].(string))
		}),
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

func boundIndex(v any) any {
	if array, ok := v.([]any); ok && len(array) > longestIndex {
		return fmt.Errorf("%s cannot be an index: it has more than %d items", gojq.Preview(v), longestIndex)
	}
	return v
}

// boundPairs returns v if it is cheap to compare each value in a with each in b.
func boundPairs(v, a, b any) any {
	if _, ok := a.(string); ok {
		return v
	}
	limit := mostPairs + 1
	if first := count(a, limit); first > 1 {
		if second := count(b, limit/first+1); first*second > mostPairs {
			return fmt.Errorf("comparing each value of %s with each of %s takes too long", gojq.Preview(a), gojq.Preview(b))
		}
	}
	return v
}

// count returns how many values there are in v, where each 64 bytes of a text
// are one, or limit if there are more.
func count(v any, limit int) int {
	n := 1
	switch v := v.(type) {
	case string:
		n += len(v) / 64
	case []any:
		for i := 0; i < len(v) && n < limit; i++ {
			n += count(v[i], limit-n)
		}
	case map[string]any:
		for _, member := range v {
			if n += count(member, limit-n); n >= limit {
				break
			}
		}
	}
	return min(n, limit)
}

// boundFactors returns both factors as an array, if multiplying them is cheap.
// The product of a text and a number is the text repeated, and both may come
// from the target.
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
	if n, ok := gojq.ToFloat64(times); isText && ok && float64(len(text))*n > longestText {
		return fmt.Errorf("%s times %s is longer than %d bytes", quote(text), gojq.Preview(times), longestText)
	}
	return []any{a, b}
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

// position returns where part stands first or last in text, counted in
// letters, or nil.
func position(text, part string, last bool) any {
	text, part = letters(text), letters(part)
	i := strings.Index(text, part)
	if last {
		i = strings.LastIndex(text, part)
	}
	if i < 0 || part == "" {
		return nil
	}
	return utf8.RuneCountInString(text[:i])
}

// positions returns every place where part stands in text, also those that
// overlap.
func positions(m *meter, text, part string) any {
	text, part = letters(text), letters(part)
	found := []any{}
	if part == "" {
		return found
	}
	_, width := utf8.DecodeRuneInString(part)
	for at := 0; ; {
		i := strings.Index(text, part)
		if i < 0 {
			return found
		}
		if err := m.check(); err != nil {
			return err
		}
		at += utf8.RuneCountInString(text[:i])
		found = append(found, at)
		at, text = at+1, text[i+width:]
	}
}

// letters replaces each byte that is no part of a letter by U+FFFD, as jq does.
func letters(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return string([]rune(text))
}
