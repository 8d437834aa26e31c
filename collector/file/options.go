package file

import (
	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
)

// Options are what stands under `file:` in a module.
type Options struct {
	Path          string // absolute
	BodySizeLimit int64  // bytes; a larger file is not read
}

// defaultBodySizeLimit is the limit of the http source too, in bytes.
const defaultBodySizeLimit = 16 << 20

// Decode reads the options from the configuration.
func (o *Options) Decode(d *options.Decoder, n *yaml.Node) {
	*o = Options{BodySizeLimit: defaultBodySizeLimit}
	d.Mapping(n, `"file"`, options.Fields{
		"path":            d.File(&o.Path),
		"body_size_limit": d.Size(&o.BodySizeLimit),
	})
	if key, _ := options.Get(n, "path"); key == nil && n.Kind == yaml.MappingNode {
		d.Errorf(n, `"file" has no path, expected path: the file to read`)
	}
}
