package accesslog

import (
	"math"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
)

// Options are what stands under `access_log:` in a module.
type Options struct {
	Paths           []string  // absolute file names and globs; none in a module that others extend
	FromStart       bool      // lines that are there already are counted too
	History         bool      // so are those of rotated files
	Buckets         []float64 // upper bounds of request time, in seconds
	UpstreamBuckets []float64 // upper bounds of upstream time, in seconds
	SeriesLimit     int       // how many series of requests there may be

	parser                             parser
	patterns                           []pattern
	labelCode, labelMethod, labelVhost bool
}

// maxSeries is what Prometheus takes without complaint, and fits labels.
const maxSeries = 50_000

// defaultBuckets are those of Prometheus' client libraries, in seconds.
var defaultBuckets = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

// Decode reads the options from the configuration.
func (o *Options) Decode(d *options.Decoder, n *yaml.Node) {
	*o = Options{Buckets: defaultBuckets, UpstreamBuckets: defaultBuckets, SeriesLimit: 1000}
	if options.IsNull(n) {
		n = &yaml.Node{Kind: yaml.MappingNode, Line: n.Line, Column: n.Column}
	}
	from, format := "end", "combined"
	var fields, labels *yaml.Node
	keep := func(into **yaml.Node) func(*yaml.Node) { return func(n *yaml.Node) { *into = n } }
	d.Mapping(n, `"access_log"`, options.Fields{
		"path":             o.decodePaths(d),
		"from":             d.Enum(&from, "start", "end"),
		"history":          d.Bool(&o.History),
		"format":           d.Text(&format),
		"fields":           keep(&fields),
		"paths":            o.decodePatterns(d),
		"labels":           keep(&labels),
		"buckets":          decodeBuckets(d, &o.Buckets),
		"upstream_buckets": decodeBuckets(d, &o.UpstreamBuckets),
		"series_limit":     d.Int(&o.SeriesLimit, 1, maxSeries),
	})
	o.FromStart = from == "start"
	if key, _ := options.Get(n, "history"); o.History && !o.FromStart {
		d.Errorf(key, "history counts what is there already, expected from: start beside it")
	}
	read := o.decodeFormat(d, n, format, fields)
	o.decodeLabels(d, labels, read)
	for key, f := range map[string]field{"buckets": secondsField, "upstream_buckets": upstreamField} {
		if key, _ := options.Get(n, key); key != nil && read != nil && !read[f] {
			d.Warnf(key, "the format holds no such time, so that %s does nothing", key.Value)
		}
	}
}

// decodePaths decodes a file name or glob, or a list of them.
func (o *Options) decodePaths(d *options.Decoder) func(*yaml.Node) {
	return func(n *yaml.Node) {
		items := []*yaml.Node{n}
		if n.Kind == yaml.SequenceNode {
			items = n.Content
		}
		if len(items) == 0 {
			d.Errorf(n, `"path" is an empty list, expected file names`)
		}
		o.Paths = make([]string, len(items))
		for i, item := range items {
			d.File(&o.Paths[i])(item)
			if _, err := filepath.Match(o.Paths[i], ""); err != nil {
				d.Errorf(item, "%q is no glob: a bracket has no end", item.Value)
			}
		}
	}
}

// decodeFormat compiles the format and returns the fields that it holds, or nil
// where it is wrong.
func (o *Options) decodeFormat(d *options.Decoder, n *yaml.Node, format string, fields *yaml.Node) map[field]bool {
	if format == "json" {
		s := compileJSON(decodeFields(d, fields))
		o.parser = s
		return s.fields
	}
	if fields != nil {
		d.Errorf(fields, "fields names the members of JSON lines, expected format: json beside it")
	}
	s, err := compileFormat(format)
	if err != nil {
		if _, node := options.Get(n, "format"); node != nil {
			n = node
		}
		d.Errorf(n, "%v", err)
		return nil
	}
	o.parser = s
	return s.fields
}

// decodeFields decodes which member of a JSON line holds which field.
func decodeFields(d *options.Decoder, n *yaml.Node) map[string]string {
	names := make(map[string]string)
	if n == nil {
		return names
	}
	known := make(options.Fields)
	given := make(map[field]string)
	for name, f := range jsonFields {
		known[name] = func(n *yaml.Node) {
			if before, twice := given[f.field]; twice {
				d.Errorf(n, "fields has both %s and %s, expected one of them", before, name)
			}
			given[f.field] = name
			var member string
			d.Text(&member)(n)
			names[name] = member
		}
	}
	d.Mapping(n, `"fields"`, known)
	return names
}

// decodePatterns decodes the patterns of URL paths: a text, or {name, pattern}.
func (o *Options) decodePatterns(d *options.Decoder) func(*yaml.Node) {
	return func(n *yaml.Node) {
		o.patterns = nil
		d.Sequence(n, `"paths"`, func(item *yaml.Node) {
			var name, text string
			if item.Kind == yaml.MappingNode {
				d.Mapping(item, `an item of "paths"`, options.Fields{"name": d.Text(&name), "pattern": d.Text(&text)})
			} else {
				d.Text(&text)(item)
			}
			if name == "" {
				name = text
			}
			p, err := compilePattern(name, text)
			if err != nil {
				d.Errorf(item, "%v", err)
				return
			}
			o.patterns = append(o.patterns, p)
		})
		if len(o.patterns) > maxPatterns {
			d.Errorf(n, `"paths" has %d patterns, expected at most %d`, len(o.patterns), maxPatterns)
		}
	}
}

// maxPatterns keeps the time that a line takes within bounds.
const maxPatterns = 1000

// decodeLabels decodes which labels there are; by default those that the format
// holds. The label path is there where there are patterns.
func (o *Options) decodeLabels(d *options.Decoder, n *yaml.Node, read map[field]bool) {
	all := map[string]*bool{"code": &o.labelCode, "method": &o.labelMethod, "vhost": &o.labelVhost}
	held := map[string]bool{
		"code":   true,
		"method": read[requestField] || read[methodField],
		"vhost":  read[vhostField],
	}
	if n == nil {
		for name, set := range all {
			*set = held[name]
		}
		return
	}
	d.Sequence(n, `"labels"`, func(item *yaml.Node) {
		var name string
		d.Enum(&name, "code", "method", "vhost")(item)
		if name == "" {
			return
		}
		*all[name] = true
		if read != nil && !held[name] {
			d.Errorf(item, "the format does not hold the label %s", name)
		}
	})
}

// decodeBuckets decodes upper bounds in seconds.
func decodeBuckets(d *options.Decoder, into *[]float64) func(*yaml.Node) {
	return func(n *yaml.Node) {
		*into = nil
		d.Sequence(n, "buckets", func(item *yaml.Node) {
			var bound float64
			failed := d.Failed()
			d.Float(&bound)(item)
			if d.Failed() > failed {
				return
			}
			if !(bound > 0) || math.IsInf(bound, 0) || len(*into) > 0 && bound <= slices.Max(*into) {
				d.Errorf(item, "found the bound %s, expected seconds above 0 that rise from bucket to bucket; +Inf is added", strings.TrimSpace(item.Value))
				return
			}
			*into = append(*into, bound)
		})
	}
}
