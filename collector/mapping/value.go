package mapping

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"status_exporter/collector/query"
	"status_exporter/collector/tree"
)

// number returns the sample value of v: a number, a truth value as 1 or 0, or a
// text that is a decimal number with surrounding space removed, where NaN, +Inf
// and -Inf are numbers too. A number beyond the range of float64 is none.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case *tree.Node:
		switch v.Kind() {
		case tree.Number:
			f, err := strconv.ParseFloat(v.Text(), 64)
			return f, err == nil
		case tree.String:
			return parseNumber(strings.TrimSpace(v.Text()))
		default:
			return 0, false
		}
	case json.Number:
		f, err := strconv.ParseFloat(string(v), 64)
		return f, err == nil
	case float64:
		return v, true
	case int:
		return float64(v), true
	case *big.Int:
		f, _ := new(big.Float).SetInt(v).Float64()
		return f, !math.IsInf(f, 0)
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case string:
		return parseNumber(strings.TrimSpace(v))
	default:
		return 0, false
	}
}

// parseNumber reads a decimal number with an optional exponent: no hexadecimal,
// no underscores and no words but these three, which strconv reads all.
func parseNumber(s string) (float64, bool) {
	switch s {
	case "":
		return 0, false
	case "NaN":
		return math.NaN(), true
	case "+Inf":
		return math.Inf(1), true
	case "-Inf":
		return math.Inf(-1), true
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// scalarText returns the text of a scalar for a label or a look-up in `map` or
// `states`: a whole number keeps every digit, 1.0 is 1, and no number has an
// exponent. It returns false for arrays and objects. The text of null is empty.
func scalarText(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case *tree.Node:
		switch v.Kind() {
		case tree.Number:
			return numberText(v.Text()), true
		case tree.String:
			return v.Text(), true
		default:
			return "", false
		}
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case json.Number:
		return numberText(string(v)), true
	case int:
		return strconv.Itoa(v), true
	case float64:
		return floatText(v), true
	case *big.Int:
		return v.String(), true
	default:
		return "", false
	}
}

// numberText returns the shortest decimal spelling of a JSON number.
func numberText(s string) string {
	if strings.ContainsAny(s, "eE") {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return s
		}
		return floatText(f)
	}
	if whole, fraction, ok := strings.Cut(s, "."); ok {
		s = whole
		if fraction = strings.TrimRight(fraction, "0"); fraction != "" {
			s += "." + fraction
		}
	}
	if s == "-0" {
		return "0"
	}
	return s
}

func floatText(f float64) string {
	switch {
	case f == 0:
		return "0"
	case math.IsInf(f, 1):
		return "+Inf"
	default:
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
}

// unixTime returns the time that an expression found as Unix seconds.
func unixTime(q *query.Query, v any) (time.Time, *problem) {
	seconds, ok := number(v)
	if !ok || math.IsNaN(seconds) || math.Abs(seconds) > math.MaxInt64/1e9 {
		return time.Time{}, wrong(q, v, "expected a time as Unix seconds")
	}
	return time.Unix(0, int64(seconds*1e9)), nil
}
