package document

import (
	"context"

	"go.yaml.in/yaml/v4"

	"status_exporter/collector/tree"
	"status_exporter/config/options"
)

// Limits bound what a document may become; they are checked while decoding.
type Limits struct {
	Depth  int // nesting of arrays and objects
	Values int // values of any kind, keys not counted; those of all pages together

	Before int // values of the same document that were decoded already, of other pages

	// Share is asked for the memory that decoding takes beyond its values, and gets it
	// back; nil where none is.
	Share Share
}

// DefaultLimits are the limits of a module that sets none. A document that just
// keeps them costs up to 60 MB of memory as JSON, CSV or keyvalue, 450 MB as XML and
// 600 MB as YAML.
var DefaultLimits = Limits{Depth: 1000, Values: 1_000_000}

// leastMembers is how many members an object may have however few values a document may.
const leastMembers = 10_000

// Members returns how many members one object may have: a quarter of the values. What
// works on all of them in one step, sorting the keys above all, cannot be interrupted,
// and takes a fifth of a second for as many as a million values allow.
func (l Limits) Members() int { return max(l.Values/4, leastMembers) }

// A Decoder turns the bytes of one answer into a value. It is immutable and
// safe for concurrent use. contentType is the header of that name, for formats
// whose encoding may be declared there; it never changes the format.
//
// The error says what is wrong and where (line and column where the format has
// lines); one that passes a limit is a *Failure with reason ReasonLimit, and one
// that tells of an ended context wraps the context's error. The value may share
// memory with body, which must not change as long as the value is used. It may be a
// *tree.Node instead of the Go value: tree.Go tells.
type Decoder interface {
	Decode(ctx context.Context, body []byte, contentType string, limits Limits) (any, error)
}

// A compactDecoder makes nodes of package tree, with a Builder that is the caller's.
type compactDecoder interface {
	build(ctx context.Context, body []byte, contentType string, limits Limits, b *tree.Builder) (any, error)
}

// A Format is the format of a module's documents as the configuration names it:
// `json`, or `{csv: {delimiter: ";"}}`.
type Format struct {
	Name string
	Decoder
}

// JSON is the default format.
var JSON = Format{"json", jsonDecoder{}}

// DecodeYAML reads the format from the configuration: its name, or a mapping with
// the name as its only key and the options of the format under it.
func (f *Format) DecodeYAML(d *options.Decoder, n *yaml.Node) {
	*f = JSON
	name, opts := n, none(n)
	if n.Kind == yaml.MappingNode {
		if len(n.Content) != 2 {
			d.Errorf(n, `"format" has %d keys, expected one: the name of the format, with its options under it`, len(n.Content)/2)
			return
		}
		name, opts = n.Content[0], n.Content[1]
		if options.IsNull(opts) {
			opts = none(opts)
		}
	}
	var word string
	d.Enum(&word, "json", "yaml", "xml", "csv", "keyvalue", "regexp")(name)
	switch word {
	case "json":
		withoutOptions(d, word, opts)
	case "yaml":
		withoutOptions(d, word, opts)
		*f = Format{word, yamlDecoder{}}
	case "xml":
		*f = Format{word, newXML(d, opts)}
	case "csv":
		*f = Format{word, newCSV(d, opts)}
	case "keyvalue":
		*f = Format{word, newKeyValue(d, opts)}
	case "regexp":
		*f = Format{word, newRegexp(d, opts)}
	}
}

// none returns a mapping without options in the place of n.
func none(n *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Line: n.Line, Column: n.Column}
}

func withoutOptions(d *options.Decoder, name string, n *yaml.Node) {
	if n.Kind != yaml.MappingNode || len(n.Content) > 0 {
		d.Errorf(n, "found %s under %s, which has no options", options.Describe(n), name)
	}
}
