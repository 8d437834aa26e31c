package query

import "strings"

const durationExpected = `a duration such as "3 days 02:11:01", "0d 0h00m06s", "1h2m", "363µs", "PT1H2M3S" or a number of seconds`

// duration returns a duration in seconds. It reads numbers with units from
// years to nanoseconds, the longest first ("0d 0h 0m 2s", "2 hours 5 minutes",
// "1.5s", "363µs"), a clock with or without days before it ("0:29:02", "3 days
// 02:11:01", "3-02:11:01", "1.02:03:04.5"), ISO 8601 ("PT1H2M3S") and bare
// numbers, which are seconds. A day has 24 hours and a year 365 days. Months
// are an error, because their length differs, and so is "2:11", which is hours
// and minutes to some and minutes and seconds to others.
func duration(v any) any {
	return reading("duration", durationExpected, v, asItIs, func(text string) (any, bool) {
		unsigned := text[sign(text, 0):]
		if seconds, rest, ok := decimal(text); ok && rest == "" {
			return seconds, true
		}
		seconds, ok := readClock(unsigned)
		if !ok && strings.HasPrefix(unsigned, "P") {
			seconds, ok = readISODuration(unsigned[1:])
		} else if !ok {
			seconds, ok = readUnits(unsigned, dayUnits, clockUnits)
		}
		if text != unsigned && text[0] == '-' {
			seconds = -seconds
		}
		return seconds, ok
	})
}

// A unit is a length of time: seconds, or where divisor is set that part of a
// second. Dividing keeps 363µs the number that is written 0.000363.
type unit struct{ seconds, divisor float64 }

func (u unit) of(count float64) float64 {
	if u.divisor != 0 {
		return count / u.divisor
	}
	return count * u.seconds
}

func (u unit) shorterThan(other unit) bool { return u.of(1) < other.of(1) }

var (
	year        = unit{seconds: 365 * 86400}
	week        = unit{seconds: 7 * 86400}
	day         = unit{seconds: 86400}
	hour        = unit{seconds: 3600}
	minute      = unit{seconds: 60}
	second      = unit{seconds: 1}
	millisecond = unit{divisor: 1e3}
	microsecond = unit{divisor: 1e6}
	nanosecond  = unit{divisor: 1e9}
)

// dayUnits and clockUnits are the names of the units in lower case.
var (
	dayUnits = map[string]unit{
		"y": year, "yr": year, "yrs": year, "year": year, "years": year,
		"w": week, "wk": week, "wks": week, "week": week, "weeks": week,
		"d": day, "day": day, "days": day,
	}
	clockUnits = map[string]unit{
		"h": hour, "hr": hour, "hrs": hour, "hour": hour, "hours": hour,
		"m": minute, "min": minute, "mins": minute, "minute": minute, "minutes": minute,
		"s": second, "sec": second, "secs": second, "second": second, "seconds": second,
		"ms": millisecond, "msec": millisecond, "msecs": millisecond, "millisecond": millisecond, "milliseconds": millisecond,
		"us": microsecond, "µs": microsecond, "μs": microsecond, "usec": microsecond, "usecs": microsecond, "microsecond": microsecond, "microseconds": microsecond,
		"ns": nanosecond, "nsec": nanosecond, "nsecs": nanosecond, "nanosecond": nanosecond, "nanoseconds": nanosecond,
	}
	isoDayUnits   = map[string]unit{"y": year, "w": week, "d": day}
	isoClockUnits = map[string]unit{"h": hour, "m": minute, "s": second}
)

// readUnits reads numbers with units out of the tables, each shorter than the
// one before, so that "5m 10m 15m" is no duration.
func readUnits(text string, tables ...map[string]unit) (seconds float64, ok bool) {
	var last unit
	for text != "" {
		count, rest, ok := unsignedDecimal(text)
		if !ok {
			return 0, false
		}
		rest = strings.TrimLeft(rest, " ")
		end := strings.IndexAny(rest, " ,0123456789")
		if end < 0 {
			end = len(rest)
		}
		u := unitNamed(strings.ToLower(rest[:end]), tables)
		if u == (unit{}) || last != (unit{}) && !u.shorterThan(last) {
			return 0, false
		}
		seconds += u.of(count)
		last = u
		text = strings.TrimPrefix(strings.TrimLeft(rest[end:], " ,"), "and ")
	}
	return seconds, last != unit{}
}

// unitNamed returns the unit of that name, or none.
func unitNamed(name string, tables []map[string]unit) unit {
	for _, table := range tables {
		if u, ok := table[name]; ok {
			return u
		}
	}
	return unit{}
}

// readISODuration reads what follows the P in the format of ISO 8601, without
// months.
func readISODuration(text string) (seconds float64, ok bool) {
	days, clock, hasClock := strings.Cut(strings.ReplaceAll(text, ",", "."), "T")
	if hasClock == (clock == "") {
		return 0, false
	}
	if hasClock {
		if seconds, ok = readUnits(clock, isoClockUnits); !ok || days == "" {
			return seconds, ok
		}
	}
	whole, ok := readUnits(days, isoDayUnits)
	return whole + seconds, ok
}

// readClock reads hours:minutes:seconds, with days before it where there are
// any; after days, the seconds may be absent.
func readClock(text string) (seconds float64, ok bool) {
	first, _, ok := strings.Cut(text, ":")
	if !ok {
		return 0, false
	}
	before := strings.TrimRight(first, "0123456789")
	parts := strings.Split(text[len(before):], ":")
	days := 0.0
	if before != "" {
		if days, ok = readDays(before); !ok {
			return 0, false
		}
		if len(parts) == 2 {
			parts = append(parts, "0")
		}
	}
	if len(parts) != 3 {
		return 0, false
	}
	var fields [3]float64
	for i, part := range parts {
		value, rest, isNumber := unsignedDecimal(part)
		if !isNumber || rest != "" || i > 0 && value >= 60 || i < 2 && digits(part, 0) < len(part) {
			return 0, false
		}
		fields[i] = value
	}
	return days*day.seconds + fields[0]*hour.seconds + fields[1]*minute.seconds + fields[2], true
}

// readDays reads the days before a clock: "3 days ", "3 days, ", "3d ", "3-",
// "3." or "1w 3d ".
func readDays(text string) (days float64, ok bool) {
	if end := digits(text, 0); end > 0 && (text[end:] == "-" || text[end:] == ".") {
		days, _, ok = decimal(text[:end])
		return days, ok
	}
	seconds, ok := readUnits(text, dayUnits)
	return seconds / day.seconds, ok
}

// unsignedDecimal is decimal without a sign: within a duration none may stand.
func unsignedDecimal(text string) (value float64, rest string, ok bool) {
	if sign(text, 0) > 0 {
		return 0, text, false
	}
	return decimal(text)
}
