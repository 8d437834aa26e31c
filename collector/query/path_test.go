package query_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/query"
	"status_exporter/collector/tree"
)

func decode(t testing.TB, text string) any {
	t.Helper()
	var v any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWhichExpressionsArePlain(t *testing.T) {
	for source, want := range map[string]bool{
		`.`: true, `.a`: true, `.a.b`: true, `."x y"`: true, `.["x y"]`: true, `.a["x y"].b`: true, `.a."b"`: true,
		`.[0]`: true, `.a[-1]`: true, `.[]`: true, `.a[]`: true, `.a[].b[]`: true, `.a[]?`: true, `.a?.b?`: true, `.[]?`: true,
		`.a | .b`: true, `(.a | .b).c`: true, `. | .`: true, `$root`: true, `$root.a`: true, `$docs.x.y`: true, `$target`: true,
		`$vars.limit`: true, `.a | $root.b[]`: true, `$headers["content-type"]`: true,
		`.a | to_entries[]`: true, `to_entries`: true, `.a | many`: true, `.a | many | .b`: true, `.a | percent`: true,
		`.a | length`: true, `.a | duration?`: true, `.a # a comment`: true,
		`.a // 0`: true, `.a.b // "x"`: true, `.a | .b // empty`: true, `(.a // null) | .b`: true, `$vars.x // false`: true, `.a | percent // true`: true,

		`..`: false, `.a, .b`: false, `.[1:2]`: false, `.[.a]`: false, `."\(1)"`: false, `.a // .b`: false, `.a // 0.5`: false, `.a? // 0`: false, `.a[] // 0`: false, `many // 0`: false, `.a // 0 // 1`: false, `(.a // 0) // 1`: false,
		`.a // "\(1)"`: false, `.a // (0)`: false, `.a // [0]`: false, `.a // 0[0]?`: false, `def empty: 1; .a // empty`: false, `.a // true?`: false, `.a + 1`: false, `-.a`: false,
		`1`: false, `"a"`: false, `[.a]`: false, `{a}`: false, `.a??`: false, `(.a.b)?`: false, `.?`: false, `.a as $x | .b`: false,
		`def f: .a; f`: false, `def many: 1; many`: false, `.[1.5]`: false, `.[1e3]`: false, `.["a","b"]`: false, `.[-.a]`: false, `bytes(1000)`: false,
		`.a | def f: .b; f`: false, `select(.a)`: false, `.[def f: 0; 0]`: false, `.[0[0]?]`: false, `.[-0[0]?]`: false, `try .a`: false, `keys[]`: false,
	} {
		q := compile(t, source)
		if q.Plain() != want {
			t.Errorf("%s: plain is %v", source, q.Plain())
		}
	}
}

var pathEnv = &query.Env{
	Root:    map[string]any{"a": "root", "b": []any{json.Number("1"), json.Number("2")}},
	Docs:    map[string]any{"x": map[string]any{"y": json.Number("3")}},
	Target:  "http://shop/",
	Status:  200,
	Headers: map[string]any{"content-type": "text/plain"},
}

func TestPaths(t *testing.T) {
	for _, test := range []struct {
		source, input string
		want          []any
		err           string
	}{
		{`.`, `1`, []any{json.Number("1")}, ""},
		{`.a.b`, `{"a": {"b": "x"}}`, []any{"x"}, ""},
		{`.a.b`, `{}`, []any{nil}, ""},
		{`.a.b`, `null`, []any{nil}, ""},
		{`.a.b`, `{"a": 1}`, nil, "expected an object but got: number (1)"},
		{`.a?.b`, `{"a": 1}`, nil, "expected an object but got: number (1)"},
		{`.a.b?`, `{"a": 1}`, nil, ""},
		{`.[-1], .[5]`, `[1, "x"]`, []any{"x", nil}, ""},
		{`.[-1]`, `[1, "x"]`, []any{"x"}, ""},
		{`.[-3]`, `[1, "x"]`, []any{nil}, ""},
		{`.[1]`, `"aé"`, []any{"é"}, ""},
		{`.[1]?`, `"aé"`, []any{"é"}, ""},
		{`.[0]`, `{}`, nil, "expected an array but got: object ({})"},
		{`.[]`, `[1, null]`, []any{json.Number("1"), nil}, ""},
		{`.[]`, `{"b": 1, "a": 2, "é": 3, "B": 4}`, []any{json.Number("4"), json.Number("2"), json.Number("1"), json.Number("3")}, ""},
		{`.[]`, `null`, nil, "cannot iterate over: null"},
		{`.[]?`, `null`, nil, ""},
		{`.[]?`, `"x"`, nil, ""},
		{`.[].a`, `[{"a": "x"}, {"a": "y"}, 3, {"a": "z"}]`, []any{"x", "y"}, "expected an object but got: number (3)"},
		{`.[].a?`, `[{"a": "x"}, 3, {"a": "z"}]`, []any{"x", "z"}, ""},
		{`.[] | to_entries[] | .key`, `[{"b": 1, "a": 2}, {}]`, []any{"a", "b"}, ""},
		{`to_entries[].value`, `["x", "y"]`, []any{"x", "y"}, ""},
		{`to_entries`, `3`, nil, "keys cannot be applied to: number (3)"},
		{`.a // 7`, `{"a": false}`, []any{7}, ""},
		{`.a // 7`, `{"a": 0}`, []any{json.Number("0")}, ""},
		{`.[] | .a // empty`, `[{"a": 1}, {}, {"a": null}, {"a": 2}]`, []any{json.Number("1"), json.Number("2")}, ""},
		{`.a.b // "x"`, `{"a": 1}`, nil, "expected an object but got: number (1)"},
		{`length`, `"äö"`, []any{2}, ""},
		{`.[] | length`, `[[1], {}, null]`, []any{1, 0, 0}, ""},
		{`$root.b[]`, `0`, []any{json.Number("1"), json.Number("2")}, ""},
		{`.[] | $docs.x.y`, `[1, 2]`, []any{json.Number("3"), json.Number("3")}, ""},
		{`$target`, `0`, []any{"http://shop/"}, ""},
		{`$status`, `0`, []any{200}, ""},
		{`$headers["content-type"]`, `0`, []any{"text/plain"}, ""},
		{`$vars.x`, `0`, []any{nil}, ""},
		{`.[] | many | .x`, `[null, [{"x": 1}, {"x": 2}], {"x": 3}]`, []any{json.Number("1"), json.Number("2"), json.Number("3")}, ""},
		{`.[] | percent`, `["5%", "x"]`, []any{0.05}, `percent cannot read "x", expected a percentage such as "5.0%", "5 %" or a bare 5`},
		{`.[] | percent?`, `["5%", "x", "6%"]`, []any{0.05, 0.06}, ""},
	} {
		q := compile(t, test.source)
		got, failure := compare(t, q, pathEnv, decode(t, test.input))
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s | %s (-want +got):\n%s", test.input, test.source, diff)
		}
		if text := fmt.Sprint(failure); test.err == "" && failure != nil || test.err != "" && text != test.err {
			t.Errorf("%s | %s: error %q, want %q", test.input, test.source, text, test.err)
		}
	}
}

// compare checks that All, One and the machine agree, and returns what they found.
func compare(t *testing.T, q *query.Query, env *query.Env, input any) (results []any, failure error) {
	t.Helper()
	var byMachine []any
	var machineFailure error
	q.ByMachine(context.Background(), env, input, func(v any, err error) bool {
		if err != nil {
			machineFailure = err
			return false
		}
		byMachine = append(byMachine, v)
		return true
	})
	for v, err := range q.All(context.Background(), env, input) {
		if err != nil {
			failure = err
			break
		}
		results = append(results, tree.Go(v))
	}
	if !reflect.DeepEqual(results, byMachine) || fmt.Sprint(failure) != fmt.Sprint(machineFailure) {
		t.Fatalf("%s of %v\nAll:     %v %v\nmachine: %v %v", q, input, results, failure, byMachine, machineFailure)
	}
	one, count, err := q.One(context.Background(), env, input)
	one = tree.Go(one)
	wantCount := min(len(results), 2)
	if count != wantCount || count > 0 && !reflect.DeepEqual(one, results[0]) || count < 2 && fmt.Sprint(err) != fmt.Sprint(failure) || count == 2 && err != nil {
		t.Fatalf("%s of %v\nAll: %v %v\nOne: %v, %d results, %v", q, input, results, failure, one, count, err)
	}
	return results, failure
}

func TestPathsDoNotAllocate(t *testing.T) {
	input := decode(t, `{"a": {"b": [{"c": 1}]}, "one": {"k": 1}}`)
	for _, source := range []string{`.a.b[0].c`, `.a | .b | .[-1]`, `$root.a`, `.a.b[].c`, `.x.y?.z`} {
		q := compile(t, source)
		ctx := context.Background()
		if n := testing.AllocsPerRun(100, func() {
			if _, _, err := q.One(ctx, pathEnv, input); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s allocates %v times", source, n)
		}
	}
}

func TestPathEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	q := compile(t, ".[] | .[]?")
	input := make([]any, 10000)
	if _, _, err := q.One(ctx, &query.Env{}, input); !errors.Is(err, context.Canceled) {
		t.Errorf("One: %v", err)
	}
	var err error
	for _, err = range q.All(ctx, &query.Env{}, input) {
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("All: %v", err)
	}
}

func TestAllStopsWhenNobodyWantsMore(t *testing.T) {
	for _, source := range []string{".[]", ".[] | . + 1"} {
		q := compile(t, source)
		seen := 0
		for range q.All(context.Background(), &query.Env{}, []any{1, 2, 3}) {
			if seen++; seen == 2 {
				break
			}
		}
		if seen != 2 {
			t.Errorf("%s: %d results", source, seen)
		}
	}
}

// A source of choices that the fuzzer makes.
type choices []byte

func (c *choices) pick(n int) int {
	if len(*c) == 0 {
		return 0
	}
	chosen := int((*c)[0]) % n
	*c = (*c)[1:]
	return chosen
}

func (c *choices) key() string {
	return []string{"a", "b", "c", "x y", "", "key", "value"}[c.pick(7)]
}

func (c *choices) name() string { return []string{"a", "b", "c"}[c.pick(3)] }

func (c *choices) value(depth int) any {
	switch n := c.pick(10); {
	case n == 0:
		return nil
	case n == 1:
		return c.pick(2) == 0
	case n == 2:
		return json.Number(fmt.Sprint(c.pick(200) - 100))
	case n == 3:
		return []string{"", "x", "5%", "1h", "4 MiB", "2026-11-20", "äö"}[c.pick(7)]
	case depth == 0:
		return json.Number("1")
	case n < 7:
		object := make(map[string]any)
		for range c.pick(4) {
			object[c.key()] = c.value(depth - 1)
		}
		return object
	default:
		array := make([]any, c.pick(4))
		for i := range array {
			array[i] = c.value(depth - 1)
		}
		return array
	}
}

func (c *choices) expression(depth int) string {
	var s strings.Builder
	for i := range 1 + c.pick(4) {
		if i > 0 {
			s.WriteString(" | ")
		}
		switch n := c.pick(17); {
		case n == 0 && depth > 0:
			s.WriteString("(" + c.expression(depth-1) + ")")
		case n == 1:
			s.WriteString([]string{"$root", "$docs", "$target", "$status", "$headers", "$vars"}[c.pick(6)])
		case n == 2:
			s.WriteString([]string{"many", "to_entries", "length", "duration", "bytes", "percent", "quantity", "timestamp"}[c.pick(8)])
		case n == 3:
			s.WriteString(".")
		case n == 4:
			fmt.Fprintf(&s, ".[%q]", c.key())
		case n == 5:
			fmt.Fprintf(&s, ".[%d]", c.pick(7)-3)
		case n == 6:
			s.WriteString(".[]")
		case n == 16:
			s.WriteString("." + c.name() + []string{" // 0", " // empty", " // null", ` // "x"`, " // false"}[c.pick(5)])
			continue
		default:
			s.WriteString([]string{".a", ".b", ".c", `."x y"`}[c.pick(4)])
		}
		for range c.pick(4) {
			switch c.pick(6) {
			case 0:
				s.WriteString("?")
			case 1:
				s.WriteString("[]")
			case 2:
				fmt.Fprintf(&s, "[%d]", c.pick(7)-3)
			case 3:
				fmt.Fprintf(&s, "[%q]", c.key())
			default:
				s.WriteString("." + c.name())
			}
		}
	}
	return s.String()
}

func FuzzPath(f *testing.F) {
	f.Add([]byte("\x04\x03\x00\x04\x02\x00\x07\x02"), []byte("\x01\x08\x00\x02\x01\x00"))
	f.Add([]byte("\x08\x03\x05\x02\x00\x03\x01\x02\x03"), []byte("\x02\x06\x02\x00\x01\x08\x01\x00"))
	f.Add([]byte("abcdefghijklmnopqrstuvwxyz"), []byte("zyxwvutsrqponmlkjihgfedcba"))
	f.Fuzz(func(t *testing.T, document, expression []byte) {
		d, e := choices(document), choices(expression)
		source := e.expression(2)
		q, err := query.Compile(source)
		if err != nil {
			t.Skip(err)
		}
		env := &query.Env{Root: d.value(3), Target: "t", Status: 503, Headers: map[string]any{"a": "x"}, Docs: map[string]any{"a": d.value(2)}}
		input := d.value(4)
		want, wantErr := compare(t, q, env, input)

		// The same with nodes in the place of Go values.
		env.Root, env.Docs, env.Headers = nodes(t, env.Root), map[string]any{"a": nodes(t, env.Docs["a"])}, map[string]any{"a": "x"}
		got, err := compare(t, q, env, nodes(t, input))
		if !reflect.DeepEqual(got, want) || fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Fatalf("%s of %v\nGo values: %v %v\nnodes:     %v %v", q, input, want, wantErr, got, err)
		}
	})
}

// nodes returns a Go value as package tree has it. The keys of objects are in
// descending order, which is not jq's.
func nodes(t testing.TB, v any) any {
	t.Helper()
	var b tree.Builder
	addNodes(t, &b, v)
	return b.Root()
}

func addNodes(t testing.TB, b *tree.Builder, v any) {
	t.Helper()
	begin := b.Mark()
	switch v := v.(type) {
	case nil:
		b.Null()
	case bool:
		b.Bool(v)
	case string:
		b.String(v)
	case json.Number:
		b.Number(v.String())
	case []any:
		for _, item := range v {
			addNodes(t, b, item)
		}
		b.CloseArray(begin)
	case map[string]any:
		for _, key := range slices.Backward(slices.Sorted(maps.Keys(v))) {
			b.Key(key)
			addNodes(t, b, v[key])
		}
		b.CloseObject(begin)
	default:
		t.Fatalf("found a %T", v)
	}
}
