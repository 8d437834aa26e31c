package options

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v4"
)

// Scalar returns a decoder of a single value. parse returns what was expected
// instead, or "" where the value is right; it is not called for an empty one.
func (d *Decoder) Scalar(what string, parse func(n *yaml.Node) (expected string)) func(*yaml.Node) {
	return func(n *yaml.Node) {
		expected := what
		if n.Kind == yaml.ScalarNode && !IsNull(n) {
			expected = parse(n)
		}
		switch key := d.keys[n]; {
		case expected == "":
		case key == "":
			d.Errorf(n, "found %s, expected %s", Describe(n), expected)
		default:
			d.Errorf(n, "%s: found %s, expected %s", key, Describe(n), expected)
		}
	}
}

// Text decodes a text as it stands. A number or truth value is taken as it is written.
func (d *Decoder) Text(into *string) func(*yaml.Node) {
	return d.Scalar("a text", func(n *yaml.Node) string {
		*into = n.Value
		return ""
	})
}

// Expanded decodes a text in which ${NAME} stands for an environment variable
// and $$ for a dollar.
func (d *Decoder) Expanded(into *string) func(*yaml.Node) {
	return d.Scalar("a text", func(n *yaml.Node) string {
		*into = d.expand(n)
		return ""
	})
}

// reference finds $$, and $ with what stands in braces behind it.
var reference = regexp.MustCompile(`\$\$|\$\{[^}]*\}?`)

var variable = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$`)

// expand returns the text of n with ${NAME} and $$ replaced. An unset variable
// is an error at n.
func (d *Decoder) expand(n *yaml.Node) string {
	return reference.ReplaceAllStringFunc(n.Value, func(found string) string {
		if found == "$$" {
			return "$"
		}
		name := variable.FindStringSubmatch(found)
		if name == nil {
			d.Errorf(n, "expected the name of an environment variable between ${ and }; $$ stands for a dollar") // found may be a part of a secret
			return ""
		}
		value, ok := d.Getenv(name[1])
		if !ok {
			d.Errorf(n, "the environment variable %s is not set; $$ stands for a dollar", name[1])
		}
		return value
	})
}

// File decodes a file name and makes it absolute.
func (d *Decoder) File(into *string) func(*yaml.Node) {
	return d.Scalar("a file name", func(n *yaml.Node) string {
		if n.Value == "" {
			return "a file name"
		}
		*into = d.Path(n, n.Value)
		return ""
	})
}

// Bool decodes true or false.
func (d *Decoder) Bool(into *bool) func(*yaml.Node) {
	return d.Scalar("true or false", func(n *yaml.Node) string {
		if n.ShortTag() != "!!bool" {
			return "true or false"
		}
		*into = strings.EqualFold(n.Value, "true")
		return ""
	})
}

// Int decodes a whole number from least to most.
func (d *Decoder) Int(into *int, least, most int) func(*yaml.Node) {
	what := "a whole number from " + strconv.Itoa(least) + " to " + strconv.Itoa(most)
	if most == math.MaxInt {
		what = "a whole number of at least " + strconv.Itoa(least)
	}
	return d.Scalar(what, func(n *yaml.Node) string {
		f, ok := Number(n)
		i := int(f)
		if !ok || float64(i) != f || i < least || i > most {
			return what
		}
		*into = i
		return ""
	})
}

// Float decodes a number.
func (d *Decoder) Float(into *float64) func(*yaml.Node) {
	return d.Scalar("a number", func(n *yaml.Node) string {
		f, ok := Number(n)
		if !ok {
			return "a number"
		}
		*into = f
		return ""
	})
}

// Number returns the number that n is in YAML: 12, 1.5, 1e3, 0x1F, .inf, .nan.
func Number(n *yaml.Node) (float64, bool) {
	if tag := n.ShortTag(); n.Kind != yaml.ScalarNode || tag != "!!int" && tag != "!!float" {
		return 0, false
	}
	var f float64
	return f, n.Decode(&f) == nil
}

// Duration decodes a duration above zero, written as Prometheus does: 5s, 1m30s, 250ms.
func (d *Decoder) Duration(into *time.Duration) func(*yaml.Node) {
	const what = "a duration such as 5s, 1m30s or 250ms"
	return d.Scalar(what, func(n *yaml.Node) string {
		parsed, err := model.ParseDuration(n.Value)
		if err != nil || parsed <= 0 {
			return what
		}
		*into = time.Duration(parsed)
		return ""
	})
}

var sizeUnits = map[string]int64{
	"": 1, "b": 1,
	"k": 1 << 10, "kb": 1 << 10, "kib": 1 << 10,
	"m": 1 << 20, "mb": 1 << 20, "mib": 1 << 20,
	"g": 1 << 30, "gb": 1 << 30, "gib": 1 << 30,
}

// Size decodes a number of bytes above zero with an optional unit: 16MiB,
// 512KiB, 1000. K, KB and KiB are all 1024.
func (d *Decoder) Size(into *int64) func(*yaml.Node) {
	const what = "a size such as 16MiB, 512KiB or 1000"
	return d.Scalar(what, func(n *yaml.Node) string {
		digits := strings.TrimRightFunc(n.Value, func(r rune) bool { return r < '0' || r > '9' })
		unit, known := sizeUnits[strings.ToLower(strings.TrimSpace(n.Value[len(digits):]))]
		count, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || !known || count <= 0 || count > math.MaxInt64/unit {
			return what
		}
		*into = count * unit
		return ""
	})
}

// Enum decodes one of a closed list of words.
func (d *Decoder) Enum(into *string, words ...string) func(*yaml.Node) {
	what := "one of " + strings.Join(words, ", ")
	return d.Scalar(what, func(n *yaml.Node) string {
		if !slices.Contains(words, n.Value) {
			if near := Nearest(n.Value, words); near != "" {
				return what + `; did you mean "` + near + `"?`
			}
			return what
		}
		*into = n.Value
		return ""
	})
}

// Regexp decodes a regular expression in the syntax of Go's regexp package.
func (d *Decoder) Regexp(into **regexp.Regexp) func(*yaml.Node) {
	return d.Scalar("a regular expression", func(n *yaml.Node) string {
		re, err := regexp.Compile(n.Value)
		if err != nil {
			return "a regular expression (" + strings.TrimPrefix(err.Error(), "error parsing regexp: ") + ")"
		}
		*into = re
		return ""
	})
}

// Texts decodes a list of texts; a single text is a list of one.
func (d *Decoder) Texts(into *[]string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		items := []*yaml.Node{n}
		if n.Kind == yaml.SequenceNode {
			items = n.Content
		}
		*into = make([]string, len(items))
		for i, item := range items {
			d.keys[item] = d.keys[n]
			d.Text(&(*into)[i])(item)
		}
	}
}
