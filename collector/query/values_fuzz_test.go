package query_test

import (
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/itchyny/gojq"

	"status_exporter/collector/query"
)

// fuzzValue feeds texts to a function: it must give a finite number, or null
// where that may be, or an error.
func fuzzValue(f *testing.F, source string, null bool, seeds ...string) {
	q := compile(f, source)
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, count, err := q.One(t.Context(), &query.Env{}, text)
		if err != nil {
			return
		}
		number, ok := gojq.ToFloat64(v)
		if count != 1 || !ok && (v != nil || !null) || math.IsNaN(number) || math.IsInf(number, 0) {
			t.Errorf("%q | %s is %v (%d results)", text, source, v, count)
		}
	})
}

func FuzzDuration(f *testing.F) {
	fuzzValue(f, "duration", false, "3 days 02:11:01", "0d 0h00m06s", "0:29:02", "363µs", "363μs", "1h2m", "2 hours and 5 minutes", "1w", "PT1H2M3S", "P1DT0,5S", "1.02:03:04.5", "3-02:11:01", "-1.5s", "1y")
}

func FuzzBytes(f *testing.F) {
	fuzzValue(f, "bytes", false, "12.5 kB", "20480 KB", "4 MiB", "1B", "1.2G", "-1", "1e3", "2 YiB")
}

func FuzzPercent(f *testing.F) {
	fuzzValue(f, "percent", false, "5.0%", "5 %", "5", "0.02% used", "-.5e1%")
}

func FuzzQuantity(f *testing.F) {
	fuzzValue(f, "quantity", false, "250m", "64Mi", "1e3", "1E", "12k", "500n", "3u", "-5.", "1e3k")
}

func FuzzTimestamp(f *testing.F) {
	fuzzValue(f, "timestamp", true, "2026-11-20T23:44:42Z", "2026-11-20 23:44:42,5 +0100 CET", "Fri, 20 Nov 2026 23:44:42 GMT", "Friday, 20-Nov-26 23:44:42 UTC",
		"Fri Nov 20 23:44:42 2026", "20/Nov/2026:23:44:42 +0000", "2026-11-20", "1795218282.5", "0001-01-01T00:00:00Z", "0000-00-00")
}

// near tells whether two numbers are the same but for the last digits.
func near(got any, want float64) bool {
	number, ok := gojq.ToFloat64(got)
	return ok && math.Abs(number-want) <= 1e-9*max(1e-9, math.Abs(want))
}

func FuzzFormattedValues(f *testing.F) {
	f.Add(int64(1795218282), uint32(250000000))
	f.Add(int64(-1), uint32(0))
	f.Add(int64(363), uint32(1))
	f.Fuzz(func(t *testing.T, whole int64, nanoseconds uint32) {
		check := func(source, text string, want float64) {
			t.Helper()
			if got, err := evaluate(t, source, text); err != nil || !near(got, want) {
				t.Errorf("%q | %s is %v, %v; want %v", text, source, got, err, want)
			}
		}
		check("duration", time.Duration(whole).String(), time.Duration(whole).Seconds())
		check("duration", fmt.Sprintf("%dms", whole), float64(whole)/1e3)
		check("bytes", fmt.Sprintf("%d KiB", whole), float64(whole)*1024)
		check("bytes(1000)", fmt.Sprintf("%dMB", whole), float64(whole)*1e6)
		check("percent", strconv.FormatFloat(float64(whole)/1e3, 'f', -1, 64)+" %", float64(whole)/1e5)
		check("quantity", fmt.Sprintf("%dMi", whole), float64(whole)*(1<<20))
		check("quantity", fmt.Sprintf("%dn", whole), float64(whole)/1e9)

		seconds := whole % (8000 * 365 * 86400) // years with four digits
		if seconds < 0 {
			seconds = -seconds
		}
		moment := time.Unix(seconds, int64(nanoseconds%1e9)).UTC()
		check("timestamp", moment.Format(time.RFC3339Nano), float64(seconds)+float64(nanoseconds%1e9)/1e9)
		for _, layout := range []string{
			time.RFC1123, time.RFC1123Z, time.ANSIC, time.UnixDate, "02/Jan/2006:15:04:05 -0700", time.DateTime, "2006-01-02 15:04:05 -0700 MST",
			"2006-01-02T15:04:05-0700",
		} {
			check("timestamp", moment.Format(layout), float64(seconds))
		}
	})
}
