package fetch

import (
	"fmt"
	"net/netip"
	"strings"
)

// A RefusedError says that the configuration does not allow to ask a target.
type RefusedError struct {
	Target string // who was to be asked, without userinfo and query
	Rule   string // which rule refuses it, and what would allow it
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s may not be asked: %s", e.Target, e.Rule)
}

// Policy holds for the probes of all modules.
type Policy struct {
	Allow AllowList // who may be asked; empty: anyone
	Deny  AllowList // who may never be asked, whatever else allows it
}

// special are the ranges that lead to the machine's own network card or the
// cloud's metadata service, which hands out credentials. They are refused unless
// an allow list names them.
var special = []netip.Prefix{
	netip.MustParsePrefix("169.254.0.0/16"),     // link-local (RFC 3927); metadata of most clouds
	netip.MustParsePrefix("fe80::/10"),          // link-local (RFC 4291)
	netip.MustParsePrefix("fd00:ec2::/32"),      // metadata of AWS
	netip.MustParsePrefix("fd20:ce::254/128"),   // metadata of Google Cloud
	netip.MustParsePrefix("100.100.100.200/32"), // metadata of Alibaba Cloud
	netip.MustParsePrefix("168.63.129.16/32"),   // host service of Azure
	netip.MustParsePrefix("192.0.0.192/32"),     // metadata of Oracle Cloud
}

// nat64 is the well-known prefix that holds IPv4 addresses (RFC 6052).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// canonicalAddress returns the address that is meant: the IPv4 address within an
// IPv6 one, and the loopback address where the unspecified one stands, which
// leads to the machine itself.
func canonicalAddress(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	switch {
	case a == netip.IPv4Unspecified():
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case a == netip.IPv6Unspecified():
		return netip.IPv6Loopback()
	}
	return a
}

// A condition is an allow list that must match, and whose it is.
type condition struct {
	list AllowList
	rule string // what is said when it does not match
}

// A guard decides whom the probes of one client may ask. It is immutable.
type guard struct {
	deny       AllowList
	conditions []condition // each must match
	named      AllowList   // every entry that can name a special address or a socket
}

// name checks an origin as it stands in a URL, before anything is sent. Behind a
// proxy only this check is made: a name that matches no pattern is refused there
// even where its address might match a range.
func (g *guard) name(o origin, proxied bool) error {
	if rule, denied := g.deny.byName(o); denied {
		return &RefusedError{o.String(), "--probe.deny-targets names " + rule.written}
	}
	if o.socket != "" {
		if _, ok := g.named.byName(o); !ok {
			return &RefusedError{o.String(), "a unix socket is asked only where an allow list or a configured target names it"}
		}
	}
	if o.address.IsValid() {
		return g.address(o, o.address)
	}
	for _, c := range g.conditions {
		if _, ok := c.list.byName(o); !ok && (proxied || o.socket != "" || !c.list.hasNetworks()) {
			return &RefusedError{o.String(), c.rule}
		}
	}
	return nil
}

// address checks the address that is connected to for an origin.
func (g *guard) address(o origin, address netip.Addr) error {
	address = canonicalAddress(address)
	refused := func(rule string) error {
		who := o.String()
		if o.host != address.String() {
			who += " (" + address.String() + ")"
		}
		return &RefusedError{who, rule}
	}
	if rule, denied := g.deny.byAddress(address); denied {
		return refused("--probe.deny-targets names " + rule.written)
	}
	for _, within := range special {
		if within.Contains(address) && !g.namesSpecial(address, within) {
			return refused("it is a link-local or cloud metadata address, asked only where an allow list names " + address.String())
		}
	}
	for _, c := range g.conditions {
		if _, ok := c.list.byName(o); ok {
			continue
		}
		if _, ok := c.list.byAddress(address); !ok {
			return refused(c.rule)
		}
	}
	return nil
}

func (g *guard) namesSpecial(address netip.Addr, within netip.Prefix) bool {
	for _, a := range g.named {
		if a.names(address, within) {
			return true
		}
	}
	return false
}

// newGuard makes the guard of a module, and of the entry under auths that a
// probe may name beside it.
func newGuard(o *Options, s *Settings) (*guard, error) {
	var trusted AllowList
	for _, target := range s.Trusted {
		_, origin, err := parseTarget(target, o.scheme, o.port)
		if err != nil {
			return nil, err
		}
		trusted = append(trusted, entryOf(origin))
	}
	g := &guard{deny: s.Policy.Deny}
	g.named = append(append(g.named, s.Policy.Allow...), trusted...)
	if len(s.Policy.Allow) > 0 {
		g.conditions = append(g.conditions, condition{s.Policy.Allow, "--probe.allow-targets does not name it"})
	}
	g.bind("module "+s.Module, o.allow, o.hasSecret(s.Auth != nil), trusted)
	if s.Auth != nil {
		g.bind("auths entry "+s.Auth.name, s.Auth.allow, s.Auth.hasSecret(), trusted)
	}
	return g, nil
}

// bind adds the condition that an allow list or a secret makes.
func (g *guard) bind(whose string, allow AllowList, secret bool, trusted AllowList) {
	switch {
	case allow != nil:
		g.named = append(g.named, allow...)
		g.conditions = append(g.conditions, condition{allow, "the allow list of " + whose + " does not name it"})
	case secret:
		rule := whose + " holds a secret and has no allow list, so that it is sent only to the configured targets that use it"
		g.conditions = append(g.conditions, condition{trusted, rule})
	}
}

// atConfigured returns a guard for an address that the configuration itself
// names, such as a token endpoint: only what is denied is refused.
func (g *guard) atConfigured(o origin) *guard {
	return &guard{deny: g.deny, named: AllowList{entryOf(o)}}
}

// sensitive tells whether the name of a header suggests that its value is a
// credential.
func sensitive(header string) bool {
	header = strings.ToLower(header)
	for _, word := range []string{"auth", "cookie", "token", "key", "secret", "password", "passwd", "session", "credential", "signature"} {
		if strings.Contains(header, word) {
			return true
		}
	}
	return false
}
