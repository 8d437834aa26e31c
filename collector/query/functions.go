package query

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/itchyny/gojq"
)

// values are the functions that read one value from one value: the name they
// have in expressions, and what they do. An error is returned as the result.
var values = map[string]func(any) any{
	"duration":  duration,
	"bytes":     func(v any) any { return bytes(v, 1024) },
	"percent":   percent,
	"quantity":  quantity,
	"timestamp": timestamp,
}

// valueFunctions makes the functions known to jq.
func valueFunctions() []gojq.CompilerOption {
	options := []gojq.CompilerOption{
		gojq.WithFunction("bytes", 1, 1, func(v any, args []any) any {
			if unit, _ := gojq.ToInt(args[0]); isNumber(args[0]) && (unit == 1000 || unit == 1024) {
				return bytes(v, unit)
			}
			return fmt.Errorf("bytes(%s) is not known, expected bytes(1000) or bytes(1024)", gojq.Preview(args[0]))
		}),
	}
	for name, f := range values {
		options = append(options, gojq.WithFunction(name, 0, 0, func(v any, _ []any) any { return f(v) }))
	}
	return options
}

// manyDefinition turns what may be absent, one thing or an array of things
// into one result for each thing.
const manyDefinition = `
def many: if . == null then empty elif type == "array" then .[] else . end;
`

// reading applies read to a text, with surrounding space removed. Null stays
// null: what is not there is missing, not wrong. A number goes to number.
// Anything else, and a text that cannot be read, is an error that says what
// was expected instead.
func reading(function, expected string, v any, number func(any) any, read func(string) (any, bool)) any {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		value, ok := read(strings.TrimSpace(v))
		if f, _ := value.(float64); ok && !math.IsInf(f, 0) {
			return value
		}
		return fmt.Errorf("%s cannot read %s, expected %s", function, quote(v), expected)
	}
	if isNumber(v) {
		return number(v)
	}
	return fmt.Errorf("%s cannot read %s, expected %s", function, gojq.Preview(v), expected)
}

// asItIs is what becomes of a number that needs no reading.
func asItIs(v any) any { return v }

// isNumber tells whether v is a number in one of the types that jq knows.
func isNumber(v any) bool {
	switch v.(type) {
	case int, float64, *big.Int, json.Number:
		return true
	}
	return false
}

// decimal reads the decimal number with which text begins: an optional sign,
// digits with an optional fraction, and an optional exponent.
func decimal(text string) (value float64, rest string, ok bool) {
	end := digits(text, sign(text, 0))
	whole := end - sign(text, 0)
	if end < len(text) && text[end] == '.' {
		fraction := digits(text, end+1)
		whole += fraction - end - 1
		end = fraction
	}
	if whole == 0 {
		return 0, text, false
	}
	if end < len(text) && (text[end] == 'e' || text[end] == 'E') {
		start := sign(text, end+1)
		if exponent := digits(text, start); exponent > start {
			end = exponent
		}
	}
	value, err := strconv.ParseFloat(text[:end], 64)
	return value, text[end:], err == nil
}

// sign returns where a sign at i ends.
func sign(text string, i int) int {
	if i < len(text) && (text[i] == '+' || text[i] == '-') {
		return i + 1
	}
	return i
}

// digits returns where the digits from i end.
func digits(text string, i int) int {
	for i < len(text) && '0' <= text[i] && text[i] <= '9' {
		i++
	}
	return i
}

// quote returns text in quotes, shortened where it is long.
func quote(text string) string {
	const longest = 80
	if len(text) <= longest {
		return strconv.Quote(text)
	}
	end := longest
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return strconv.Quote(text[:end] + "…")
}
