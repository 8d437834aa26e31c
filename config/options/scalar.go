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

// scalar returns a decoder of a single value: parse reports what was expected
// instead, or "" where the value is right.
func (d *Decoder) scalar(what string, parse func(n *yaml.Node) (expected string)) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode {
			d.Errorf(n, "found %s, expected %s", Describe(n), what)
			return
		}
		if expected := parse(n); expected != "" {
			d.Errorf(n, "found %s, expected %s", Describe(n), expected)
		}
	}
}

// Text decodes a text as it stands. A number or truth value is taken as it is written.
func (d *Decoder) Text(into *string) func(*yaml.Node) {
	return d.scalar("a text", func(n *yaml.Node) string {
		if IsNull(n) {
			return "a text"
		}
		*into = n.Value
		return ""
	})
}

// Expanded decodes a text in which ${NAME} stands for an environment variable
// and $$ for a dollar.
func (d *Decoder) Expanded(into *string) func(*yaml.Node) {
	return d.scalar("a text", func(n *yaml.Node) string {
		if IsNull(n) {
			return "a text"
		}
		*into = d.Expand(n)
		return ""
	})
}

var reference = regexp.MustCompile(`\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// Expand returns the text of n with ${NAME} and $$ replaced. An unset variable
// is an error at n.
func (d *Decoder) Expand(n *yaml.Node) string {
	return reference.ReplaceAllStringFunc(n.Value, func(found string) string {
		if found == "$$" {
			return "$"
		}
		name := found[2 : len(found)-1]
		value, ok := d.Getenv(name)
		if !ok {
			d.Errorf(n, "the environment variable %s is not set; write $$ for a dollar that is meant as one", name)
		}
		return value
	})
}

// File decodes a file name and makes it absolute.
func (d *Decoder) File(into *string) func(*yaml.Node) {
	return d.scalar("a file name", func(n *yaml.Node) string {
		if IsNull(n) || n.Value == "" {
			return "a file name"
		}
		*into = d.Path(n, n.Value)
		return ""
	})
}

// Bool decodes true or false.
func (d *Decoder) Bool(into *bool) func(*yaml.Node) {
	return d.scalar("true or false", func(n *yaml.Node) string {
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
	return d.scalar(what, func(n *yaml.Node) string {
		i, err := strconv.Atoi(n.Value)
		if err != nil || i < least || i > most {
			return what
		}
		*into = i
		return ""
	})
}

// Float decodes a number.
func (d *Decoder) Float(into *float64) func(*yaml.Node) {
	return d.scalar("a number", func(n *yaml.Node) string {
		f, err := strconv.ParseFloat(strings.TrimPrefix(n.Value, "."), 64)
		if strings.HasPrefix(n.Value, ".") && !math.IsInf(f, 0) && !math.IsNaN(f) {
			f, err = strconv.ParseFloat(n.Value, 64)
		}
		if err != nil {
			return "a number"
		}
		*into = f
		return ""
	})
}

// Duration decodes a duration above zero, written as Prometheus does: 5s, 1m30s, 250ms.
func (d *Decoder) Duration(into *time.Duration) func(*yaml.Node) {
	const what = "a duration such as 5s, 1m30s or 250ms"
	return d.scalar(what, func(n *yaml.Node) string {
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
	return d.scalar(what, func(n *yaml.Node) string {
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
	return d.scalar(what, func(n *yaml.Node) string {
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
	return d.scalar("a regular expression", func(n *yaml.Node) string {
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
			d.Text(&(*into)[i])(item)
		}
	}
}
