package query_test

import (
	"context"
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/query"
)

// evaluate returns the only result of an expression.
func evaluate(t testing.TB, source string, input any) (any, error) {
	t.Helper()
	q := compile(t, source)
	v, count, err := q.One(context.Background(), &query.Env{}, input)
	if err == nil && count != 1 {
		t.Fatalf("%s gives %d results for %v", source, count, input)
	}
	return v, err
}

type valueTest struct {
	input any
	want  any
}

func checkValues(t *testing.T, source string, tests []valueTest) {
	t.Helper()
	for _, test := range tests {
		got, err := evaluate(t, source, test.input)
		if err != nil {
			t.Errorf("%q | %s: %v", test.input, source, err)
			continue
		}
		if diff := cmp.Diff(test.want, got, cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })); diff != "" {
			t.Errorf("%q | %s (-want +got):\n%s", test.input, source, diff)
		}
	}
}

func checkUnreadable(t *testing.T, source, expected string, inputs ...any) {
	t.Helper()
	function, _, _ := strings.Cut(source, "(")
	for _, input := range inputs {
		got, err := evaluate(t, source, input)
		if err == nil {
			t.Errorf("%q | %s is %v, want an error", input, source, got)
			continue
		}
		if !strings.HasPrefix(err.Error(), function+" cannot read ") || !strings.Contains(err.Error(), ", expected "+expected) {
			t.Errorf("%q | %s: %v", input, source, err)
		}
		if text, ok := input.(string); ok && len(text) < 40 && !strings.Contains(err.Error(), `"`+text+`"`) {
			t.Errorf("%q | %s: the error does not quote the text: %v", input, source, err)
		}
	}
}

func TestDuration(t *testing.T) {
	checkValues(t, "duration", []valueTest{
		{nil, nil},
		{json.Number("90"), json.Number("90")},
		{90, 90},
		{1.5, 1.5},
		{"90", 90.0},
		{" 12.5 ", 12.5},
		{"-1", -1.0},
		{"1e3", 1000.0},
		{"3 days 02:11:01", 3*86400 + 2*3600 + 11*60 + 1.0},
		{"3 days, 02:11:01", 3*86400 + 2*3600 + 11*60 + 1.0},
		{"3 days, 2:11", 3*86400 + 2*3600 + 11*60.0},
		{"1 day, 0:00:00", 86400.0},
		{"3-02:11:01", 3*86400 + 2*3600 + 11*60 + 1.0},
		{"1.02:03:04.5", 86400 + 2*3600 + 3*60 + 4.5},
		{"1w 3d 02:11:01", 10*86400 + 2*3600 + 11*60 + 1.0},
		{"0:29:02", 29*60 + 2.0},
		{"123:00:01", 123*3600 + 1.0},
		{"00:00:01.2345678", 1.2345678},
		{"0d 0h 0m 2s", 2.0},
		{"0d 0h00m06s", 6.0},
		{"363µs", 0.000363},
		{"363μs", 0.000363},
		{"363us", 0.000363},
		{"363 usec", 0.000363},
		{"1h2m", 3720.0},
		{"1.5s", 1.5},
		{"1H 2M 3S", 3723.0},
		{"100ms", 0.1},
		{"250 ns", 250e-9},
		{"2 hours 5 minutes", 7500.0},
		{"2 hours and 5 minutes", 7500.0},
		{"1 day, 2 hours, 3 minutes and 4 seconds", 86400 + 2*3600 + 3*60 + 4.0},
		{"1w", 604800.0},
		{"2wks", 2 * 604800.0},
		{"1y", 365 * 86400.0},
		{"1 year 2 days", 367 * 86400.0},
		{"-1h30m", -5400.0},
		{"+5m", 300.0},
		{"PT1H2M3S", 3723.0},
		{"P1DT12H", 36 * 3600.0},
		{"P2W", 14 * 86400.0},
		{"PT0.5S", 0.5},
		{"PT0,5S", 0.5},
		{"-PT1M", -60.0},
	})
	checkUnreadable(t, "duration", `a duration such as "3 days 02:11:01"`,
		"", " ", "abc", "1x", "5m 10m 15m", "1m 1h", "1h 30", "2:11", "1:60:00", "1:00:60", "1:2:3:4", "::", "1::2",
		"1M2months", "P1M", "P1Y2M", "P", "PT", "PT1D", "P1H", "--1h", "1h-2m", "infinity", "NaN", "0x10", "1e999", "2 hours 3:04:05",
		strings.Repeat("9", 400), strings.Repeat("1h", 100000), "1:2:", "days 1:02:03",
		true, []any{1}, map[string]any{"a": 1})
}

func TestBytes(t *testing.T) {
	checkValues(t, "bytes", []valueTest{
		{nil, nil},
		{json.Number("9007199254740993"), json.Number("9007199254740993")},
		{big.NewInt(7), big.NewInt(7)},
		{"0", 0.0},
		{"512", 512.0},
		{"1B", 1.0},
		{"1 byte", 1.0},
		{"20 bytes", 20.0},
		{"12.5 kB", 12800.0},
		{"12.5 KiB", 12800.0},
		{"20480 KB", 20971520.0},
		{"4 MiB", 4194304.0},
		{"4M", 4194304.0},
		{"4mb", 4194304.0},
		{"4.00 KB", 4096.0},
		{"1.2G", 1.2 * (1 << 30)},
		{"1 Ti", float64(1 << 40)},
		{"2 PB", float64(2 << 50)},
		{"1E", float64(1 << 60)},
		{"1e3", 1000.0},
		{"1 ZiB", math.Pow(2, 70)},
		{"-1", -1.0},
	})
	checkValues(t, "bytes(1000)", []valueTest{
		{nil, nil},
		{json.Number("5"), json.Number("5")},
		{"12.5 kB", 12500.0},
		{"4 MB", 4000000.0},
		{"1G", 1e9},
		{"4 MiB", 4194304.0},
		{"4 Ki", 4096.0},
		{"7", 7.0},
	})
	checkValues(t, "bytes(1024)", []valueTest{{"1 kB", 1024.0}})
	checkUnreadable(t, "bytes", `a size such as "12.5 kB"`,
		"", "kB", "12.5.5 kB", "1,024 KB", "12 kBps", "1 048 576", "12 furlongs", "4 MiBi", "1 é", "9e307 GB", "infinity", false, []any{})
	checkUnreadable(t, "bytes(1000)", `a size such as "12.5 kB"`, "much")
	for _, source := range []string{"bytes(10)", `bytes("1000")`, "bytes(null)"} {
		if _, err := evaluate(t, source, "1k"); err == nil || !strings.Contains(err.Error(), "expected bytes(1000) or bytes(1024)") {
			t.Errorf("%s: %v", source, err)
		}
	}
}

func TestPercent(t *testing.T) {
	checkValues(t, "percent", []valueTest{
		{nil, nil},
		{json.Number("5"), 0.05},
		{json.Number("99.98"), 0.9998},
		{5, 0.05},
		{"5", 0.05},
		{"5.0%", 0.05},
		{"5 %", 0.05},
		{" 100% ", 1.0},
		{".5%", 0.005},
		{"-3%", -0.03},
		{"0%", 0.0},
	})
	checkUnreadable(t, "percent", `a percentage such as "5.0%"`,
		"", "%", "0.02% used", "0.02% used, 99.98% free", "5,0%", "5  %", "5%%", "five", "1e999", true, map[string]any{})
}

func TestQuantity(t *testing.T) {
	checkValues(t, "quantity", []valueTest{
		{nil, nil},
		{json.Number("2"), json.Number("2")},
		{"0", 0.0},
		{"250m", 0.25},
		{"64Mi", 67108864.0},
		{"1e3", 1000.0},
		{"1E3", 1000.0},
		{"1e-3", 0.001},
		{"1E", 1e18},
		{"12k", 12000.0},
		{"500n", 5e-7},
		{"3u", 3e-6},
		{"1.5Gi", 1.5 * (1 << 30)},
		{"2M", 2e6},
		{"1G", 1e9},
		{"1T", 1e12},
		{"1P", 1e15},
		{"1Ki", 1024.0},
		{"1Ti", float64(1 << 40)},
		{"1Pi", float64(1 << 50)},
		{"1Ei", float64(1 << 60)},
		{"-2", -2.0},
		{"+2", 2.0},
		{"5.", 5.0},
		{".5", 0.5},
	})
	checkUnreadable(t, "quantity", `a Kubernetes quantity such as "250m"`,
		"", "m", "12K", "12 k", "1KB", "64mi", "3µ", "1e3k", "1.2.3", "abc", true)
}

func TestTimestamp(t *testing.T) {
	const want = 1795218282.0 // 2026-11-20 23:44:42 UTC
	checkValues(t, "timestamp", []valueTest{
		{nil, nil},
		{json.Number("1795218282"), json.Number("1795218282")},
		{1795218282.5, 1795218282.5},
		{"1795218282", want},
		{"1795218282.25", want + 0.25},
		{"2026-11-20T23:44:42Z", want},
		{"2026-11-20t23:44:42z", want},
		{"2026-11-20T23:44:42.25Z", want + 0.25},
		{"2026-11-20T23:44:42,25Z", want + 0.25},
		{"2026-11-20T23:44:42.123456789Z", want + 0.123456789},
		{"2026-11-21T00:44:42+01:00", want},
		{"2026-11-21T00:44:42+0100", want},
		{"2026-11-21T00:44:42.25+0100", want + 0.25},
		{"2026-11-21T00:44:42+01", want},
		{"2026-11-20T18:14:42-05:30", want},
		{"2026-11-20 23:44:42", want},
		{"2026-11-20T23:44:42", want},
		{"2026-11-20 23:44:42 UTC", want},
		{"2026-11-20 23:44:42 +0000", want},
		{"2026-11-21 00:44:42.25 +01:00", want + 0.25},
		{"2026-11-20T23:44Z", want - 42},
		{"2026-11-20T23:44", want - 42},
		{"2026-11-20", want - (23*3600 + 44*60 + 42)},
		{"Fri, 20 Nov 2026 23:44:42 GMT", want},
		{"Fri, 20 Nov 2026 23:44:42 UTC", want},
		{"Sat, 21 Nov 2026 00:44:42 +0100", want},
		{"Friday, 20-Nov-26 23:44:42 GMT", want},
		{"Fri, 20-Nov-2026 23:44:42 GMT", want},
		{"20 Nov 2026 23:44:42 GMT", want},
		{"Fri Nov 20 23:44:42 2026", want},
		{"Sun Nov  1 00:00:00 2026", 1793491200.0},
		{"Fri Nov 20 23:44:42 UTC 2026", want},
		{"20/Nov/2026:23:44:42 +0000", want},
		{"21/Nov/2026:00:44:42 +01:00", want},
		{"20/Nov/2026:23:44:42", want},
		{"2026-11-21 00:44:42.25 +0100 CET", want + 0.25},
		{"1970-01-01T00:00:00Z", 0.0},
		{"0001-01-01T00:00:00Z", nil},
		{"0001-01-01 00:00:00 +0000 UTC", nil},
		{"0000-00-00 00:00:00", nil},
		{"1969-12-31T23:59:59.5Z", -0.5},
	})
	checkUnreadable(t, "timestamp", `a time such as "2026-11-20T23:44:42Z"`,
		"", "yesterday", "2026-13-01", "2026-11-20T25:00:00Z", "2026-11-20T23:44:42 CET", "Fri, 20 Nov 2026 23:44:42 CET",
		"20/11/2026", "23:44:42", "2026-11-20T23:44:42Z trailing", true, []any{})
}

func TestMany(t *testing.T) {
	for _, test := range []struct {
		input any
		want  []any
	}{
		{nil, nil},
		{[]any{}, nil},
		{[]any{1, nil}, []any{1, nil}},
		{map[string]any{"a": 1}, []any{map[string]any{"a": 1}}},
		{"x", []any{"x"}},
		{false, []any{false}},
	} {
		for _, source := range []string{"many", "(many)", "many | ., empty"} {
			got, err := all(t, source, test.input)
			if err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%v | %s (-want +got):\n%s", test.input, source, diff)
			}
		}
	}
}

// all returns every result of an expression.
func all(t testing.TB, source string, input any) (results []any, err error) {
	t.Helper()
	q := compile(t, source)
	for v, err := range q.All(context.Background(), &query.Env{}, input) {
		if err != nil {
			return results, err
		}
		results = append(results, v)
	}
	return results, nil
}

func TestFunctionsInExpressions(t *testing.T) {
	document := map[string]any{
		"load": "5 %", "size": "4 MiB", "up": "1h2m", "bad": "x",
		"disk": "0.02% used, 99.98% free",
	}
	for source, want := range map[string]any{
		`[.load | percent, bytes]`:                                        nil,
		`.size | bytes / 2`:                                               2097152.0,
		`[.load, .load] | map(percent) | add`:                             0.1,
		`(.up | duration) + 1`:                                            3721.0,
		`try (.bad | duration) catch "none"`:                              "none",
		`.bad | percent? // 7`:                                            7,
		`.disk | capture("(?<used>[\\d.]+%) used").used | percent`:        0.0002,
		`[.size | bytes, bytes(1000)] | .[0] == .[1]`:                     true,
		`.absent | [duration, bytes, percent, quantity, timestamp, many]`: []any{nil, nil, nil, nil, nil},
	} {
		got, err := evaluate(t, source, document)
		if want == nil {
			if err == nil {
				t.Errorf("%s gives %v, want an error", source, got)
			}
			continue
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", source, err, diff)
		}
	}
}
