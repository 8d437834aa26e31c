package query

import "strings"

const bytesExpected = `a size such as "12.5 kB", "20480 KB", "4 MiB" or a number of bytes`

// bytes returns a size in bytes: "12.5 kB", "20480 KB", "4 MiB", "1B", "1.2G",
// "64". K, kB, KB and KiB are all 1024, as status pages mean them, in upper and
// lower case; unit 1000 is for pages that mean it otherwise, and leaves Ki and
// KiB at 1024 (IEC 80000-13). A number is a number of bytes.
func bytes(v any, unit int) any {
	return reading("bytes", bytesExpected, v, asItIs, func(text string) (any, bool) {
		count, rest, ok := decimal(text)
		if !ok {
			return nil, false
		}
		factor, ok := byteFactor(strings.ToLower(strings.TrimSpace(rest)), float64(unit))
		return count * factor, ok
	})
}

// byteFactor returns how many bytes one of the unit are, whose name is in
// lower case and whose k is thousand.
func byteFactor(name string, thousand float64) (factor float64, ok bool) {
	switch name {
	case "", "b", "byte", "bytes":
		return 1, true
	}
	power := 1 + strings.IndexByte("kmgtpezy", name[0])
	switch name[1:] {
	case "", "b":
	case "i", "ib":
		thousand = 1024
	default:
		return 0, false
	}
	factor = 1
	for range power {
		factor *= thousand
	}
	return factor, power > 0
}
