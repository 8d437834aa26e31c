package query

import "encoding/json"

// size returns about how many bytes v has, with what is in it several times
// counted as often, or largestInput if there are more, or more levels than may be walked
// through.
func size(v any) int { return sizeWithin(v, largestInput, deepest) }

func sizeWithin(v any, limit, levels int) int {
	if levels == 0 {
		return limit
	}
	n := 16
	switch v := v.(type) {
	case string:
		n += len(v)
	case json.Number:
		n += len(v)
	case []any:
		for i := 0; i < len(v) && n < limit; i++ {
			n += sizeWithin(v[i], limit-n, levels-1)
		}
	case map[string]any:
		for name, member := range v {
			if n += 16 + len(name) + sizeWithin(member, limit-n, levels-1); n >= limit {
				break
			}
		}
	}
	return min(n, limit)
}

// count returns how many values there are in v, where each 64 bytes of a text
// are one, or limit if there are more, or more levels than may be walked through.
func count(v any, limit int) int { return countWithin(v, limit, deepest) }

func countWithin(v any, limit, levels int) int {
	if levels == 0 {
		return limit
	}
	n := 1
	switch v := v.(type) {
	case string:
		n += len(v) / 64
	case []any:
		for i := 0; i < len(v) && n < limit; i++ {
			n += countWithin(v[i], limit-n, levels-1)
		}
	case map[string]any:
		for _, member := range v {
			if n += countWithin(member, limit-n, levels-1); n >= limit {
				break
			}
		}
	}
	return min(n, limit)
}
