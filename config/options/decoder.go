// Package options reads YAML nodes into option structs, strictly: an unknown
// key, a key given twice, a wrong type or a value out of range is an error with
// file, line and column, in the words of the configuration. Decoding goes on
// after an error, so that all mistakes are found at once.
//
// A package that has options gives them a method such as
//
//	func (o *Options) Decode(d *options.Decoder, n *yaml.Node) {
//		d.Mapping(n, `"http"`, options.Fields{
//			"path":  d.Text(&o.Path),
//			"port":  d.Int(&o.Port, 1, 65535),
//			"pages": o.Pages.Decode,
//		})
//	}
//
// that sets its defaults first and then checks itself with Errorf.
package options

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A Decoder collects the mistakes found while nodes are decoded.
type Decoder struct {
	// Getenv looks up what ${NAME} stands for.
	Getenv func(name string) (value string, ok bool)

	files     []file
	errs      Errors
	warnings  Errors
	keys      map[*yaml.Node]string    // the key under which a value stands, for errors
	shown     map[*yaml.Node]string    // instead of secrets
	variables map[*yaml.Node][]brought // into a text
	shared    map[any]any
}

type file struct{ name, dir string }

// NewDecoder returns a Decoder that expands ${NAME} with getenv.
func NewDecoder(getenv func(string) (string, bool)) *Decoder {
	return &Decoder{Getenv: getenv, keys: make(map[*yaml.Node]string), shown: make(map[*yaml.Node]string), variables: make(map[*yaml.Node][]brought), shared: make(map[any]any)}
}

// Shared returns what create made when it was first called with the same key. So
// what is made of the same text in many places, and never changed, is made once.
// The type of the key is the caller's own.
func Shared[K comparable, V any](d *Decoder, key K, create func() V) V {
	if made, ok := d.shared[key]; ok {
		return made.(V)
	}
	made := create()
	d.shared[key] = made
	return made
}

// Errorf notes a mistake at n.
func (d *Decoder) Errorf(n *yaml.Node, format string, args ...any) {
	d.errs = append(d.errs, &Error{d.Position(n), fmt.Sprintf(format, args...)})
}

// Note notes a mistake in something that is no file, a flag for example.
func (d *Decoder) Note(where, format string, args ...any) {
	d.errs = append(d.errs, &Error{Position{File: where}, fmt.Sprintf(format, args...)})
}

// Warnf notes something at n that works but is likely not what was meant.
func (d *Decoder) Warnf(n *yaml.Node, format string, args ...any) {
	d.warnings = append(d.warnings, &Error{d.Position(n), fmt.Sprintf(format, args...)})
}

// Err returns every mistake found so far as Errors, in reading order, or nil.
func (d *Decoder) Err() error {
	if len(d.errs) == 0 {
		return nil
	}
	return d.sorted(d.errs)
}

// Failed returns how many mistakes were noted so far: a decoder that derives
// something from several keys compares two readings to know that they are sound.
func (d *Decoder) Failed() int { return len(d.errs) }

// Warnings returns every warning found so far, in reading order.
func (d *Decoder) Warnings() Errors { return d.sorted(d.warnings) }

// Position returns where n stands.
func (d *Decoder) Position(n *yaml.Node) Position {
	number := n.Line >> lineBits
	if number >= len(d.files) {
		return Position{Line: n.Line, Column: n.Column}
	}
	return Position{d.files[number].name, n.Line & (1<<lineBits - 1), n.Column}
}

// Path makes a file name absolute: a relative one is relative to the file that
// holds n.
func (d *Decoder) Path(n *yaml.Node, name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	if number := n.Line >> lineBits; number < len(d.files) {
		return filepath.Join(d.files[number].dir, name)
	}
	return name
}

// Hide marks n as a secret: Redact replaces it.
func (d *Decoder) Hide(n *yaml.Node) { d.shown[n] = "<secret>" }

// HideQuery marks the query of the URL n as a secret.
func (d *Decoder) HideQuery(n *yaml.Node) {
	if before, _, found := strings.Cut(n.Value, "?"); found {
		d.shown[n] = before + "?<secret>"
	}
}

// Redact returns a copy of the tree below n without secrets.
func (d *Decoder) Redact(n *yaml.Node) *yaml.Node {
	if text, ok := d.shown[n]; ok {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	}
	c := *n
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, child := range n.Content {
		c.Content[i] = d.Redact(child)
	}
	return &c
}

// Fields maps the keys that a mapping may have to what decodes their values.
type Fields map[string]func(*yaml.Node)

// Mapping decodes a mapping with known keys, in the order in which they stand.
// What names the mapping in errors, `module "shop"` for example.
func (d *Decoder) Mapping(n *yaml.Node, what string, fields Fields) {
	d.mapping(n, what, fields, quoted)
}

// SecretMapping does the same for a mapping in whose place a secret may stand, by
// mistake: it hides a text there, and quotes none that is not nearly one of the keys.
func (d *Decoder) SecretMapping(n *yaml.Node, what string, fields Fields) {
	keys := slices.Sorted(maps.Keys(fields))
	if d.scalar(n, what, "a mapping with "+strings.Join(keys, ", ")) {
		return
	}
	d.mapping(n, what, fields, func(key string) string {
		if Nearest(key, keys) == "" {
			return ""
		}
		return quoted(key)
	})
}

func (d *Decoder) mapping(n *yaml.Node, what string, fields Fields, quote func(key string) string) {
	d.entries(n, what, quote, func(key, value *yaml.Node) {
		decode, ok := fields[key.Value]
		if !ok {
			d.Errorf(key, "unknown key%s in %s; %s", quote(key.Value), what, expected(key.Value, slices.Sorted(maps.Keys(fields))))
			return
		}
		decode(value)
	})
}

// quoted returns a key as it stands behind the word key.
func quoted(key string) string { return " " + strconv.Quote(key) }

// Entries calls each for every key and value of a mapping with free keys.
func (d *Decoder) Entries(n *yaml.Node, what string, each func(key, value *yaml.Node)) {
	d.entries(n, what, quoted, each)
}

// SecretEntries does the same for a mapping of names to secrets: it hides a text in
// its place, and does not quote it.
func (d *Decoder) SecretEntries(n *yaml.Node, what string, each func(key, value *yaml.Node)) {
	if !d.scalar(n, what, "a mapping (key: value)") {
		d.Entries(n, what, each)
	}
}

// scalar notes a text that stands in the place of a mapping, and hides it.
func (d *Decoder) scalar(n *yaml.Node, what, expected string) bool {
	if n.Kind != yaml.ScalarNode {
		return false
	}
	d.Hide(n)
	d.Errorf(n, "%s has no keys, expected %s", what, expected)
	return true
}

func (d *Decoder) entries(n *yaml.Node, what string, quote func(key string) string, each func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.Errorf(n, "%s is %s, expected a mapping (key: value)", what, describeKind(n))
		return
	}
	seen := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			d.Errorf(key, "a key in %s is %s, expected a word", what, Describe(key))
			continue
		}
		if first, twice := seen[key.Value]; twice {
			d.Errorf(key, "key%s stands twice in %s, first at %s", quote(key.Value), what, d.Position(first))
			continue
		}
		seen[key.Value] = key
		d.keys[value] = key.Value
		each(key, value)
	}
}

// Sequence calls each for every item of a list.
func (d *Decoder) Sequence(n *yaml.Node, what string, each func(item *yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		d.Errorf(n, "%s is %s, expected a list", what, describeKind(n))
		return
	}
	for _, item := range n.Content {
		d.keys[item] = d.keys[n]
		each(item)
	}
}

// Get returns the key and the value that stand in a mapping under a key, or nil.
func Get(n *yaml.Node, name string) (key, value *yaml.Node) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

// IsNull tells whether n is an explicit or empty null.
func IsNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// describeKind does what Describe does, and quotes no text: what stands in the
// place of a mapping or list may be a secret or have one in it.
func describeKind(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode {
		return Describe(n)
	}
	switch n.ShortTag() {
	case "!!null":
		return "an empty value"
	case "!!bool":
		return "a truth value"
	case "!!int", "!!float":
		return "a number"
	}
	return "a text"
}

// Describe says what n is, for the first half of "is …, expected …".
func Describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	text := n.Value
	if strings.Contains(text, "://") || strings.Contains(text, "@") { // it may hold a password
		text = Printable(text)
	}
	text = Shorten(text, 60)
	switch n.ShortTag() {
	case "!!null":
		return "an empty value"
	case "!!bool":
		return "the truth value " + text
	case "!!int", "!!float":
		return "the number " + text
	case "!!timestamp":
		return "the date " + text
	default:
		return fmt.Sprintf("the text %q", text)
	}
}

// expected says which keys there are, and which of them was probably meant.
func expected(found string, keys []string) string {
	list := "expected one of " + strings.Join(keys, ", ")
	if len(keys) == 1 {
		list = "expected " + keys[0]
	}
	if near := Nearest(found, keys); near != "" {
		return fmt.Sprintf("did you mean %q? %s", near, list)
	}
	return list
}
