package document

import (
	"bytes"
	"context"
	"encoding/json"

	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
)

// Limits bound what a document may become; they are checked while decoding.
type Limits struct {
	Depth  int // nesting of arrays and objects
	Values int // values of any kind, keys not counted
}

// DefaultLimits are the limits of a module that sets none.
var DefaultLimits = Limits{Depth: 1000, Values: 5_000_000}

// A Decoder turns the bytes of one answer into a value. It is immutable and
// safe for concurrent use. contentType is the header of that name, for formats
// whose encoding may be declared there; it never changes the format.
//
// The error says what is wrong and where (line and column where the format has
// lines); one that passes a limit is a *Failure with reason ReasonLimit. The value may
// share memory with body, which must not change as long as the value is used.
type Decoder interface {
	Decode(ctx context.Context, body []byte, contentType string, limits Limits) (any, error)
}

// A Format is the format of a module's documents as the configuration names it:
// `json`, or `{csv: {delimiter: ";"}}`.
type Format struct {
	Name string
	Decoder
}

// JSON is the default format.
var JSON = Format{"json", jsonDecoder{}}

// DecodeYAML reads the format from the configuration.
func (f *Format) DecodeYAML(d *options.Decoder, n *yaml.Node) {
	d.Enum(&f.Name, "json")(n)
	f.Decoder = jsonDecoder{}
}

type jsonDecoder struct{}

func (jsonDecoder) Decode(_ context.Context, body []byte, _ string, _ Limits) (any, error) {
	var v any
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	err := dec.Decode(&v)
	return v, err
}
