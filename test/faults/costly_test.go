//go:build linux

package faults_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"status_exporter/collector/query"
	"status_exporter/test/faults/program"
)

// costlyDeadlines meet different steps of an expression that makes larger and larger ones.
var costlyDeadlines = []time.Duration{200 * time.Millisecond, 500 * time.Millisecond}

// costlyMemory is what the whole process may take, in bytes: twice what the heap may
// grow by, as an array that grows is copied.
const costlyMemory = 1 << 30

// costlyProcessor is what it may take of the processor, with the setting up, until it
// has been stopped: filling what memory there is takes a few seconds.
const costlyProcessor = 15 * time.Second

// costly are expressions that would take very long or very much memory if
// nothing stopped them, and the same with what they could do it with.
var costly = []string{
	// Doubling.
	`reduce range(60) as $i ("x"; .+.)`,
	`reduce range(60) as $i ("x"; "\(.)\(.)")`,
	`reduce range(60) as $i ("x"; @text "\(.)\(.)")`,
	`reduce range(60) as $i ("x"; @json "\(.)\(.)")`,
	`reduce range(60) as $i ("x"; [., .] | add)`,
	`reduce range(60) as $i ("x"; add(., .))`,
	`reduce range(60) as $i ("x"; [., .] | join(""))`,
	`reduce range(60) as $i ("x"; [1, 1, 1] | join($i | tostring)) | length`,
	`reduce range(60) as $i ("x"; . * 2)`,
	`reduce range(60) as $i ("\""; tojson)`,
	`reduce range(60) as $i ("<"; @html)`,
	`reduce range(60) as $i ("<"; @uri)`,
	`reduce range(60) as $i ("<"; @base64)`,
	`reduce range(60) as $i ("'"; @sh)`,
	`reduce range(60) as $i ([1]; .+.)`,
	`reduce range(60) as $i ([1]; . += .)`,
	`reduce range(60) as $i ([1]; [.[], .[]])`,
	`reduce range(60) as $i ([1]; [., .] | flatten)`,
	`reduce range(60) as $i ([1]; [., .] | flatten(1))`,
	`reduce range(60) as $i ([1]; .[length:] = .)`,
	`reduce range(60) as $i ([1]; .[0:0] = .)`,
	`reduce range(60) as $i ([1]; . as $w | .[0:0] |= $w)`,
	`reduce range(60) as $i ([1]; . as $w | .[0:0] |= . + $w)`,
	`reduce range(60) as $i ([1]; . as $w | .[0:0] += $w)`,
	`reduce range(60) as $i ([1]; . as $w | getpath([{start: 0, end: 0}]) |= $w)`,
	`reduce range(60) as $i ([1]; . as $w | setpath([{start: 0, end: 0}]; $w))`,
	`reduce range(60) as $i ({a: [1]}; .a as $w | .a[0:0][0:0] = $w)`,
	`[range(4e6)] as $w | reduce range(60) as $i ([]; .[length:] = $w)`,
	`reduce range(60) as $i ({a: 1}; . + with_entries(.key += "x"))`,
	`reduce range(60) as $i ("x"; gsub("x"; "xx"))`,
	`reduce range(60) as $i ("x"; explode | . + . | implode)`,
	`[.text | explode[] | ., .] | implode | explode | . + . | implode`,
	`.text | until(false; .+.)`,
	`"x" | until(false; .+.)`,
	`def f: .+. | f; "x" | f`,
	`def f: "\(.)\(.)" | f; "x" | f`,
	`last("x" | recurse(.+.))`,
	`last("x" | repeat(.+.))`,
	`"x" * 1e9`,
	`"x" * 33000000 | . + . | . + . | . + . | . + . | . + .`,
	`"x" * 33000000 | "\(.)\(.)\(.)\(.)\(.)\(.)\(.)\(.)\(.)\(.)\(.)\(.)"`,
	`("x" * 33000000) as $x | [range(100) | $x] | add`,
	`("x" * 33000000) as $x | [range(100) | $x] | join("")`,
	`("x" * 33000000) as $x | [range(100) | "y"] | join($x)`,
	`("x" * 33000000) as $x | [range(100) | $x] | tojson`,
	`("x" * 33000000) as $x | "yyyyyyyyyyyyyyyyyyyy" | gsub("y"; $x)`,
	`[.items[] | $root] | tojson`,
	`[.items[] | $root] | @json`,
	`[.items[] | $root] | tostring`,
	`[.items[] | $root.text] | add`,
	`[.items[] | $root.items] | flatten`,
	`[.items[] | $root] | sort`,
	`[.items[] | $root] | unique`,
	`[.items[] | $root] == [.items[] | $root]`,
	// Values whose parts are one value many times.
	`reduce range(60) as $i (1; [., .]) | tojson`,
	`reduce range(60) as $i (1; [., .]) | tostring`,
	`reduce range(60) as $i (1; [., .]) | "\(.)"`,
	`reduce range(60) as $i (1; [., .]) | @json "\(.)"`,
	`reduce range(60) as $i (1; [., .]) | flatten`,
	`reduce range(60) as $i (1; [., .]) | [..] | length`,
	`reduce range(60) as $i (1; [., .]) | error`,
	`reduce range(60) as $i (1; [., .]) | error(.)`,
	`reduce range(60) as $i (1; [., .]) | halt_error`,
	`reduce range(60) as $i (1; [., .]) | .[0] == .[1]`,
	`reduce range(60) as $i (1; [., .]) | .[0] < .[1]`,
	`reduce range(60) as $i (1; [., .]) | sort`,
	`reduce range(60) as $i (1; [., .]) | unique`,
	`reduce range(60) as $i (1; [., .]) | min`,
	`reduce range(60) as $i (1; [., .]) | max_by(.)`,
	`reduce range(60) as $i (1; [., .]) | group_by(.)`,
	`reduce range(60) as $i (1; [., .]) | index(1)`,
	`reduce range(60) as $i (1; [., .]) | contains([1])`,
	`reduce range(60) as $i (1; [., .]) | . - .`,
	`reduce range(60) as $i (1; [., .]) | bsearch(.)`,
	`reduce range(60) as $i (1; [., .]) | IN(.)`,
	`reduce range(60) as $i (1; [., .]) | del(.[0])`,
	`reduce range(60) as $i (1; [., .]) | walk(.)`,
	`reduce range(60) as $i (1; [., .]) | tostream`,
	`reduce range(60) as $i (1; {a: ., b: .}) | . * .`,
	`reduce range(60) as $i (1; {a: ., b: .}) | .a == .b`,
	`reduce range(60) as $i (1; {a: ., b: .}) | [paths] | length`,
	// Many steps.
	`[limit(1e9; repeat(1))]`,
	`[limit(0; repeat(1))]`,
	`[range(1e12)]`,
	`[range(1e12)] | length`,
	`reduce range(1e12) as $i ([]; . + [$i])`,
	`reduce range(1e12) as $i ({}; . + {"\($i)": 1})`,
	`reduce range(1e12) as $i ({}; .["\($i)"] = 1)`,
	`reduce range(1e12) as $i ([]; .[$i] = $i)`,
	`def f: f; f`,
	`def f: [f]; f`,
	`def f: 1 + f; f`,
	`[.items[] as $x | .items[] as $y | .items[] as $z | 1]`,
	`[range(40) | [0, 1]] | [combinations]`,
	`[[0, 1] | combinations(40)]`,
	`[.items | combinations(3)?]`,
	`[repeat(1)] | try error catch .`,
	`try [repeat("x")] catch "caught" | [repeat("y")]`,
	// Large indexes.
	`.[1e9]`,
	`[] | .[1e9] = 1`,
	`[] | .[5e8] = 1`,
	`[] | .[500000000] = 1`,
	`5e8 as $n | [] | .[$n] = 1`,
	`[] | .[1000000] = 1 | length`,
	`null | setpath([1e9]; 1)`,
	`null | setpath([500000000]; 1)`,
	`null | setpath(["a", 500000000]; 1)`,
	`null | getpath([500000000]) |= 1`,
	`null | nth(500000000) |= 1`,
	`null | pick(.[500000000])`,
	`null | pick(getpath([500000000]))`,
	`null | pick(first(.[500000000]))`,
	`fromstream([[500000000], 1], [[500000000]])`,
	`[] | .[400000000:500000000] = [1]`,
	`[] | .[500000000]? //= 1`,
	`[] | to_entries | .[500000000].key = 1`,
	// Chains.
	`"xxxxxxxx"` + strings.Repeat(" | . + .", 28) + ` | length`,
	`"xxxxxxxx"` + strings.Repeat(` | "\(.)\(.)"`, 26) + ` | length`,
	`.quotes` + strings.Repeat(" | @sh", 5) + ` | length`,
	`.slashes` + strings.Repeat(" | tojson", 9) + ` | length`,
	`.text` + strings.Repeat(" | . += .", 9) + ` | length`,
	// Single steps over much.
	`.items | tojson | fromjson | length`,
	`.text | tojson | fromjson | length`,
	`[limit(300000; repeat({a: [1, "x"]}))] | tojson | fromjson | length`,
	`.text | explode | implode | length`,
	`.text * 60 | explode | length`,
	`.text * 60 | split("") | length`,
	`[.text * 60 | splits("")] | length`,
	`.text * 60 | ascii_downcase | length`,
	`.text * 60 | ltrimstr("x") | length`,
	`.text * 60 | [scan(".")] | length`,
	`.text * 60 | [match("x"; "g").offset] | length`,
	`.text * 60 | indices("x") | length`,
	`.text * 60 | gsub("";"x") | length`,
	`.text * 60 | gsub("x";"yyyyyyyyyy") | length`,
	`.text * 60 | test("((((x+)+)+)+)+y")`,
	`.text * 60 | test("(x{1,30}){1,30}y")`,
	`.text * 60 | @uri | @uri | @uri | length`,
	`.text * 60 | tojson | tojson | tojson | length`,
	`[range(8000000) | 1] | implode | tojson | length`,
	`"\u0001" * 4000000 | tojson | length`,
	`"\u0001" * 4000000 | [.] | "\(.)" | length`,
	`"\u0001" * 30000000 | tojson | length`,
	`reduce range(60) as $i ("\u0001"; {"\(.)\(.)": 1} | tojson)`,
	`reduce range(60) as $i ("x"; {"\(.)\(.)": 1} | to_entries[0].key)`,
	`now | strftime("%Y" * 10000000) | length`,
	`("%c" * 15000000) as $f | 0 | strftime($f) | length`,
	`("%c" * 15000000) as $f | 0 | strflocaltime($f) | length`,
	`("%Y" * 15000000) as $f | "2" * 4000000 | strptime($f)`,
	`now | strftime("%999999999Y") | length`,
	`.items | group_by(.) | length`,
	`.items | map([.]) | transpose | length`,
	`.items | [.[] | tostring] | sort | join(",") | length`,
	`.items | . - .`,
	`.items | . as $x | index($x)`,
	`.items | [.[:length / 2]] | inside([$root.items])`,
	`[.items[] | {key: tostring, value: .}] | from_entries | to_entries | length`,
	`[range(1000000)] | map({a: ., b: "x"}) | sort_by(.b) | unique_by(.a) | min_by(.a)`,
	`[range(1000000)] | reverse | sort | unique | add`,
	`[range(1000000) | tostring] | add | length`,
	`jn(1000000000; 1e12)`, `yn(1000000000; 1e12)`,
	`[limit(100000; repeat("9"))] | add | tonumber`,
	`reduce range(60) as $i (10; . * .)`,
	`reduce range(60) as $i (10; . * .) | tojson`,
}

// deep are values of many levels, and paths of many keys, which take a while to make.
// What walks through them may fill the stack, after which the process ends.
var deep = []string{
	`null | setpath([range(3000000) | "a"]; 1)`,
	`null | setpath([range(3000000) | 0]; 1) | length`,
	`null | getpath([range(3000000) | "a"]) |= 1`,
	`[null | getpath([range(3000000) | "a"])]`,
	`null | delpaths([[range(3000000) | "a"]])`,
	`fromstream([[range(3000000) | "a"], 1])`,
	`null | (first(skip(2000000; recurse(.a)))) |= 1`,
	`null | (first(skip(2000000; recurse(.a)))) = 1`,
	`null | def f: ., (.a | f); f |= 1`,
	`(reduce range(3000000) as $i (0; [.])) as $x | [$x, 1] | map_values(if . == 1 then empty else . end)`,
	`(reduce range(3000000) as $i (0; [.])) | [., .] | .[0] == .[1]`,
	`(reduce range(3000000) as $i (0; [.])) | contains([[1]])`,
	`(reduce range(3000000) as $i (0; [.])) as $x | [$x] | index([$x])`,
	`(reduce range(3000000) as $i (0; [.])) as $x | [$x] | .[[$x]]`,
	`(reduce range(3000000) as $i (0; [.])) | tojson`,
	`(reduce range(3000000) as $i (0; [.])) | flatten`,
	`(reduce range(3000000) as $i (0; [.])) | [.] | .[0] |= empty`,
	`(reduce range(3000000) as $i (0; [.])) | del(.[0])`,
	`(reduce range(3000000) as $i (0; [.])) | [.[0], .[0]] | unique`,
	`(reduce range(3000000) as $i (0; {a: .})) | . * .`,
	`(reduce range(3000000) as $i (0; [.])) | error`,
	`(reduce range(3000000) as $i (0; [.])) | [paths] | length`,
	`(reduce range(3000000) as $i (0; [.])) | walk(.)`,
	`reduce range(60) as $i (1; [., .]) | .[0] |= empty`,
	`def f: if . > 3000000 then 1 else [. + 1 | f] end; 0 | f | [., .] | .[0] == .[1]`,
}

// hungry are those that end for want of memory when they have the time.
var hungry = []string{
	`reduce range(60) as $i ("x"; .+.)`,
	`reduce range(60) as $i ([1]; .+.)`,
	`reduce range(60) as $i ([1]; [.[], .[]])`,
	`reduce range(60) as $i ("x"; [., .] | add)`,
	`reduce range(60) as $i ("x"; "\(.)\(.)")`,
	`reduce range(60) as $i ("'"; @sh)`,
	`reduce range(60) as $i ("\""; tojson)`,
	`last("x" | recurse(.+.))`,
	`def f: [f]; f`,
	`def f: 1 + f; f`,
	`[repeat(1)]`,
	`[range(1e12)]`,
	`[limit(1e9; repeat("x" * 1000))]`,
	`[repeat({a: 1})]`,
	`[.items[] | $root.text | ascii_downcase | . + "x"]`,
	`("x" * 33000000) as $x | [range(100) | "y"] | [.[] | . + $x]`,
	`("x" * 33000000) as $x | "yyyyyyyyyyyyyyyyyyyy" | gsub("y"; $x)`,
	`[.text * 60 | splits("")] | length`,
	`.text * 60 | indices("x") | length`,
	`.text * 60 | explode | length`,
	`reduce range(40) as $i ({}; . + {"\($i)": [range(1000000)]})`,
}

// TestCostlyExpressions evaluates each in a process of its own: it is over soon
// after the deadline, and so is one that has much time when it has taken what
// memory there is.
func TestCostlyExpressions(t *testing.T) {
	if source, child := os.LookupEnv("COSTLY_EXPRESSION"); child {
		evaluateCostly(source)
		os.Exit(0)
	}
	if testing.Short() || program.Race {
		t.Skip("takes long")
	}
	for _, deadline := range costlyDeadlines {
		for _, source := range costly {
			c := cost(t, source, deadline)
			for range 2 { // a busy machine may be late once
				if c.took > deadline+overrun {
					c = cost(t, source, deadline)
				}
			}
			if c.took > deadline+overrun {
				t.Errorf("%s ends %v after its deadline of %v", source, c.took-deadline, deadline)
			}
			c.wantBounded(t, source)
		}
	}
	for _, source := range deep {
		c := cost(t, source, 5*time.Second)
		if c.took > 5*time.Second+overrun {
			t.Errorf("%s ends %v after its deadline", source, c.took-5*time.Second)
		}
		c.wantBounded(t, source)
	}
	for _, source := range hungry {
		c := cost(t, source, time.Minute)
		if c.took >= time.Minute {
			t.Errorf("%s ends for want of time, expected for want of memory", source)
		}
		c.wantBounded(t, source)
	}
}

// A costs is what the evaluation of an expression took.
type costs struct {
	took      time.Duration // by the clock
	processor time.Duration // of all threads, also where the machine has other work
	peak      int           // the most resident bytes that the process ever had
}

func (c costs) wantBounded(t *testing.T, source string) {
	t.Helper()
	if c.peak > costlyMemory {
		t.Errorf("%s takes %d MiB, expected at most %d", source, c.peak>>20, costlyMemory>>20)
	}
	if c.processor > costlyProcessor {
		t.Errorf("%s takes %v of the processor, expected at most %v", source, c.processor, costlyProcessor)
	}
}

// cost evaluates an expression in a process of its own.
func cost(t *testing.T, source string, deadline time.Duration) costs {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline+20*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestCostlyExpressions$")
	command.Env = append(os.Environ(), "COSTLY_EXPRESSION="+source, "COSTLY_DEADLINE="+deadline.String())
	out, err := command.CombinedOutput()
	var milliseconds, peak, found int
	if _, scanErr := fmt.Sscanf(string(out), "%d ms %d bytes %d", &milliseconds, &peak, &found); err != nil || scanErr != nil {
		t.Errorf("%s: %v\n%.2000s", source, err, out)
		return costs{}
	}
	_, said, _ := strings.Cut(strings.TrimSpace(string(out)), "bytes ")
	processor := command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	t.Logf("%5d ms %5d ms of the processor %5d MiB  %-70s %s", milliseconds, processor.Milliseconds(), peak>>20, source, said)
	return costs{time.Duration(milliseconds) * time.Millisecond, processor, peak}
}

// evaluateCostly evaluates an expression and prints what cost reads.
func evaluateCostly(source string) {
	items := make([]any, 100_000)
	for i := range items {
		items[i] = json.Number(strconv.Itoa(i * 7919 % 1000003))
	}
	root := map[string]any{
		"text": strings.Repeat("x", 1<<20), "items": items,
		"quotes": strings.Repeat("'", 1<<20), "slashes": strings.Repeat(`\`, 1<<20),
	}
	q, err := query.Compile(source)
	if err != nil {
		fmt.Println(err)
		return
	}
	deadline, _ := time.ParseDuration(os.Getenv("COSTLY_DEADLINE"))
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	began := time.Now()
	results, failure := 0, error(nil)
	for _, err := range q.All(ctx, &query.Env{Root: root}, root) {
		if failure = err; err == nil {
			results++
		}
	}
	took := time.Since(began)
	fmt.Printf("%d ms %d bytes %d results, %.80v\n", took.Milliseconds(), peakMemory(), results, failure)
}

// peakMemory returns the most resident memory that this process ever had.
func peakMemory() int {
	status, _ := os.ReadFile("/proc/self/status")
	_, after, _ := bytes.Cut(status, []byte("VmHWM:"))
	var kilobytes int
	fmt.Sscan(string(after), &kilobytes)
	return kilobytes << 10
}
