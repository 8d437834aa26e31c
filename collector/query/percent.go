package query

import "github.com/itchyny/gojq"

const percentExpected = `a percentage such as "5.0%", "5 %" or a bare 5`

// percent returns a percentage as a ratio: "5.0%", "5 %", "5" and 5 are 0.05.
// Words around it are an error: "0.02% used" may tell of what is used or of
// what is free, and the expression has to choose, with capture for example.
func percent(v any) any {
	number := func(v any) any {
		f, _ := gojq.ToFloat64(v)
		return f / 100
	}
	return reading("percent", percentExpected, v, number, func(text string) (any, bool) {
		f, rest, ok := decimal(text)
		if !ok {
			return nil, false
		}
		switch rest {
		case "", "%", " %":
			return f / 100, true
		}
		return nil, false
	})
}
