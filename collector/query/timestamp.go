package query

import (
	"strings"
	"time"
)

const timestampExpected = `a time such as "2026-11-20T23:44:42Z", "Fri, 20 Nov 2026 23:44:42 GMT", "20/Nov/2026:23:44:42 +0000", a date or Unix seconds`

// timestamp returns a time in Unix seconds. It reads RFC 3339 with its
// variants (a space for the T, a fraction, a zone with or without colon, a date
// alone), RFC 1123, 1123Z and 850, asctime and date(1), and the time of access
// logs. Without a zone the time is UTC; a zone that is only a name is an error
// unless it is UTC, GMT or Z, because names are ambiguous. Bare numbers are Unix
// seconds already. The zero times of Go and MySQL, 0001-01-01T00:00:00Z and
// 0000-00-00 00:00:00, stand for "never" and become null.
func timestamp(v any) any {
	return reading("timestamp", timestampExpected, v, asItIs, func(text string) (any, bool) {
		if seconds, rest, ok := decimal(text); ok && rest == "" {
			return seconds, true
		}
		if strings.HasPrefix(text, "0000-00-00") {
			return nil, true
		}
		t, ok := readTime(withNumericZone(text))
		if t.IsZero() {
			return nil, ok
		}
		return float64(t.Unix()) + float64(t.Nanosecond())/1e9, ok
	})
}

// Go's layouts accept a fraction after the seconds wherever a time has one.
var (
	isoLayouts = []string{
		"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02",
		"2006-01-02T15:04:05 Z07:00", "2006-01-02T15:04:05 Z0700", "2006-01-02T15:04:05Z07", "2006-01-02T15:04Z07:00", "2006-01-02T15:04",
	}
	accessLogLayouts = []string{"02/Jan/2006:15:04:05 Z0700", "02/Jan/2006:15:04:05 Z07:00", "02/Jan/2006:15:04:05"}
	wordLayouts      = []string{
		"Mon, _2 Jan 2006 15:04:05 Z0700",  // RFC 1123 and 1123Z
		"Mon Jan _2 15:04:05 2006",         // asctime
		"Monday, 02-Jan-06 15:04:05 Z0700", // RFC 850
		"Mon, 02-Jan-2006 15:04:05 Z0700",  // cookies
		"Mon Jan _2 15:04:05 Z0700 2006",   // date(1)
		"_2 Jan 2006 15:04:05 Z0700",       // RFC 1123 without the day of the week
	}
)

// readTime reads text with the layouts that its shape leaves.
func readTime(text string) (t time.Time, ok bool) {
	layouts := wordLayouts
	if len(text) > 4 && text[4] == '-' {
		layouts = isoLayouts
		if len(text) > 10 && (text[10] == ' ' || text[10] == 't') {
			text = text[:10] + "T" + text[11:]
		}
	} else if strings.IndexByte(text, '/') == 2 {
		layouts = accessLogLayouts
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// withNumericZone replaces a zone that is called UTC or GMT by Z, and removes
// the name that follows a numeric zone: Go accepts any name, and takes it for UTC.
func withNumericZone(text string) string {
	if i := strings.LastIndexByte(text, ' '); i > 5 && sign(text, i-5) == i-4 {
		return text[:i]
	}
	for _, name := range []string{"UTC", "GMT", "UT", "Z", "z"} {
		if before, ok := strings.CutSuffix(text, name); ok {
			return before + "Z"
		}
		if before, after, ok := strings.Cut(text, " "+name+" "); ok {
			return before + " Z " + after
		}
	}
	return text
}
