package options_test

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
)

// decodeKey decodes the value under the key k of a file shop.yml and returns
// the mistakes found.
func decodeKey(t *testing.T, text string, decoder func(*options.Decoder) func(*yaml.Node)) string {
	t.Helper()
	d := options.NewDecoder(func(name string) (string, bool) {
		value, ok := map[string]string{"HOST": "shop.example", "EMPTY": ""}[name]
		return value, ok
	})
	d.Mapping(d.Parse("shop.yml", []byte("k: "+text+"\n")), "the test", options.Fields{"k": decoder(d)})
	if err := d.Err(); err != nil {
		return err.Error()
	}
	return ""
}

// scalarTest states what a value decodes to, or the mistake found.
type scalarTest[T any] struct {
	yaml string
	want T
	err  string // behind the position
}

func testScalar[T any](t *testing.T, name string, decoder func(*options.Decoder, *T) func(*yaml.Node), tests []scalarTest[T]) {
	t.Run(name, func(t *testing.T) {
		for _, test := range tests {
			var got T
			gotErr := decodeKey(t, test.yaml, func(d *options.Decoder) func(*yaml.Node) { return decoder(d, &got) })
			if test.err != "" {
				test.err = "shop.yml:1:4: " + test.err
			}
			if diff := cmp.Diff(test.err, gotErr); diff != "" {
				t.Errorf("%s: error (-want +got):\n%s", test.yaml, diff)
			}
			if diff := cmp.Diff(test.want, got, cmp.Comparer(sameFloat), cmp.Comparer(sameRegexp)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.yaml, diff)
			}
		}
	})
}

func sameFloat(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

func sameRegexp(a, b *regexp.Regexp) bool {
	return a == b || a != nil && b != nil && a.String() == b.String()
}

func TestScalars(t *testing.T) {
	testScalar(t, "Text", (*options.Decoder).Text, []scalarTest[string]{
		{yaml: `hello`, want: "hello"},
		{yaml: `"a: b"`, want: "a: b"},
		{yaml: `""`},
		{yaml: `007`, want: "007"},
		{yaml: `true`, want: "true"},
		{yaml: `2026-11-20`, want: "2026-11-20"},
		{yaml: `${HOST} $$`, want: "${HOST} $$"},
		{yaml: "|-\n  two\n  lines", want: "two\nlines"},
		{yaml: `~`, err: `k: found an empty value, expected a text`},
		{yaml: `[a]`, err: `k: found a list, expected a text`},
		{yaml: `{a: b}`, err: `k: found a mapping, expected a text`},
		{yaml: `!include other.yml`, want: "other.yml", err: `found a tag, which means nothing here; a text that begins with ! stands in quotes`},
	})
	testScalar(t, "Expanded", (*options.Decoder).Expanded, []scalarTest[string]{
		{yaml: `http://${HOST}:80/`, want: "http://shop.example:80/"},
		{yaml: `${HOST}${HOST}`, want: "shop.exampleshop.example"},
		{yaml: `a${EMPTY}b`, want: "ab"},
		{yaml: `pa$$word`, want: "pa$word"},
		{yaml: `$${HOST}`, want: "${HOST}"},
		{yaml: `$HOST $5 $`, want: "$HOST $5 $"},
		{yaml: `x${GONE}`, want: "x", err: `the environment variable GONE is not set; $$ stands for a dollar`},
		{yaml: `"${HOST:-localhost}"`, err: `expected the name of an environment variable between ${ and }; $$ stands for a dollar`},
		{yaml: `"${}"`, err: `expected the name of an environment variable between ${ and }; $$ stands for a dollar`},
		{yaml: `"${HOST"`, err: `expected the name of an environment variable between ${ and }; $$ stands for a dollar`},
		{yaml: `null`, err: `k: found an empty value, expected a text`},
		{yaml: `[a]`, err: `k: found a list, expected a text`},
	})
	testScalar(t, "Bool", (*options.Decoder).Bool, []scalarTest[bool]{
		{yaml: `true`, want: true},
		{yaml: `True`, want: true},
		{yaml: `false`},
		{yaml: `yes`, err: `k: found the text "yes", expected true or false`},
		{yaml: `"true"`, err: `k: found the text "true", expected true or false`},
		{yaml: `1`, err: `k: found the number 1, expected true or false`},
		{yaml: `null`, err: `k: found an empty value, expected true or false`},
	})
	port := func(d *options.Decoder, into *int) func(*yaml.Node) { return d.Int(into, 1, 65535) }
	testScalar(t, "Int", port, []scalarTest[int]{
		{yaml: `1`, want: 1},
		{yaml: `65535`, want: 65535},
		{yaml: `0x1F90`, want: 8080},
		{yaml: `1e3`, want: 1000},
		{yaml: `0`, err: `k: found the number 0, expected a whole number from 1 to 65535`},
		{yaml: `65536`, err: `k: found the number 65536, expected a whole number from 1 to 65535`},
		{yaml: `-5`, err: `k: found the number -5, expected a whole number from 1 to 65535`},
		{yaml: `8.5`, err: `k: found the number 8.5, expected a whole number from 1 to 65535`},
		{yaml: `1e300`, err: `k: found the number 1e300, expected a whole number from 1 to 65535`},
		{yaml: `99999999999999999999`, err: `k: found the number 99999999999999999999, expected a whole number from 1 to 65535`},
		{yaml: `.nan`, err: `k: found the number .nan, expected a whole number from 1 to 65535`},
		{yaml: `"80"`, err: `k: found the text "80", expected a whole number from 1 to 65535`},
		{yaml: `eighty`, err: `k: found the text "eighty", expected a whole number from 1 to 65535`},
		{yaml: `[80]`, err: `k: found a list, expected a whole number from 1 to 65535`},
	})
	atLeast := func(d *options.Decoder, into *int) func(*yaml.Node) { return d.Int(into, 1, math.MaxInt) }
	testScalar(t, "Int without a most", atLeast, []scalarTest[int]{
		{yaml: `4000000000`, want: 4000000000},
		{yaml: `0`, err: `k: found the number 0, expected a whole number of at least 1`},
	})
	testScalar(t, "Float", (*options.Decoder).Float, []scalarTest[float64]{
		{yaml: `0.25`, want: 0.25},
		{yaml: `.5`, want: 0.5},
		{yaml: `-3`, want: -3},
		{yaml: `1e3`, want: 1000},
		{yaml: `.inf`, want: math.Inf(1)},
		{yaml: `-.inf`, want: math.Inf(-1)},
		{yaml: `.nan`, want: math.NaN()},
		{yaml: `many`, err: `k: found the text "many", expected a number`},
		{yaml: `"5"`, err: `k: found the text "5", expected a number`},
		{yaml: `true`, err: `k: found the truth value true, expected a number`},
		{yaml: `2026-11-20`, err: `k: found the date 2026-11-20, expected a number`},
	})
	testScalar(t, "Duration", (*options.Decoder).Duration, []scalarTest[time.Duration]{
		{yaml: `5s`, want: 5 * time.Second},
		{yaml: `1m30s`, want: 90 * time.Second},
		{yaml: `250ms`, want: 250 * time.Millisecond},
		{yaml: `1d`, want: 24 * time.Hour},
		{yaml: `5`, err: `k: found the number 5, expected a duration such as 5s, 1m30s or 250ms`},
		{yaml: `0s`, err: `k: found the text "0s", expected a duration such as 5s, 1m30s or 250ms`},
		{yaml: `-5s`, err: `k: found the text "-5s", expected a duration such as 5s, 1m30s or 250ms`},
		{yaml: `1.5s`, err: `k: found the text "1.5s", expected a duration such as 5s, 1m30s or 250ms`},
		{yaml: `5 s`, err: `k: found the text "5 s", expected a duration such as 5s, 1m30s or 250ms`},
	})
	testScalar(t, "Size", (*options.Decoder).Size, []scalarTest[int64]{
		{yaml: `1000`, want: 1000},
		{yaml: `512KiB`, want: 512 << 10},
		{yaml: `1k`, want: 1 << 10},
		{yaml: `16MiB`, want: 16 << 20},
		{yaml: `16 MB`, want: 16 << 20},
		{yaml: `2G`, want: 2 << 30},
		{yaml: `10B`, want: 10},
		{yaml: `0`, err: `k: found the number 0, expected a size such as 16MiB, 512KiB or 1000`},
		{yaml: `-1`, err: `k: found the number -1, expected a size such as 16MiB, 512KiB or 1000`},
		{yaml: `1.5MiB`, err: `k: found the text "1.5MiB", expected a size such as 16MiB, 512KiB or 1000`},
		{yaml: `1TiB`, err: `k: found the text "1TiB", expected a size such as 16MiB, 512KiB or 1000`},
		{yaml: `MiB`, err: `k: found the text "MiB", expected a size such as 16MiB, 512KiB or 1000`},
		{yaml: `9223372036854775807K`, err: `k: found the text "9223372036854775807K", expected a size such as 16MiB, 512KiB or 1000`},
	})
	method := func(d *options.Decoder, into *string) func(*yaml.Node) { return d.Enum(into, "first", "last", "sum") }
	testScalar(t, "Enum", method, []scalarTest[string]{
		{yaml: `last`, want: "last"},
		{yaml: `Last`, err: `k: found the text "Last", expected one of first, last, sum; did you mean "last"?`},
		{yaml: `frist`, err: `k: found the text "frist", expected one of first, last, sum; did you mean "first"?`},
		{yaml: `lst`, err: `k: found the text "lst", expected one of first, last, sum; did you mean "last"?`},
		{yaml: `newest`, err: `k: found the text "newest", expected one of first, last, sum`},
		{yaml: `[last]`, err: `k: found a list, expected one of first, last, sum`},
	})
	testScalar(t, "Regexp", (*options.Decoder).Regexp, []scalarTest[*regexp.Regexp]{
		{yaml: `^a+$`, want: regexp.MustCompile(`^a+$`)},
		{yaml: `'(a'`, err: "k: found the text \"(a\", expected a regular expression (missing closing ): `(a`)"},
		{yaml: `{a: b}`, err: `k: found a mapping, expected a regular expression`},
	})
	testScalar(t, "Texts", (*options.Decoder).Texts, []scalarTest[[]string]{
		{yaml: `a`, want: []string{"a"}},
		{yaml: `[a, 1]`, want: []string{"a", "1"}},
		{yaml: `[]`, want: []string{}},
		{yaml: `{a: b}`, want: []string{""}, err: `k: found a mapping, expected a text`},
	})
	testScalar(t, "File", (*options.Decoder).File, []scalarTest[string]{
		{yaml: `/etc/shop.key`, want: "/etc/shop.key"},
		{yaml: `""`, err: `k: found the text "", expected a file name`},
		{yaml: `[a]`, err: `k: found a list, expected a file name`},
	})
}

func TestTextsNamesTheItem(t *testing.T) {
	var got []string
	err := decodeKey(t, `[a, [b], ~]`, func(d *options.Decoder) func(*yaml.Node) { return d.Texts(&got) })
	want := "shop.yml:1:8: k: found a list, expected a text\n" +
		"shop.yml:1:13: k: found an empty value, expected a text"
	if diff := cmp.Diff(want, err); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

func TestLongTextsAreShortened(t *testing.T) {
	var got bool
	err := decodeKey(t, "0123456789012345678901234567890123456789012345678901234567890123456789", func(d *options.Decoder) func(*yaml.Node) { return d.Bool(&got) })
	want := `shop.yml:1:4: k: found the number 012345678901234567890123456789012345678901234567890123456..., expected true or false`
	if diff := cmp.Diff(want, err); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

// TestVariables checks which of the variables in a text hold a secret.
func TestVariables(t *testing.T) {
	tests := []struct{ text, all, inURL, names string }{
		{"a-${K}-b", "[<K>]", "[]", "[]"},
		{"${K}${L} $$ ${K}", "[<K> <L> <K>]", "[]", "[]"},
		{"$${K}", "[]", "[]", "[]"},
		{"http://${K}:${L}", "[<K> <L>]", "[]", "[]"},
		{"${K}://h/", "[<K>]", "[]", "[]"},
		{"${K}", "[<K>]", "[]", "[]"},
		{"${K}/x?t=${L}", "[<K> <L>]", "[<L>]", "[]"},
		{"http://h/bot${K}/x", "[<K>]", "[]", "[<K>]"},
		{"http://h?${K}#${L}", "[<K> <L>]", "[<K> <L>]", "[]"},
		{"http://u:${K}@${L}:80/", "[<K> <L>]", "[<K>]", "[]"},
		{"${K}:${L}@h", "[<K> <L>]", "[<K> <L>]", "[]"},
		{"unix:/run/${K}.sock", "[<K>]", "[]", "[]"},
		{"unix:/run/${K}.sock:/${L}", "[<K> <L>]", "[]", "[<L>]"},
	}
	for _, test := range tests {
		for i, want := range []string{test.all + " []", test.inURL + " " + test.names, "[] []", "[] " + test.all} {
			d := options.NewDecoder(func(name string) (string, bool) { return "<" + name + ">", true })
			var got string
			decode := []func(*string) func(*yaml.Node){d.Expanded, d.ExpandedURL, d.ExpandedHosts, d.ExpandedName}[i]
			n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: test.text}
			decode(&got)(n)
			if expanded := strings.NewReplacer("$$", "$", "${K}", "<K>", "${L}", "<L>").Replace(test.text); got != expanded {
				t.Errorf("%s became %q, want %q", test.text, got, expanded)
			}
			above := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode}, n}}
			if got := fmt.Sprint(d.Variables(above)); got != want {
				t.Errorf("%d: the secrets and names of %s are %s, want %s", i, test.text, got, want)
			}
		}
	}
}
