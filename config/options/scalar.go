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
// and $$ for a dollar. What the variables hold is secret: see Variables.
func (d *Decoder) Expanded(into *string) func(*yaml.Node) {
	return d.Scalar("a text", func(n *yaml.Node) string {
		*into = d.Expand(n, n.Value)
		return ""
	})
}

// ExpandedName does the same for the name of a user: what variables hold is a name.
func (d *Decoder) ExpandedName(into *string) func(*yaml.Node) {
	return d.Scalar("a text", func(n *yaml.Node) string {
		*into = d.expand(n, n.Value, func(int) kind { return nameKind })
		return ""
	})
}

// ExpandedURL does the same for a URL. A variable in its path is a name. One in its
// scheme, host or port is no secret, nor is one that holds all of these and more: who
// is asked may be shown.
func (d *Decoder) ExpandedURL(into *string) func(*yaml.Node) {
	return d.Scalar("a text", func(n *yaml.Node) string {
		user, from, to := hostOf(n.Value)
		path := len(n.Value)
		if i := strings.IndexAny(n.Value[to:], "?#"); i >= 0 {
			path = to + i
		}
		*into = d.expand(n, n.Value, func(at int) kind {
			switch {
			case at >= path || at >= user && at < from:
				return secretKind
			case at >= to:
				return nameKind
			}
			return knownKind
		})
		return ""
	})
}

// ExpandedHosts does the same for a text that only says who may be asked, or how:
// no variable in it is a secret.
func (d *Decoder) ExpandedHosts(into *string) func(*yaml.Node) {
	return d.Scalar("a text", func(n *yaml.Node) string {
		*into = d.expand(n, n.Value, func(int) kind { return knownKind })
		return ""
	})
}

// hostOf returns where the user's name and password, and where the host and port, of
// a URL that is not expanded yet begin, and where these end.
func hostOf(url string) (user, from, to int) {
	if socket, ok := strings.CutPrefix(url, "unix:"); ok {
		file, _, _ := strings.Cut(socket, ":/")
		return 0, 0, len(url) - len(socket) + len(file)
	}
	if i := strings.Index(url, "://"); i >= 0 {
		user = i + len("://")
	}
	to = len(url)
	if i := strings.IndexAny(url[user:], "/?#"); i >= 0 {
		to = user + i
	}
	return user, user + strings.LastIndexByte(url[user:to], '@') + 1, to
}

// reference finds $$, and $ with what stands in braces behind it.
var reference = regexp.MustCompile(`\$\$|\$\{[^}]*\}?`)

var variable = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$`)

// Refers tells whether a text holds a ${NAME}.
func Refers(text string) bool {
	return slices.ContainsFunc(reference.FindAllString(text, -1), func(found string) bool { return found != "$$" })
}

// Expand returns a part of the text of n with ${NAME} and $$ replaced. An unset
// variable is an error at n.
func (d *Decoder) Expand(n *yaml.Node, text string) string {
	return d.expand(n, text, func(int) kind { return secretKind })
}

// A kind is who may know what a variable holds.
type kind int

const (
	knownKind  kind = iota // anybody
	nameKind               // anybody who does not see where it stands: see Variables
	secretKind             // nobody
)

// brought is what a variable brought into a text.
type brought struct {
	value string
	kind  kind
}

// expand calls of with the place of each variable: what it holds is kept for Variables
// unless anybody may know it.
func (d *Decoder) expand(n *yaml.Node, text string, of func(at int) kind) string {
	var out strings.Builder
	end := 0
	for _, found := range reference.FindAllStringIndex(text, -1) {
		out.WriteString(text[end:found[0]])
		end = found[1]
		value := d.variable(n, text[found[0]:end])
		out.WriteString(value)
		if k := of(found[0]); value != "$" && k != knownKind {
			d.variables[n] = append(d.variables[n], brought{value, k})
		}
	}
	out.WriteString(text[end:])
	return out.String()
}

// variable returns what a reference stands for.
func (d *Decoder) variable(n *yaml.Node, found string) string {
	if found == "$$" {
		return "$"
	}
	parts := variable.FindStringSubmatch(found)
	if parts == nil {
		d.Errorf(n, "expected the name of an environment variable between ${ and }; $$ stands for a dollar") // found may be a part of a secret
		return ""
	}
	value, ok := d.Getenv(parts[1])
	if !ok {
		d.Errorf(n, "the environment variable %s is not set; $$ stands for a dollar", parts[1])
	}
	return value
}

// Variables returns what environment variables brought into the texts of n, which may
// be nil, and below it: secrets, and names. These are of users or parts of paths, which
// often are words that stand elsewhere as well: they are hidden where they were brought.
func (d *Decoder) Variables(n *yaml.Node) (secrets, names []string) {
	if n == nil || len(d.variables) == 0 {
		return nil, nil
	}
	for _, v := range d.variables[n] {
		if v.kind == nameKind {
			names = append(names, v.value)
		} else {
			secrets = append(secrets, v.value)
		}
	}
	for _, child := range n.Content {
		moreSecrets, moreNames := d.Variables(child)
		secrets, names = append(secrets, moreSecrets...), append(names, moreNames...)
	}
	return secrets, names
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
