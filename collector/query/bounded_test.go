package query_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"status_exporter/collector/query"
)

// within evaluates an expression with a deadline and fails the test if it goes
// on much longer.
func within(t *testing.T, deadline time.Duration, source string, input any) error {
	t.Helper()
	q := compile(t, source)
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	start := time.Now()
	var failure error
	for _, err := range q.All(ctx, &query.Env{}, input) {
		failure = err
	}
	took := time.Since(start)
	t.Logf("%-60s %v: %v", source, took.Round(time.Millisecond), failure)
	if slack := time.Second; took > deadline+slack && !raceDetector { // the aim is 250 ms; a machine may have other work, too
		t.Errorf("%s ends %v after its deadline", source, took-deadline)
	}
	return failure
}

func TestEvaluationsEndAtTheDeadline(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	numbers := make([]any, 1<<20)
	for i := range numbers {
		numbers[i] = json.Number(strconv.Itoa(i * 7919 % 1000003))
	}
	for source, input := range map[string]any{
		`last(range(1e18))`: nil,
		`def f: f; f`:       nil,
		`def f: 1 + f; f`:   nil,
		`[limit(5; repeat(1))] | until(false; .)`:    nil,
		`gsub("x.*y|x"; "")`:                         big,
		`[match("x.*y|x"; "g")]`:                     big,
		`test("(x+x+)+y")`:                           strings.Repeat(big, 16),
		`test("((a|b|x)?){1000}y")`:                  big,
		`[splits("(x?){500}y")]`:                     strings.Repeat(big, 4),
		`.[]? // empty | 1`:                          big,
		`try last(range(1e18)) catch "caught"`:       nil,
		`(last(range(1e18)))? // "caught"`:           nil,
		`[.] | map(.. | .. | last(range(1e18)))`:     nil,
		`last(combinations(20))`:                     []any{0, 1, 2, 3},
		`reduce range(1e12) as $i (0; . + $i)`:       nil,
		`indices(.[:524288]) | length`:               big,
		`sort`:                                       numbers,
		`group_by(.)`:                                numbers,
		`try (., last(range(1e18))) catch ., 1, "x"`: nil,
		`label $out | foreach range(1e12) as $i (0; 1; if . > 1 then ., break $out else empty end)`: nil,
	} {
		if err := within(t, 100*time.Millisecond, source, input); err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, query.ErrMemory) {
			t.Errorf("%s: %v", source, err)
		}
	}
}

func TestEvaluationsEndWhenTheyNeedTooMuchMemory(t *testing.T) {
	if raceDetector || testing.Short() {
		t.Skip("takes long with the race detector")
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(256 << 20))
	for _, source := range []string{
		`[repeat(1)]`,
		`[range(1e9)]`,
		`def f: [f]; f`,
		`reduce range(60) as $i ("x"; . + .)`,
		`reduce range(60) as $i ([1]; [.[], .[]])`,
		`try [repeat("x")] catch "caught"`,
	} {
		if err := within(t, 30*time.Second, source, nil); !errors.Is(err, query.ErrMemory) {
			t.Errorf("%s: %v", source, err)
		}
		debug.FreeOSMemory()
	}
}

// Each makes in one step more than there is room for, after which there would be
// nobody to notice.
func TestRoomIsAskedFor(t *testing.T) {
	if raceDetector {
		t.Skip("takes long with the race detector")
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(128 << 20))
	text := strings.Repeat("x", 15<<20)
	items := make([]any, 1<<20)
	for _, source := range []string{
		`[.text + .text] | 1`, `[.items + .items] | 1`, `[.text] | "\(.[0])\(.[0])" | 1`, `"y" | gsub("y"; $root.text) | 1`,
		`[.text, .text] | add | 1`, `[.items] | flatten | 1`, `[1, 1, 1] | join($root.text) | 1`, `.text | explode | 1`,
		`.text[:1000000] | split("") | 1`, `.text * 2 | 1`,
	} {
		q := compile(t, source)
		env := &query.Env{Root: map[string]any{"text": text, "items": items}}
		_, _, err := q.One(context.Background(), env, env.Root)
		if !errors.Is(err, query.ErrMemory) {
			t.Errorf("%s: %v", source, err)
		}
		debug.FreeOSMemory()
	}
}

func TestWhatATargetSendsIsBounded(t *testing.T) {
	digits := strings.Repeat("7", 1<<20)
	rows := make([]any, 1<<15)
	for i := range rows {
		rows[i] = []any{}
	}
	rows[0] = make([]any, 1<<15)
	longPath, nested := make([]any, 10_001), any(0)
	for i := range longPath {
		longPath[i], nested = "a", []any{nested}
	}
	control := strings.Repeat("\x01", 4<<20)
	long, items := strings.Repeat("x", 40<<20), make([]any, 3<<20)
	for _, test := range []struct {
		source string
		input  any
		want   string
	}{
		{`.text * .n`, map[string]any{"text": "xxx", "n": 1 << 29}, `"xxx" times 536870912 is longer than 33554432 bytes`},
		{`.n * .text`, map[string]any{"text": "xxx", "n": 1e300}, `"xxx" times 1e+300 is longer than 33554432 bytes`},
		{`.text *= 1e9`, map[string]any{"text": "xxx"}, `"xxx" times 1000000000 is longer than 33554432 bytes`},
		{`.n | . * .`, map[string]any{"n": json.Number(digits)}, `the product has too many digits`},
		{`reduce range(60) as $i (10; . * .) | 1`, nil, `the product has too many digits`},
		{`[. + .]`, long, `together are longer than 33554432 bytes`},
		{`[. + .]`, items, `together have more than 1048576 items`},
		{`reduce range(60) as $i ([1]; .[length:] = .)`, nil, `cannot be assigned: it has more than 1048576 items`},
		{`reduce range(60) as $i ([1]; . as $w | .[0:0] |= $w)`, nil, `cannot be assigned: it has more than 1048576 items`},
		{`reduce range(60) as $i ([1]; . as $w | getpath([{start: 0, end: 0}]) = $w)`, nil, `cannot be assigned: it has more than 1048576 items`},
		{`reduce range(60) as $i ([1]; . as $w | setpath([{start: 0, end: 0}]; $w))`, nil, `cannot be assigned: it has more than 1048576 items`},
		{`setpath(.; 1)`, longPath, `cannot be a path: it has more than 10000 keys`},
		{`. as $p | null | getpath($p) |= 1`, longPath, `cannot be a path: it has more than 10000 keys`},
		{`. as $p | null | [getpath($p)]`, longPath, `cannot be a path: it has more than 10000 keys`},
		{`. as $p | null | delpaths([$p])`, longPath, `cannot be a path: it has more than 10000 keys`},
		{`fromstream([., 1])`, longPath, `cannot be a path: it has more than 10000 keys`},
		{`null | (first(skip(20000; recurse(.a)))) |= 1`, nil, `cannot be a path: it has more than 10000 keys`},
		{`null | def f: .a | f; (first(skip(20000; recurse(.a)))) = 1`, nil, `cannot be a path: it has more than 10000 keys`},
		{`(reduce range(20000) as $i (0; [.])) | [., .] | .[0] == .[1]`, nil, `takes too long`},
		{`(reduce range(20000) as $i (0; [.])) | contains([[1]])`, nil, `takes too long`},
		{`(reduce range(20000) as $i (0; [.])) | tojson`, nil, `is too large to work on`},
		{`(reduce range(20000) as $i (0; [.])) | flatten`, nil, `is too large to work on`},
		{`(reduce range(20000) as $i (0; [.])) | del(.[0])`, nil, `is too large to work on`},
		{`(reduce range(20000) as $i (0; [.])) as $x | [$x] | .[[$x]]`, nil, `cannot be an index: it is too large`},
		{`(reduce range(20000) as $i (0; [.])) | .[0] |= empty`, nil, `cannot be updated: it is too large, or has more than 10000 levels`},
		{`(reduce range(20000) as $i (0; [.])) | map_values(empty)`, nil, `cannot be updated: it is too large, or has more than 10000 levels`},
		{`.[0] |= 1`, nested, `cannot be updated: it is too large, or has more than 10000 levels`},
		{`strftime(.) | length`, strings.Repeat("%c", 501), `cannot be the format of a time: it is longer than 1000 characters`},
		{`. as $f | 0 | strflocaltime($f)`, strings.Repeat("%c", 501), `cannot be the format of a time: it is longer than 1000 characters`},
		{`. as $f | "" | strptime($f)`, strings.Repeat("%Y", 501), `cannot be the format of a time: it is longer than 1000 characters`},
		{`"xxxxxxxx"` + strings.Repeat(" | . + .", 28) + `| 1`, nil, `together are longer than 33554432 bytes`},
		{`"xxxxxxxx"` + strings.Repeat(` | "\(.)\(.)"`, 28) + `| 1`, nil, `together are longer than 33554432 bytes`},
		{`reduce range(60) as $i ("x"; {"\(.)\(.)": 1} | to_entries[0].key)`, nil, `together are longer than 33554432 bytes`},
		{`"''"` + strings.Repeat(` | @sh`, 28) + `| 1`, nil, `is too large to work on`},
		{`.[5000000] = 1`, []any{}, `5000000 cannot be an index: it is larger than 1048576`},
		{`jn(1e7; 1e12)`, nil, `takes too long`},
		{`[., ., .] | tojson`, long, `is too large to work on`},
		{`[.] | tojson`, control, `is too large to work on, the limit is about 4 MiB`},
		{`tojson`, control, `is too large to work on, the limit is about 4 MiB`},
		{`[.][] | tojson`, control, `is too large to work on, the limit is about 4 MiB`},
		{`@json "\(.)"`, control, `is too large to work on, the limit is about 4 MiB`},
		{`@html`, control, `is too large to work on, the limit is about 4 MiB`},
		{`tostring`, []any{control}, `is too large to work on, the limit is about 4 MiB`},
		{`"\(.)"`, []any{control}, `is too large to work on, the limit is about 4 MiB`},
		{`[.] | "a \(.) b"`, control, `is too large to work on, the limit is about 4 MiB`},
		{`reduce range(60) as $i (1; [., .]) | .[0] == .[1]`, nil, `takes too long`},
		{`. / ","`, strings.Repeat(",", 1<<20), `cannot be split: it has more than 1048576 parts`},
		{`. / .[:1]`, strings.Repeat(",", 1<<20), `cannot be split: it has more than 1048576 parts`},
		{`./= ","`, strings.Repeat(",", 1<<20), `cannot be split: it has more than 1048576 parts`},
		{`split("")`, strings.Repeat("x", 1<<20+1), `cannot be split: it has more than 1048576 parts`},
		{`strptime("%Y")`, digits, `is no time: it is longer than 1000 characters`},
		{`fromdate`, digits, `is no time: it is longer than 1000 characters`},
		{`fromdateiso8601`, digits, `is no time: it is longer than 1000 characters`},
		{`from_entries`, make([]any, 250_001), `from_entries cannot make an object of 250001 entries: the limit is 250000`},
		{`with_entries(.)`, make([]any, 250_001), `from_entries cannot make an object of 250001 entries: the limit is 250000`},
		{`fromjson`, strings.Repeat(" ", 4<<20+1), `is longer than 4 MiB`},
		{`tonumber`, digits, `is longer than 1000 characters`},
		{`fromjson`, digits, `it has a number of more than 1000 digits`},
		{`fromjson`, "[" + strings.Repeat("{},", 1<<20) + "{}]", `it has more than 1048576 values`},
		{`.rows - .rows`, map[string]any{"rows": rows}, `takes too long`},
		{`.rows -= .rows`, map[string]any{"rows": rows}, `takes too long`},
		{`.rows as $r | .rows | contains($r)`, map[string]any{"rows": rows}, `takes too long`},
		{`.rows as $r | .rows | index($r)`, map[string]any{"rows": rows}, `takes too long`},
		{`.rows[.rows]`, map[string]any{"rows": rows}, `cannot be an index: it has more than 16 items`},
		{`.texts as $t | .texts | contains($t)`, map[string]any{"texts": []any{digits, digits, digits}}, `takes too long`},
		{`transpose`, rows, `transpose cannot make a table of 32768 by 32768: it has more than 1048576 values`},
	} {
		if err := within(t, 10*time.Second, test.source, test.input); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.source, err, test.want)
		}
	}
}

func TestBoundedFunctionsAreThoseOfJQ(t *testing.T) {
	values := []any{
		nil, true, 0, 3, -2, 2.5, math.MaxInt, math.MinInt, 1 << 53, json.Number("-0"), json.Number("9223372036854775807"), json.Number("0.1"), json.Number("4"), json.Number("1e2"), json.Number("123456789012345678901234567890"),
		new(big.Int).Lsh(big.NewInt(1), 100), "", "ab", "12", "1.5e3", "x1", `{"a": [1, 2.50]}`, "[1",
		[]any{},
		[]any{1, "a"},
		"abababa", "aba", "äöäöä", "öä", "a\xffb\xff", "\xff", "\uFFFD",
		[]any{0, 1, 0, 1, 0},
		[]any{0, 1, 0},
		[]any{[]any{1, 2}, []any{3}},
		map[string]any{},
		map[string]any{"a": map[string]any{"b": 1}},
		map[string]any{"a": map[string]any{"c": 2}},
	}
	for _, source := range []string{
		`.[0] * .[1]`, `.[1] * .[0] * 2`, `.[0] * (.[1], 3) * (1, 2)`, `.[0] *= .[1]`, `.[0] *= (.[1], 2)`, `. as [$a, $b] | {v: $a} | .v *= $b`,
		`(.[0] * .[1]) as $x | $x * 2`, `[.[] * 2]`, `def f: .[0] * .[1]; f * 1`, `.[0] * .[1] - .[1] * .[0]`,
		`.[0] - .[1]`, `.[1] - .[0] - 2`, `.[0] - (.[1], 3) - (1, 2)`, `.[0] -= .[1]`, `.[0] -= (.[1], 2)`, `[.[] - 2]`, `2 - .[0]`,
		`.[0] | contains("b")`, `. as [$a, $b] | $a | contains($b)`, `. as [$a, $b] | $a | inside($b)`, `.[0] | inside("abc")`,
		`. as [$a, $b] | $a | [index($b), rindex($b)]`, `. as [$a, $b] | $a | indices($b)`, `. as [$a, $b] | $a[$b]`,
		`. as [$a, $b] | [$a[$b, 0]?]`, `. as [$a, $b] | [path($a | .[$b]?)]`, `.[.[1]]?`, `.[0][.[1]:]?`, `.[.[1]] = 1`, `.[0:1] = (.[1], [2])`, `.[1:] |= (map(3), .)`, `.[0:1] |= empty`, `.[0][1:] = [.[1]]`, `path(.[.[1]])`, `del(.[.[1]]?)`,
		`sort`, `unique`, `map(.) | sort_by(.)`, `sort_by(type, .)`, `group_by(type)`, `unique_by(length?)`, `[.[], .[]] | [sort, unique, group_by(.)]`, `.[0] | sort`, `.[0] | sort_by(.)`, `.[0] | group_by(.)`,
		`[.[0] + .[1]]`, `[.[1] + .[0] + 2]`, `[(.[0], 1) + (.[1], 3)]`, `def f: .[0] + .[1]; f`, `[.[0] += .[1]]`, `[.[0] += (.[1], 2)]`,
		`reduce .[] as $x (null; . + $x)`, `[.[0] + .[1]] | [path(.[0] + 1)?]`, `[.[] + null]`, `[null + .[]]`,
		`[.[0] / .[1]]`, `.[0] / 3, 7 / .[1]?`, `.[0] / "b"`, `[(.[0], 6) / (.[1], 3)]`, `[.[0] /= .[1]]`, `[.[0] /= ("b", 2)]`, `[.[] | split("b")?, (. / "")?]`,
		`[.[] | to_entries? | from_entries, with_entries(.value |= 1)?]`, `[.[] | from_entries?]`, `[.[] | strptime("%Y")?, fromdate?, fromdateiso8601?]`,
		`.[0] == .[1], .[0] != .[1]`, `.[0] < .[1], .[0] <= .[1]`, `.[0] > .[1], .[0] >= .[1]`, `[.[] == .[], .[0] < (.[1], 2)]`,
		`[.[]] | "<\(.[0])>\(.[1])", @json "\(.[0]):\(.[1])", @html "<\(.[0], .[1])>"`, `[.[]] | "\("\(.[0])")"`, `[.[]][0] | @text, @json, @uri, @sh?`,
		`[.[]] | @csv?, @tsv?, tojson, tostring`, `.[0] | [tojson, tostring, explode?, split("b")?, ascii_downcase?, reverse?, flatten?, keys?, add?]`,
		`[.[]] | flatten, flatten(1), add, min, max, reverse, add(.[])`, `. as [$a, $b] | [$a | join($b)?]`, `[.[]] | join(",")?`, `[.[0] | split("")?, explode?]`,
		`[.[]] | min_by(type), max_by(type, length?)`, `. as [$a, $b] | $a | IN($b), IN($b, 3)`, `. as [$a, $b] | IN($a[]?; $b, 3)`,
		`. as [$a, $b] | [$a | setpath([$b]; 1)?, getpath([$b])?, pick(.[$b])?]`, `[.[] | setpath([0, "x"]; 1)?]`, `[path(getpath([0, 0], [1])?)]`,
		`[nth(1), nth(0, 1)], nth(1; .[])`, `nth(1) = 5`, `[fromstream(tostream)]`, `fromstream([[0], .[0]], [[0]])`, `[.[] | error? // 1]`, `[.[] | try error catch .]`,
		`[.[]] | try error(.) catch .`, `[.[]] | bsearch(1)`, `del(.[0])`, `[jn(1; 2), yn(1; 2)]`, `nan as $n | $n < .[0], .[0] < $n, $n == $n, $n < $n, [$n] == [.[0]], ($n + 1, $n * .[1]? | isnan?)`,
		`.[0] | tonumber`, `.[0] | fromjson`, `.[0] | transpose`, `map(tonumber? // fromjson?)`, `[.[0], .[1]] | transpose`,
	} {
		q, jq := compile(t, source), original(t, source)
		for _, a := range values {
			for _, b := range values {
				checkAgainstJQ(t, q, jq, []any{a, b})
			}
		}
	}
}

func TestPanicsAreErrors(t *testing.T) {
	for _, input := range []any{int64(1), uint64(1), struct{}{}} {
		for _, source := range []string{`. + 1`, `tojson`, `type`, `.a + 1`} {
			if err := within(t, time.Second, source, input); err == nil {
				t.Errorf("%T | %s gives no error", input, source)
			}
		}
	}
	if err := within(t, time.Second, `$__meter | tojson`, nil); err == nil {
		t.Error("the meter can be encoded")
	}
}

// The constants of an expression, the variables and the documents may be used
// by many evaluations at the same time, though jq's del writes to them.
func TestEvaluationsShareNothing(t *testing.T) {
	document := map[string]any{"a": map[string]any{"x": 1}, "b": []any{1, 2, 3}, "c": 3}
	env := &query.Env{Root: document, Vars: map[string]any{"v": map[string]any{"a": 1}, "w": 2}, Docs: map[string]any{"d": document}}
	var all sync.WaitGroup
	for _, source := range []string{
		`{"a": {"x": 1}, "b": 2} | del(.zz)`, `. as $d | $root | del(.zz)`, `$vars | del(.zz)`, `.a |= empty`, `map_values(empty)`,
		`walk(.)`, `delpaths([["zz"]])`, `.b[0] |= empty`, `$docs | del(.zz)`, `.c += 1`, `$root.a.x`, `[.b[] | . + 1]`, `to_entries`,
	} {
		q := compile(t, source)
		for range 4 {
			all.Go(func() {
				for range 200 {
					if _, count, err := q.One(context.Background(), env, document); count != 1 || err != nil {
						t.Errorf("%s: %d results, %v", source, count, err)
						return
					}
				}
			})
		}
	}
	all.Wait()
}

func TestHalt(t *testing.T) {
	got, err := all(t, `1, halt, 2`, nil)
	if len(got) != 1 || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := all(t, `"bad" | halt_error`, nil); err == nil {
		t.Error("halt_error is no error")
	}
}
