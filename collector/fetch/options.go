// Package fetch is the source http: it asks a target for its documents over
// HTTP, within the deadline of a probe and the limits of its module.
//
// In go the options of a module (Options), credentials apart from it (Auth), and
// who may be asked (AllowList, Policy); a Client made of them is kept between
// probes, with its connections, TLS sessions and logins. Out comes a
// document.Document for each request, decoded or with the reason why not.
//
// A secret of a module goes only to targets that the configuration names, and an
// address that may not be asked is not connected to, whichever name, redirect or
// link led there.
package fetch

import (
	"net/http"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v4"

	"status_exporter/collector/document"
	"status_exporter/collector/query"
	"status_exporter/config/options"
)

// Options is what a module says about asking over HTTP. It is immutable once it
// is decoded.
type Options struct {
	scheme    string
	port      int // 0: none
	client    clientOptions
	allow     AllowList // nil: no list
	login     *login
	prefix    bool // the path of a target is a prefix: there is `documents:`
	documents []documentOptions
	names     []string // of documents
	variables []string // secrets that stand in the texts of all of it
	userNames []string // names that do: see options.Decoder.Variables
}

// documentOptions is how one document is asked for and read.
type documentOptions struct {
	request
	name      string
	optional  bool
	valid     []int // accepted status codes; nil: any 2xx
	bodyLimit int64 // bytes after decompression, over all pages
	format    document.Format
	pages     *pages
	failWhen  *query.Query
}

const defaultBodyLimit = 16 << 20

// Decode reads a module's `http:` and `documents:`, either of which may be nil.
// format is the module's, which a document may override.
func (o *Options) Decode(d *options.Decoder, http, documents *yaml.Node, format document.Format) {
	base := documentOptions{name: document.Status, bodyLimit: defaultBodyLimit, format: format}
	base.path.fixed = "/"
	*o = Options{scheme: "http", client: defaultClientOptions()}
	if http != nil {
		d.Mapping(http, "http", join(base.fields(d), options.Fields{
			"scheme": d.Enum(&o.scheme, "http", "https"),
			"port":   d.Int(&o.port, 1, 65535),
			"client": func(n *yaml.Node) { o.client.decode(d, n) },
			"allow":  func(n *yaml.Node) { o.allow.Decode(d, n) },
			"login": func(n *yaml.Node) {
				o.login = &login{}
				o.login.decode(d, n)
			},
		}))
	}
	o.variables, o.userNames = d.Variables(http)
	if documents == nil {
		o.add(base)
		return
	}
	o.prefix = true
	d.Entries(documents, "documents", func(key, value *yaml.Node) {
		o.add(base.document(d, key, value))
	})
	variables, userNames := d.Variables(documents)
	o.variables, o.userNames = append(o.variables, variables...), append(o.userNames, userNames...)
	if documents.Kind == yaml.MappingNode && len(o.documents) == 0 {
		d.Errorf(documents, "documents is empty, expected at least one name with its path")
	}
}

func (o *Options) add(document documentOptions) {
	o.documents, o.names = append(o.documents, document), append(o.names, document.name)
}

var documentName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// document decodes one entry under `documents:` on top of what stands under `http:`.
func (o *documentOptions) document(d *options.Decoder, key, value *yaml.Node) documentOptions {
	own := *o
	own.request = o.clone()
	own.name = key.Value
	if !documentName.MatchString(key.Value) {
		d.Errorf(key, "the document name %q cannot stand in $docs.NAME, expected letters, digits and _", key.Value)
	}
	d.Mapping(value, "the document "+key.Value, join(own.fields(d), options.Fields{
		"optional": d.Bool(&own.optional),
		"format":   func(n *yaml.Node) { own.format.DecodeYAML(d, n) },
	}))
	return own
}

func (o *documentOptions) fields(d *options.Decoder) options.Fields {
	return join(o.request.fields(d), options.Fields{
		"valid_status_codes": statusCodes(d, &o.valid),
		"body_size_limit":    d.Size(&o.bodyLimit),
		"fail_when":          query.Option(d, &o.failWhen),
		"pages": func(n *yaml.Node) {
			o.pages = &pages{}
			o.pages.decode(d, n)
		},
	})
}

// statusCodes decodes a list of status codes; a single one is a list of one.
func statusCodes(d *options.Decoder, into *[]int) func(*yaml.Node) {
	return func(n *yaml.Node) {
		*into = []int{}
		decode := func(n *yaml.Node) {
			code := 0
			d.Int(&code, 100, 599)(n)
			*into = append(*into, code)
		}
		if n.Kind == yaml.SequenceNode {
			d.Sequence(n, "a list of status codes", decode)
		} else {
			decode(n)
		}
	}
}

// accepts tells whether a status code is among the accepted ones.
func accepts(valid []int, code int) bool {
	if valid == nil {
		return code >= 200 && code <= 299
	}
	return slices.Contains(valid, code)
}

// Documents returns the names of the documents in the order of the file:
// document.Status where the module has only one.
func (o *Options) Documents() []string { return o.names }

// secret says which secret probes of the module send to their target, "" for none;
// replaced leaves out what an entry under auths replaces.
func (o *Options) secret(replaced bool) string {
	secret := o.client.key()
	if !replaced {
		secret = o.client.secret()
	}
	if secret == "" && o.login != nil {
		secret = o.login.secret()
	}
	for i := range o.documents {
		if secret == "" {
			secret = o.documents[i].secret(replaced)
		}
	}
	return secret
}

// Check notes the files that the options name and that cannot be used. Decode
// leaves them alone, as a module that nobody uses here may name files of a place
// where it is used.
func (o *Options) Check(d *options.Decoder) { o.client.check(d) }

// CheckTarget tells what is wrong with how a target is written, if anything.
func (o *Options) CheckTarget(target string) error {
	_, _, err := parseTarget(target, o.scheme, o.port)
	return err
}

// accepted are the media types that are asked for by the format of a document.
var accepted = map[string]string{
	"json": "application/json, */*;q=0.5",
	"xml":  "application/xml, text/xml;q=0.9, */*;q=0.5",
}

// defaultHeader returns the headers that a request has when it names no others.
func defaultHeader(format, userAgent string) http.Header {
	h := http.Header{"Accept": {"*/*"}, "Accept-Encoding": {"gzip"}}
	if accept := accepted[format]; accept != "" {
		h["Accept"] = []string{accept}
	}
	if userAgent != "" {
		h["User-Agent"] = []string{userAgent}
	}
	return h
}
