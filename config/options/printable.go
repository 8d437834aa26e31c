package options

import "strings"

// HideValues returns a query with every value replaced by dots, and what has no
// name as well: it is all value.
func HideValues(query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		if name, _, ok := strings.Cut(pair, "="); ok {
			pairs[i] = name + "=..."
		} else if pair != "" {
			pairs[i] = "..."
		}
	}
	return strings.Join(pairs, "&")
}

// Shown is how many characters of a text are shown that may be long.
const Shown = 200

// Printable returns a text that was likely meant as a URL as it may be shown in an
// error: without userinfo and query values, and not at length.
func Printable(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	if ok && IsScheme(scheme) {
		scheme += "://"
	} else {
		scheme, rest = "", text
	}
	// A password may hold what ends a host. So all before the last @ is cut first, and
	// where that is more than a host and path, what follows may be the end of a query.
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		if strings.ContainsAny(rest[:at], "?#") {
			return Shorten(scheme, Shown) + "..."
		}
		rest = rest[at+1:]
	}
	more := ""
	if end := strings.IndexAny(rest, "?#"); end >= 0 {
		more = rest[end:]
		if more[0] == '?' {
			more = "?" + HideValues(more[1:])
		} else {
			more = "#..."
		}
		rest = rest[:end]
	}
	return Shorten(scheme+rest+more, Shown)
}

// IsScheme tells whether a text is made as the scheme of a URL is. Else it may be a
// name and password.
func IsScheme(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '+' && r != '-' && r != '.'
	})
}

// Shorten returns at most a number of characters of s, the last three of which are dots
// where it is longer.
func Shorten(s string, most int) string {
	const sign = "..."
	n, end := 0, 0
	for i := range s {
		if n == most-len(sign) {
			end = i
		}
		if n++; n > most {
			return s[:end] + sign
		}
	}
	return s
}
