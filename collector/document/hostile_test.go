package document_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"status_exporter/collector/document"
	"status_exporter/collector/tree"
)

const pattern = `{regexp: {pattern: 'a(?P<n>.)', repeat: true}}`

// What a document can do to a decoder, and what then happens.
func TestHostile(t *testing.T) {
	const (
		deep = 100_000
		long = 10_000_000
		many = 1_000_000
		few  = 20_000
		odd  = "- \"echo 'x'\"\n- t: Café's\n- \"it's\n  [\"\n- '[b'\n- http://[::1/x\n- |\n  it's [\n"
	)
	narrow := document.Limits{Depth: 1000, Values: few}
	wide := document.Limits{Depth: 1000, Values: 6 * many}
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
		{"many items behind odd quotes", "yaml", odd + strings.Repeat("- item\n", many/5), wide, size(many/5 + strings.Count(odd, "- "))},
		{"many elements", "xml", numbered(many/10, "<a>", "<key%d/>", "", "</a>"), wide, under("a", size(many/10))},
		{"many attributes", "xml", numbered(many/10, "<a", ` key%d=""`, "", "/>"), wide, under("a", size(many/10))},
		{"many columns", "csv", numbered(many, "", "key%d", ",", "\n") + numbered(many, "", "%d", ",", ""), wide, func(t *testing.T, v any) { size(many)(t, v.([]any)[0]) }},
		{"many keys", "keyvalue", numbered(many, "", "key%d: 0", "\n", ""), wide, size(many)},
		{"many matches", pattern, strings.Repeat("ab", many/10), wide, size(many / 10)},

		{"too many members", "json", numbered(250_001, "{", `"key%d":0`, ",", "}"), document.DefaultLimits, nil},
		{"too many members", "yaml", numbered(250_001, "", "key%d: 0", "\n", ""), document.DefaultLimits, nil},
		{"too many members", "xml", numbered(250_001, "<a>", "<key%d/>", "", "</a>"), document.DefaultLimits, nil},
		{"too many members", "csv", numbered(250_001, "", "key%d", ",", "\n"), document.DefaultLimits, nil},
		{"too many members", "keyvalue", numbered(250_001, "", "key%d: 0", "\n", ""), document.DefaultLimits, nil},
		{"as many members as may be", "json", numbered(250_000, "{", `"key%d":0`, ",", "}"), document.DefaultLimits, size(250_000)},
		{"too many values", "json", "[" + strings.Repeat("{},", few) + "{}]", narrow, nil},
		{"too many values", "yaml", strings.Repeat("- 0\n", few), narrow, nil},
		{"too many lists", "yaml", strings.Repeat("- - - - -\n", few/4), narrow, nil},
		{"too many lists before a mistake", "yaml", strings.Repeat("- - - - -\n", few/4) + "]", narrow, nil}, // the tree of all the lists is not built first
		{"too many values", "xml", "<r>" + strings.Repeat("<a/>", few) + "</r>", narrow, nil},
		{"too many attributes", "xml", "<r" + strings.Repeat(" a=''", few+1) + "/>", narrow, nil},
		{"too many cells", "csv", strings.Repeat(",", few+1), narrow, nil},
		{"too many rows", "csv", strings.Repeat("1\n", few), narrow, nil},
		{"too many lines", "keyvalue", strings.Repeat("a:1\n", few), narrow, nil},
		{"too many matches", pattern, strings.Repeat("ab", few), narrow, nil},
		{"alias bomb", "yaml", bomb(9), document.DefaultLimits, nil},
		{"merge bomb", "yaml", mergeBomb(9, "{x: 1}"), document.DefaultLimits, nil},
		{"merge bomb of nothing", "yaml", mergeBomb(7, "{}"), document.DefaultLimits, nil}, // 5 million merges
		{"merge bomb of lists", "yaml", mergeBomb(7, "[]"), document.DefaultLimits, nil},
		{"merged list", "yaml", "a: &a {}\nl: &l [" + strings.Repeat("*a, ", few) + "]\nb: [" + strings.Repeat("{<<: *l}, ", 100) + "]", document.DefaultLimits, nil},
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
			c.check(t, tree.Go(v))
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

// mergeBomb is a YAML document of n lines that merges what is first in it 9^n times.
func mergeBomb(n int, first string) string {
	s := "a0: &a0 " + first + "\n"
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
		{"json", "[", "{},", "{}]", 60 << 20},
		{"json", "[", `{"a":0},`, "{}]", 100 << 20},
		{"json", "[", "[0],", "{}]", 100 << 20},
		{"yaml", "[", "{},", "{}]", 10 << 20},
		{"yaml", "", "- - - - -\n", "", 10 << 20},
		{"yaml", "", "! ", "", 100 << 20},
		{"yaml", "", "&a ", "", 100 << 20},
		{"yaml", "[", "a: b ", "]", 100 << 20},
		{"xml", "<r>", "<a><b/></a>", "</r>", 900 << 20},
		{"csv", "", "a\n", "", 100 << 20},
		{"keyvalue", "", "a:\nb:\n", "", 100 << 20},
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

// The library reads ahead where it looks for the end of brackets or of a line. What
// seems to be that end makes it read no more than the limit, and takes no memory.
func TestReadAhead(t *testing.T) {
	const many = 300_000
	yaml := format(t, "yaml")
	for _, c := range []struct{ begin, item string }{
		{"- [", "a,"},
		{"- [", "?,"},
		{"- {", "a: b,"},
		{"- [\n", "a,\n"},
		{"- [\n", "a, # b\n"},
		{"[[", "a,"},
		{"[", "a,b,"},
		{"---\n[", "a,"},
		{"{a: b}\n---\n[", "a,"},
		{"", "! "},
		{"", "&a "},
		{"", `"" `},
		{"- ", "[] "},
		{"- # [\n  [", "a,\n"},
		{"- [x+', ']', ", "a,\n"},                 // a quote in a word
		{"- [!', ']', ", "a,\n"},                  // a quote in a tag
		{"- [ # ]\n", "a,\n"},                     // a bracket in a comment
		{"- [ \"#\", ' # ] ',\n", "a,\n"},         // a comment in quotes
		{"- [ x ' # ']\n", "a,\n"},                // quotes in a comment
		{"- [ \"\\\"]\", ", "a,\n"},               // a quote that is escaped
		{"- [ \"\\\\\", \"]\", ", "a,\n"},         // a sign of escapes that is
		{"- [ ']''] ', ", "a,\n"},                 // quotes in quotes
		{"- \"\n  - [\"\n- [ \"]\n \", ", "a,\n"}, // quotes over two lines
		{"- \"a: ' b\"\n- [ ' ] ', ", "a,\n"},     // quotes of the other kind
		{"a: |\n  '\nb:\n- [ ' ] ', ", "a,\n"},    // a quote in a text
		{"a: >2-\n   '\n  [\nb:\n- [ ' ] ', ", "a,\n"},
		{"a: x [\nb:\n- [ \"]\", ", "a,\n"},      // a bracket in a text
		{"a: x\n  ' [\nb:\n- [ ' ] ', ", "a,\n"}, // the same in its second line
		{"- # \u0085 [\n", "a,\n"},               // another end of a line
		{"- 'x # \u2028'\n- [\n# \u2028", "a,"},  // and another
	} {
		body := c.begin + strings.Repeat(c.item, many)
		share := &share{}
		limits := document.DefaultLimits
		limits.Share = share
		if _, err := yaml.Decode(t.Context(), []byte(body), "", limits); !isLimit(err) {
			t.Errorf("%q and many %q: got the error %v, want a failure with the reason limit", c.begin, c.item, err)
		}
		if share.most > 0 {
			t.Errorf("%q and many %q: asked for the memory of %d values", c.begin, c.item, share.most)
		}
	}
}

// share is one of much memory. It remembers what was asked for at the same time.
type share struct{ now, most int }

func (*share) Reserve(int64) error        { return nil }
func (*share) Wait(context.Context) error { return nil }
func (*share) Rest()                      {}
func (s *share) Decoded(n int) error {
	s.now += n
	s.most = max(s.most, s.now)
	return nil
}

// YAML asks beforehand for what its decoding costs and gives it back; little is asked
// for an ordinary document, whatever the words in it are.
func TestReserved(t *testing.T) {
	const perValue = 256 // bytes
	for _, c := range []struct {
		format, begin, item, end string
		least, most              int // bytes of memory for a byte of the body
	}{
		{"yaml", "- [", "?,", "]", 538, 1300},
		{"yaml", "- [", "1,", "]", 515, 900},
		{"yaml", "- {", "a: b,", "}", 476, 900},
		{"yaml", "[", "1,", "]", 120, 300},
		{"yaml", "k: [", "1,", "]", 120, 300},
		{"yaml", "", "a:\n", "", 148, 300},
		{"yaml", "", "- - - -\n", "", 116, 600},
		{"yaml", "", "- name: item\n  vhost: \"a b, [c] d\"\n  messages: 35\n", "", 20, 60},
		{"yaml", "", "- name: item-1\n  since: 2026-11-20T10:11:12Z\n  url: http://web-1:80/\n  port: [80]\n", "", 20, 60},
		{"yaml", "[", `{"name": "item-1", "since": "2026-11-20T10:11:12Z", "ports": [80, 443]},`, "]", 20, 60},
		{"yaml", "[\n", "  {\n    \"name\": \"item-1\",\n    \"ready\": true\n  },\n", "]", 10, 60},
		{"yaml", "log: |\n", "  2026-11-20 10:11:12 it's [ {\"worker\" started, 'x\n", "", 0, 1},
		{"json", "[", "1,", "1]", 0, 0},

		{"yaml", `- "echo 'x'"` + "\n", "- an item of a list\n", "", 15, 60},
		{"yaml", `- "C:\\Windows"` + "\n", "- an item of a list\n", "", 15, 60},
		{"yaml", `- "say \"hi\""` + "\n", "- an item of a list\n", "", 15, 60},
		{"yaml", "- t: Café's\n", "- an item of a list\n", "", 15, 60},
		{"yaml", "- \"two\n  ' [ lines\"\n", "- an item of a list\n", "", 15, 60},
		{"yaml", "- '[b'\n", "- an item of a list\n", "", 15, 60},
		{"yaml", `- "\e[0m"` + "\n", "- an item of a list\n", "", 15, 60},
		{"yaml", "- http://[::1/x\n", "- an item of a list\n", "", 15, 60},
		{"yaml", "- |\n  it's [\n", "- an item of a list\n", "", 15, 60},
		{"yaml", "- !it's\n  x\n", "- an item of a list\n", "", 15, 60},
		{"yaml", "- # it's [\n", "- an item of a list\n", "", 15, 60},
		{"yaml", "a: x\n\"b: '\": y\nc:\n", "- an item of a list\n", "", 15, 60},
		{"yaml", "a: 'it''s ['\nb:\n", "  %d-messages-of-this: 12\n", "", 20, 60},
		{"yaml", "a: 'it''s ['\nb:\n", "  \"%d-messages-of-this\": \"12\"\n", "", 20, 60},
		{"yaml", "a: 'it''s ['\nb:\n", "  %d-messages-of-this-queue: [10, 20]\n", "", 20, 60},
		{"yaml", "a: 'it''s ['\n", "---\nmessages: it's [12\nbytes_that_were_sent: 12345678901234567890\n", "", 10, 60},
	} {
		const items = 20_000
		var b strings.Builder
		b.WriteString(c.begin)
		for i := range items {
			b.WriteString(strings.Replace(c.item, "%d", fmt.Sprint(i), 1))
		}
		b.WriteString(c.end)
		share := &share{}
		limits := document.DefaultLimits
		limits.Share = share
		if _, err := format(t, c.format).Decode(t.Context(), []byte(b.String()), "", limits); err != nil {
			t.Errorf("%s %q and many %q: %v", c.format, c.begin, c.item, err)
		}
		asked := share.most * perValue / b.Len()
		if asked < c.least || asked > c.most {
			t.Errorf("%s %q and many %q: memory of %d bytes is asked for each byte, want %d to %d", c.format, c.begin, c.item, asked, c.least, c.most)
		}
		if share.now != 0 {
			t.Errorf("%s %q and many %q: the memory of %d values was not given back", c.format, c.begin, c.item, share.now)
		}
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

// Attributes and elements of many names are no reason to look away: each becomes a key.
func TestCancellationAmongNames(t *testing.T) {
	const many = 100_000
	for _, c := range []struct{ begin, item, end string }{
		{"<a", " k%d=''", "/>"},
		{"<a>", "<k%d/>", "</a>"},
	} {
		var b strings.Builder
		b.WriteString(c.begin)
		for i := range many {
			fmt.Fprintf(&b, c.item, i)
		}
		b.WriteString(c.end)
		ctx := &looks{t.Context(), many}
		if _, err := format(t, "xml").Decode(ctx, []byte(b.String()), "", document.DefaultLimits); err != nil {
			t.Fatal(err)
		}
		// Once in 4 KiB that are read, and twice in 1,024 names.
		if got, want := many-ctx.left, b.Len()/4096+2*(many/1024); got < want {
			t.Errorf("%s: %d looks at the context, want at least %d", c.item, got, want)
		}
	}
}

// The declaration of XML is not searched for in all of a document.
func TestFarDeclaration(t *testing.T) {
	for spaces, want := range map[int]string{900: "é", 1100: "\ufffd"} {
		body := "<?xml version='1.0'" + strings.Repeat(" ", spaces) + "encoding='iso-8859-1'?><a>\xe9</a>"
		v, err := format(t, "xml").Decode(t.Context(), []byte(body), "", document.DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		if got := v.(map[string]any)["a"]; got != want {
			t.Errorf("%d bytes before the encoding: got %q, want %q", spaces, got, want)
		}
	}
}

// TestLongNumbers: a number that arithmetic would take minutes for is refused.
// YAML takes a whole one beyond the range of float64 for a text already.
func TestLongNumbers(t *testing.T) {
	for digits, refused := range map[int]bool{1000: false, 1001: true, 1_000_000: true} {
		_, err := document.JSON.Decode(t.Context(), []byte(`{"a": `+strings.Repeat("7", digits)+`}`), "", document.DefaultLimits)
		if isLimit(err) != refused {
			t.Errorf("a number of %d digits: %v, want refused: %v", digits, err, refused)
		}
		_, err = format(t, "yaml").Decode(t.Context(), []byte("a: ."+strings.Repeat("7", digits-1)), "", document.DefaultLimits)
		if isLimit(err) != refused {
			t.Errorf("a number of %d characters in YAML: %v, want refused: %v", digits, err, refused)
		}
	}
}
