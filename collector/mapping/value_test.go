package mapping_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestValues states what the value of a sample is for what an expression finds
// in the document {"v": …}.
func TestValues(t *testing.T) {
	const notANumber = "shop_x: 1 for not_a_number; `.v` found %s, expected a number"
	tests := []struct{ json, want, dropped string }{
		{json: `5`, want: "5"},
		{json: `-0.5`, want: "-0.5"},
		{json: `1e3`, want: "1000"},
		{json: `9007199254740993`, want: "9.007199254740992e+15"},
		{json: `true`, want: "1"},
		{json: `false`, want: "0"},
		{json: `"5"`, want: "5"},
		{json: `" 5\t"`, want: "5"},
		{json: `"\u00a05\n"`, want: "5"},
		{json: `"+5"`, want: "5"},
		{json: `".5"`, want: "0.5"},
		{json: `"1.5E-3"`, want: "0.0015"},
		{json: `"NaN"`, want: "NaN"},
		{json: `"+Inf"`, want: "+Inf"},
		{json: `" -Inf "`, want: "-Inf"},
		{json: `1e400`, dropped: fmt.Sprintf(notANumber, "1e400")},
		{json: `-1e400`, dropped: fmt.Sprintf(notANumber, "-1e400")},
		{json: `"1e400"`, dropped: fmt.Sprintf(notANumber, `"1e400"`)},
		{json: `1e-400`, want: "0"},
		{json: `"Inf"`, dropped: fmt.Sprintf(notANumber, `"Inf"`)},
		{json: `"inf"`, dropped: fmt.Sprintf(notANumber, `"inf"`)},
		{json: `"+infinity"`, dropped: fmt.Sprintf(notANumber, `"+infinity"`)},
		{json: `"nan"`, dropped: fmt.Sprintf(notANumber, `"nan"`)},
		{json: `"-NaN"`, dropped: fmt.Sprintf(notANumber, `"-NaN"`)},
		{json: `"0x1F"`, dropped: fmt.Sprintf(notANumber, `"0x1F"`)},
		{json: `"0x1p4"`, dropped: fmt.Sprintf(notANumber, `"0x1p4"`)},
		{json: `"1_000"`, dropped: fmt.Sprintf(notANumber, `"1_000"`)},
		{json: `"1,5"`, dropped: fmt.Sprintf(notANumber, `"1,5"`)},
		{json: `"5 %"`, dropped: fmt.Sprintf(notANumber, `"5 %"`)},
		{json: `"true"`, dropped: fmt.Sprintf(notANumber, `"true"`)},
		{json: `"e5"`, dropped: fmt.Sprintf(notANumber, `"e5"`)},
		{json: `"."`, dropped: fmt.Sprintf(notANumber, `"."`)},
		{json: `"-"`, dropped: fmt.Sprintf(notANumber, `"-"`)},
		{json: `""`, dropped: fmt.Sprintf(notANumber, `""`)},
		{json: `" "`, dropped: fmt.Sprintf(notANumber, `" "`)},
		{json: `[5]`, dropped: fmt.Sprintf(notANumber, `[5]`)},
		{json: `{}`, dropped: fmt.Sprintf(notANumber, `{}`)},
		{json: `null`, dropped: "shop_x: 1 for missing; `.v` found nothing"},
	}
	rules := mustCompile(t, "[{name: shop_x, value: .v}]")
	for _, test := range tests {
		want := outcome{Satisfied: true}
		if test.want != "" {
			want.Samples = []string{"shop_x " + test.want}
		} else {
			want = outcome{Dropped: []string{test.dropped}}
		}
		got := read(rules.Map(t.Context(), status(t, `{"v": `+test.json+`}`)))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.json, diff)
		}
	}
}

// TestComputedValues states what the value of a sample is for what jq computes.
func TestComputedValues(t *testing.T) {
	tests := []struct{ expression, want string }{
		{`.n + 1`, "shop_x 4"},
		{`.n / 2`, "shop_x 1.5"},
		{`nan`, "shop_x NaN"},
		{`infinite`, "shop_x +Inf"},
		{`-infinite`, "shop_x -Inf"},
		{`9007199254740993 * 9007199254740993`, "shop_x 8.11296384146067e+31"},
		{`.s | duration`, "shop_x 11100"},
		{`.n, .n`, "shop_x: 1 for several; `.n, .n` found several results, expected one"},
		{`empty`, "shop_x: 1 for missing; `empty` found nothing"},
		{`.a.b.c`, "shop_x: 1 for missing; `.a.b.c` found nothing"},
		{`.a[]`, "shop_x: 1 for missing; `.a[]` found nothing (cannot iterate over: null)"},
		{`.a | tonumber`, "shop_x: 1 for missing; `.a | tonumber` found nothing (tonumber cannot be applied to: null)"},
		{`.n * .a`, "shop_x: 1 for missing; `.n * .a` found nothing (cannot multiply: number (3) and null)"},
		{`.a / .n`, "shop_x: 1 for missing; `.a / .n` found nothing (cannot divide: null and number (3))"},
		{`.n.x`, "shop_x: 1 for evaluate; `.n.x` failed: expected an object but got: number (3)"},
		{`.n / 0`, "shop_x: 1 for evaluate; `.n / 0` failed: cannot divide number (3) by: number (0)"},
		{`error("no")`, "shop_x: 1 for evaluate; `error(\"no\")` failed: error: no"},
		{`error("cannot read: null pointer")`, "shop_x: 1 for evaluate; `error(\"cannot read: null pointer\")` failed: error: cannot read: null pointer"},
	}
	for _, test := range tests {
		rules := mustCompile(t, "- name: shop_x\n  value: |-\n    "+test.expression)
		got := read(rules.Map(t.Context(), status(t, `{"n": 3, "s": "3h5m"}`)))
		if diff := cmp.Diff(test.want, append(got.Samples, got.Dropped...)[0]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.expression, diff)
		}
	}
}

// TestLabelValues states what a label is for what its expression finds.
func TestLabelValues(t *testing.T) {
	tests := []struct{ json, want string }{
		{`"a"`, `shop_x{l="a"} 1`},
		{`" a "`, `shop_x{l=" a "} 1`},
		{`"naïve ✓"`, `shop_x{l="naïve ✓"} 1`},
		{`5`, `shop_x{l="5"} 1`},
		{`1.0`, `shop_x{l="1"} 1`},
		{`1.50`, `shop_x{l="1.5"} 1`},
		{`-0`, `shop_x{l="0"} 1`},
		{`-0.0`, `shop_x{l="0"} 1`},
		{`0.1`, `shop_x{l="0.1"} 1`},
		{`1600000`, `shop_x{l="1600000"} 1`},
		{`1.6e6`, `shop_x{l="1600000"} 1`},
		{`1E-7`, `shop_x{l="0.0000001"} 1`},
		{`9007199254740993`, `shop_x{l="9007199254740993"} 1`},
		{`18446744073709551615`, `shop_x{l="18446744073709551615"} 1`},
		{`123456789012345678901234567890`, `shop_x{l="123456789012345678901234567890"} 1`},
		{`1e400`, `shop_x{l="1e400"} 1`},
		{`true`, `shop_x{l="true"} 1`},
		{`false`, `shop_x{l="false"} 1`},
		{`null`, `shop_x 1`},
		{`""`, `shop_x 1`},
		{`[]`, "shop_x: 1 for label; label l: `.v` found [], expected a text or a number"},
		{`{"a": 1}`, "shop_x: 1 for label; label l: `.v` found {\"a\":1}, expected a text or a number"},
	}
	rules := mustCompile(t, "[{name: shop_x, labels: {l: .v}, value: 1}]")
	for _, test := range tests {
		got := read(rules.Map(t.Context(), status(t, `{"v": `+test.json+`}`)))
		if diff := cmp.Diff(test.want, append(got.Samples, got.Dropped...)[0]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.json, diff)
		}
	}
}

func TestComputedLabels(t *testing.T) {
	tests := []struct{ expression, want string }{
		{`.n * 2`, `shop_x{l="6"} 1`},
		{`.n / 3`, `shop_x{l="1"} 1`},
		{`1e15 * 10`, `shop_x{l="10000000000000000"} 1`},
		{`9007199254740993 * 9007199254740993`, `shop_x{l="81129638414606699710187514626049"} 1`},
		{`nan`, `shop_x{l="NaN"} 1`},
		{`infinite | tostring`, `shop_x{l="1.7976931348623157e+308"} 1`},
		{`-infinite`, `shop_x{l="-Inf"} 1`},
		{`.b | @base64d`, "shop_x{l=\"\ufffdA\"} 1"},
		{`$headers["x-version"]`, `shop_x{l="7"} 1`},
		{`$status`, `shop_x{l="200"} 1`},
		{`$target`, `shop_x 1`},
		{`$root.n`, `shop_x{l="3"} 1`},
		{`$docs.status.n`, `shop_x{l="3"} 1`},
		{`.gone[]`, `shop_x 1`},
		{`empty`, `shop_x 1`},
		{`.n, .n`, "shop_x: 1 for several; label l: `.n, .n` found several results, expected one"},
		{`.n | keys`, "shop_x: 1 for evaluate; label l: `.n | keys` failed: keys cannot be applied to: number (3)"},
		{`"x" * 5000`, "shop_x: 1 for limit; label l: `\"x\" * 5000` found \"xxxxxxxxxxxxxxxxxxxxxxxx ...\", which has 5000 bytes, the limit is 4096"},
	}
	for _, test := range tests {
		rules := mustCompile(t, "- name: shop_x\n  value: 1\n  labels:\n    l: |-\n      "+test.expression)
		got := read(rules.Map(t.Context(), status(t, `{"n": 3, "b": "/0E="}`)))
		if diff := cmp.Diff(test.want, append(got.Samples, got.Dropped...)[0]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.expression, diff)
		}
	}
}

func TestMap(t *testing.T) {
	const document = `[
		{"n": "a", "v": "running"}, {"n": "b", "v": " stopped\n"}, {"n": "c", "v": "exploded"}, {"n": "d", "v": 7},
		{"n": "e", "v": "8"}, {"n": "f", "v": true}, {"n": "g", "v": 1.0}, {"n": "h", "v": null}, {"n": "i", "v": ["running"]}
	]`
	runAll(t, []mapTest{
		{
			name:     "what the map does not name is a number or dropped",
			rules:    `[{name: x, each: ".[]", labels: {n: .n}, value: .v, map: {running: 1, stopped: 0, "1": 10, true: .inf}}]`,
			document: document,
			want: outcome{
				Satisfied: true,
				Samples:   []string{`x{n="a"} 1`, `x{n="b"} 0`, `x{n="d"} 7`, `x{n="e"} 8`, `x{n="f"} +Inf`, `x{n="g"} 10`},
				Dropped: []string{
					"x: 1 for unmapped; `.v` found \"exploded\", which map does not name",
					"x: 1 for missing; `.v` found nothing",
					"x: 1 for not_a_number; `.v` found [\"running\"], expected a number",
				},
			},
		},
		{
			name:     "* stands for all others",
			rules:    `[{name: x, each: ".[]", labels: {n: .n}, value: .v, map: {running: true, stopped: false, "*": -1.5e1}}]`,
			document: document,
			want: outcome{
				Satisfied: true,
				Samples:   []string{`x{n="a"} 1`, `x{n="b"} 0`, `x{n="c"} -15`, `x{n="d"} -15`, `x{n="e"} -15`, `x{n="f"} -15`, `x{n="g"} -15`},
				Dropped: []string{
					"x: 1 for missing; `.v` found nothing",
					"x: 1 for not_a_number; `.v` found [\"running\"], expected a number",
				},
			},
		},
	})
}
