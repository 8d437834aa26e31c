package document_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"status_exporter/collector/document"
)

const pattern = `{regexp: {pattern: 'a(?P<n>.)', repeat: true}}`

// What a document can do to a decoder, and what then happens.
func TestHostile(t *testing.T) {
	const (
		deep = 100_000
		long = 10_000_000
		many = 1_000_000
		few  = 20_000
	)
	narrow := document.Limits{Depth: 1000, Values: few}
	wide := document.Limits{Depth: 1000, Values: 3 * many}
	size := func(want int) func(*testing.T, any) {
		return func(t *testing.T, v any) {
			t.Helper()
			got := -1
			switch v := v.(type) {
			case string:
				got = len(v)
			case []any:
				got = len(v)
			case map[string]any:
				got = len(v)
			}
			if got != want {
				t.Errorf("got %T of size %d, want %d", v, got, want)
			}
		}
	}
	under := func(key string, check func(*testing.T, any)) func(*testing.T, any) {
		return func(t *testing.T, v any) {
			t.Helper()
			if rows, ok := v.([]any); ok {
				v = rows[0]
			}
			check(t, v.(map[string]any)[key])
		}
	}
	numbered := func(n int, begin, item, between, end string) string {
		var b strings.Builder
		b.WriteString(begin)
		for i := range n {
			if i > 0 {
				b.WriteString(between)
			}
			fmt.Fprintf(&b, item, i)
		}
		b.WriteString(end)
		return b.String()
	}
	for _, c := range []struct {
		name, format, body string
		limits             document.Limits
		check              func(*testing.T, any) // nil where a limit refuses it
	}{
		{"deep arrays", "json", strings.Repeat("[", deep) + strings.Repeat("]", deep), wide, nil},
		{"deep objects", "json", strings.Repeat(`{"a":`, deep), wide, nil},
		{"deep lists", "yaml", strings.Repeat("[", deep), wide, nil},
		{"deep items", "yaml", strings.Repeat("- ", deep), wide, nil},
		{"deep mappings", "yaml", strings.Repeat("{a: ", deep), wide, nil},
		{"deep elements", "xml", strings.Repeat("<a>", deep) + strings.Repeat("</a>", deep), wide, nil},
		{"deep brackets", "csv", strings.Repeat("[", deep) + "\n1", wide, under(strings.Repeat("[", deep), size(1))},
		{"deep brackets", "keyvalue", "a:" + strings.Repeat("[", deep), wide, under("a", size(deep))},
		{"deep brackets", pattern, strings.Repeat("[", deep), wide, size(0)},

		{"long string", "json", `"` + strings.Repeat("x", long) + `"`, wide, size(long)},
		{"long string of escapes", "json", `"` + strings.Repeat(`\n`, long/2) + `"`, wide, size(long / 2)},
		{"long string", "yaml", `a: "` + strings.Repeat("x", long) + `"`, wide, under("a", size(long))},
		{"long text", "xml", "<a>" + strings.Repeat("x", long) + "</a>", wide, under("a", size(long))},
		{"long cell", "csv", "a\n" + strings.Repeat("x", long), wide, under("a", size(long))},
		{"long value", "keyvalue", "a:" + strings.Repeat("x", long), wide, under("a", size(long))},
		{"long text", pattern, strings.Repeat("x", long), wide, nil},

		{"many keys", "json", numbered(many, "{", `"key%d":0`, ",", "}"), wide, size(many)},
		{"many keys", "yaml", numbered(many/10, "", "key%d: 0", "\n", ""), wide, size(many / 10)},
		{"many elements", "xml", numbered(many/10, "<a>", "<key%d/>", "", "</a>"), wide, under("a", size(many/10))},
		{"many attributes", "xml", numbered(many/10, "<a", ` key%d=""`, "", "/>"), wide, under("a", size(many/10))},
		{"many columns", "csv", numbered(many, "", "key%d", ",", "\n") + numbered(many, "", "%d", ",", ""), wide, func(t *testing.T, v any) { size(many)(t, v.([]any)[0]) }},
		{"many keys", "keyvalue", numbered(many, "", "key%d: 0", "\n", ""), wide, size(many)},
		{"many matches", pattern, strings.Repeat("ab", many/10), wide, size(many / 10)},

		{"too many values", "json", "[" + strings.Repeat("{},", few) + "{}]", narrow, nil},
		{"too many values", "yaml", strings.Repeat("- 0\n", few), narrow, nil},
		{"too many lists", "yaml", strings.Repeat("- - - - -\n", few/4), narrow, nil},
		{"too many values", "xml", "<r>" + strings.Repeat("<a/>", few) + "</r>", narrow, nil},
		{"too many attributes", "xml", "<r" + strings.Repeat(" a=''", few+1) + "/>", narrow, nil},
		{"too many cells", "csv", strings.Repeat(",", few+1), narrow, nil},
		{"too many rows", "csv", strings.Repeat("1\n", few), narrow, nil},
		{"too many lines", "keyvalue", strings.Repeat("a:1\n", few), narrow, nil},
		{"too many matches", pattern, strings.Repeat("ab", few), narrow, nil},
		{"alias bomb", "yaml", bomb(9), document.DefaultLimits, nil},
		{"merge bomb", "yaml", mergeBomb(9), document.DefaultLimits, nil},
	} {
		f := format(t, c.format)
		t.Run(c.name+" "+f.Name, func(t *testing.T) {
			v, err := f.Decode(t.Context(), []byte(c.body), "", c.limits)
			if c.check == nil {
				if !isLimit(err) {
					t.Fatalf("got the error %v, want a failure with the reason limit", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			c.check(t, v)
		})
	}
}

// bomb is a YAML document of n lines that stands for 9^n values.
func bomb(n int) string {
	s := "a0: &a0 x\n"
	for i := range n {
		s += fmt.Sprintf("a%d: &a%d [%s*a%d]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d, ", i), 8), i)
	}
	return s
}

func mergeBomb(n int) string {
	s := "a0: &a0 {x: 1}\n"
	for i := range n {
		s += fmt.Sprintf("a%d: &a%d {<<: [%s*a%d]}\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d, ", i), 8), i)
	}
	return s
}

// What is refused costs no more memory than the limits allow.
func TestMemory(t *testing.T) {
	for _, c := range []struct {
		format, begin, item, end string
		most                     uint64 // bytes allocated, garbage included
	}{
		{"json", "[", "{},", "{}]", 150 << 20},
		{"json", "[", `{"a":0},`, "{}]", 350 << 20},
		{"json", "[", "[0],", "{}]", 200 << 20},
		{"yaml", "[", "{},", "{}]", 10 << 20},
		{"yaml", "", "- - - - -\n", "", 10 << 20},
		{"xml", "<r>", "<a><b/></a>", "</r>", 900 << 20},
		{"csv", "", "a\n", "", 400 << 20},
		{"keyvalue", "", "a:\nb:\n", "", 200 << 20},
		{pattern, "", "ab", "", 1 << 20},
	} {
		f := format(t, c.format)
		t.Run(f.Name+" "+c.item, func(t *testing.T) {
			const bodySize = 64 << 20
			body := []byte(c.begin + strings.Repeat(c.item, bodySize/len(c.item)) + c.end)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := f.Decode(t.Context(), body, "", document.DefaultLimits)
			runtime.ReadMemStats(&after)
			if !isLimit(err) {
				t.Errorf("got the error %v, want a failure with the reason limit", err)
			}
			used := after.TotalAlloc - before.TotalAlloc
			t.Logf("allocated %d MiB", used>>20)
			if used > c.most {
				t.Errorf("allocated %d MiB, want at most %d MiB", used>>20, c.most>>20)
			}
		})
	}
}

// looks is a context that ends when it has been looked at a number of times.
type looks struct {
	context.Context
	left int
}

func (l *looks) Err() error {
	if l.left--; l.left < 0 {
		return context.Canceled
	}
	return nil
}

// Every decoder looks at its context on the way and ends with it.
func TestCancellation(t *testing.T) {
	for config, body := range map[string]string{
		"json":     "[" + strings.Repeat("0,", 100_000) + "0]",
		"yaml":     strings.Repeat("- 0\n", 100_000),
		"xml":      "<r>" + strings.Repeat("<a/>", 100_000) + "</r>",
		"csv":      strings.Repeat("1,2\n", 100_000),
		"keyvalue": strings.Repeat("a:1\n", 100_000),
		pattern:    strings.Repeat("ab", 100_000),
	} {
		f := format(t, config)
		for _, left := range []int{0, 1, 10, 50} {
			ctx := &looks{t.Context(), left}
			v, err := f.Decode(ctx, []byte(body), "", document.DefaultLimits)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s, ended at look %d: got %T, %v", f.Name, left, v, err)
			}
			if ctx.left < -10 {
				t.Errorf("%s, ended at look %d: went on for %d more looks", f.Name, left, -ctx.left)
			}
		}
	}
}

// TestLongNumbers: a number that arithmetic would take minutes for is refused.
// YAML takes one beyond the range of float64 for a text already.
func TestLongNumbers(t *testing.T) {
	for digits, refused := range map[int]bool{1000: false, 1001: true, 1_000_000: true} {
		_, err := document.JSON.Decode(t.Context(), []byte(`{"a": `+strings.Repeat("7", digits)+`}`), "", document.DefaultLimits)
		if isLimit(err) != refused {
			t.Errorf("a number of %d digits: %v, want refused: %v", digits, err, refused)
		}
	}
}
