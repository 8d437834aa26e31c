package query

import "strings"

const quantityExpected = `a Kubernetes quantity such as "250m", "64Mi", "12k", "1e3" or a number`

// quantity returns the number that a Kubernetes quantity stands for: "250m" is
// 0.25, "64Mi" is 67108864, "1E" is 10^18, "1e3" is 1000. Upper and lower case
// differ, and no space may stand within (the serialization format of type
// Quantity in the Kubernetes API reference).
func quantity(v any) any {
	return reading("quantity", quantityExpected, v, asItIs, func(text string) (any, bool) {
		count, suffix, ok := decimal(text)
		if !ok {
			return nil, false
		}
		switch suffix {
		case "":
			return count, true
		case "n":
			return count / 1e9, true
		case "u":
			return count / 1e6, true
		case "m":
			return count / 1e3, true
		}
		factor, ok := quantityFactors[suffix]
		return count * factor, ok && !strings.ContainsAny(strings.TrimSuffix(text, suffix), "eE")
	})
}

var quantityFactors = map[string]float64{
	"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
	"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40, "Pi": 1 << 50, "Ei": 1 << 60,
}
