package fetch

import (
	"cmp"

	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
)

// Auth is one entry under `auths:`: credentials that a probe names instead of
// those of its module, and whom they may be sent to.
//
// Its client and headers win over the module's key by key. The module's own
// credentials are then never sent: those under its client, and its headers that
// are secrets. What the module's params, body and login hold is still sent, and
// is still bound to whom the module may ask.
type Auth struct {
	name    string
	client  clientOptions
	headers map[string]text
	allow   AllowList // nil: no list

	variables []string // secrets that stand in its texts
	userNames []string // names that do
}

// Decode reads the entry called name.
func (a *Auth) Decode(d *options.Decoder, n *yaml.Node, name string) {
	*a = Auth{name: name, client: defaultClientOptions()}
	d.SecretMapping(n, "the auths entry "+name, options.Fields{
		"client": func(n *yaml.Node) {
			a.client.decode(d, n)
			a.client.check(d)
		},
		"headers": func(n *yaml.Node) { decodeHeaders(d, n, &a.headers) },
		"allow":   func(n *yaml.Node) { a.allow.Decode(d, n) },
	})
	a.variables, a.userNames = d.Variables(n)
}

// secret says which secret the entry holds, "" for none.
func (a *Auth) secret() string { return cmp.Or(secretHeader(a.headers), a.client.secret()) }
