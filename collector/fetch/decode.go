package fetch

import (
	"maps"

	"github.com/prometheus/common/config"
	"go.yaml.in/yaml/v4"
	"golang.org/x/net/http/httpguts"

	"status_exporter/config/options"
)

func join(fields ...options.Fields) options.Fields {
	all := make(options.Fields)
	for _, f := range fields {
		maps.Copy(all, f)
	}
	return all
}

// exclusive notes an error where more than one of keys stands in n.
func exclusive(d *options.Decoder, n *yaml.Node, what string, keys ...string) {
	first := ""
	for _, name := range keys {
		key, _ := options.Get(n, name)
		switch {
		case key == nil:
		case first == "":
			first = name
		default:
			d.Errorf(key, "%s has both %s and %s, expected one of them", what, first, name)
		}
	}
}

// headerName tells whether a key is the name of a header. It is not quoted where it is
// not: the value may stand in it.
func headerName(d *options.Decoder, key *yaml.Node) bool {
	valid := httpguts.ValidHeaderFieldName(key.Value)
	if !valid {
		d.Errorf(key, "a key is not the name of a header, expected one such as X-Api-Key with its value behind the colon")
	}
	return valid
}

// secret decodes a text that is shown to nobody; ${NAME} is expanded.
func secret(d *options.Decoder, into *config.Secret) func(*yaml.Node) {
	return func(n *yaml.Node) {
		d.Hide(n)
		var text string
		if n.Kind != yaml.ScalarNode {
			d.Errorf(n, "found %s, expected a text", options.Describe(n))
			return
		}
		d.Expanded(&text)(n)
		*into = config.Secret(text)
	}
}

// secrets decodes names to texts that are shown to nobody.
func secrets(d *options.Decoder, what string, into *map[string]string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		*into = make(map[string]string, len(n.Content)/2)
		d.SecretEntries(n, what, func(key, value *yaml.Node) {
			var s config.Secret
			secret(d, &s)(value)
			(*into)[key.Value] = string(s)
		})
	}
}

// describeURL is options.Describe for what may hold a password.
func describeURL(n *yaml.Node) string {
	c := *n
	c.Value = options.Printable(n.Value)
	return options.Describe(&c)
}
