package fetch

import (
	"fmt"
	"net/netip"
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
// an allow list or a target in the configuration names them.
var special = []netip.Prefix{
	netip.MustParsePrefix("169.254.0.0/16"),     // link-local (RFC 3927); metadata of most clouds
	netip.MustParsePrefix("fe80::/10"),          // link-local (RFC 4291)
	netip.MustParsePrefix("fd00:ec2::/32"),      // metadata of AWS
	netip.MustParsePrefix("fd20:ce::254/128"),   // metadata of Google Cloud
	netip.MustParsePrefix("100.100.100.200/32"), // metadata of Alibaba Cloud
	netip.MustParsePrefix("168.63.129.16/32"),   // host service of Azure
	netip.MustParsePrefix("192.0.0.192/32"),     // metadata of Oracle Cloud

	netip.MustParsePrefix("fd00:42::42/128"),        // metadata of Scaleway
	netip.MustParsePrefix("fd00:c1::a9fe:a9fe/128"), // metadata of Oracle Cloud
	netip.MustParsePrefix("fd00:a9fe:a9fe::1/128"),  // metadata of Akamai (Linode)
	netip.MustParsePrefix("fd00:100::100:200/128"),  // metadata of Alibaba Cloud
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

// An embedding is a form of IPv6 addresses that may lead to an IPv4 address they
// hold.
type embedding struct {
	network  netip.Prefix
	at       [4]int // the bytes that hold it
	inverted bool
}

// embeddings are those that are known without asking the network. Which of the
// lengths of RFC 6052 is used below 64:ff9b:1::/48 is for each network to say.
var embeddings = []embedding{
	{nat64, [4]int{12, 13, 14, 15}, false},
	{netip.MustParsePrefix("64:ff9b:1::/48"), [4]int{12, 13, 14, 15}, false}, // NAT64 for local use (RFC 8215)
	{netip.MustParsePrefix("64:ff9b:1::/48"), [4]int{9, 10, 11, 12}, false},
	{netip.MustParsePrefix("64:ff9b:1::/48"), [4]int{7, 9, 10, 11}, false},
	{netip.MustParsePrefix("64:ff9b:1::/48"), [4]int{6, 7, 9, 10}, false},
	{netip.MustParsePrefix("2002::/16"), [4]int{2, 3, 4, 5}, false},           // 6to4 (RFC 3056)
	{netip.MustParsePrefix("2001::/32"), [4]int{12, 13, 14, 15}, true},        // the client of Teredo (RFC 4380)
	{netip.MustParsePrefix("::/96"), [4]int{12, 13, 14, 15}, false},           // IPv4-compatible (RFC 4291)
	{netip.MustParsePrefix("::ffff:0:0:0/96"), [4]int{12, 13, 14, 15}, false}, // IPv4-translated (RFC 2765)
}

// A connected is an address that is connected to.
type connected struct {
	address netip.Addr // as it is, IPv4-mapped ones as IPv4
	meant   netip.Addr // the canonical one
}

func connectedTo(a netip.Addr) connected {
	return connected{a.Unmap().WithZone(""), canonicalAddress(a)}
}

// A reading is an address that a connection may lead to.
type reading struct {
	address netip.Addr
	within  *embedding // nil: it is not held by another one
}

// fixed returns how many bits of the address connected to must be fixed so that
// those of the reading are.
func (r reading) fixed(bits int) int {
	if r.within == nil || bits == 0 {
		return bits
	}
	last := bits - 1
	return 8*r.within.at[last/8] + last%8 + 1
}

// appendReadings appends all readings of an address, itself first.
func (c connected) appendReadings(readings []reading) []reading {
	readings = append(readings, reading{address: c.address})
	known := c.meant == c.address
	for i := range embeddings {
		e := &embeddings[i]
		if !e.network.Contains(c.address) {
			continue
		}
		var v4 [4]byte
		bytes := c.address.As16()
		for i, at := range e.at {
			v4[i] = bytes[at]
			if e.inverted {
				v4[i] = ^v4[i]
			}
		}
		if v4[0] == 0 { // nothing is sent there, and ::1 is not 0.0.0.1
			continue
		}
		r := reading{netip.AddrFrom4(v4), e}
		readings = append(readings, r)
		known = known || r.address == c.meant
	}
	if !known {
		readings = append(readings, reading{address: c.meant})
	}
	return readings
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

// address checks the address that is connected to for an origin. What is denied or
// special is so in each of its readings; what is allowed must be so in itself.
func (g *guard) address(o origin, address netip.Addr) error {
	c := connectedTo(address)
	refused := func(address netip.Addr, rule string) error {
		who := o.String()
		if o.host != address.String() {
			who += " (" + address.String() + ")"
		}
		return &RefusedError{who, rule}
	}
	var buffer [8]reading
	readings := c.appendReadings(buffer[:0])
	for _, r := range readings {
		if rule, denied := g.deny.denying(o, r.address); denied {
			return refused(r.address, "--probe.deny-targets names "+rule.written)
		}
	}
	for _, r := range readings {
		for _, within := range special {
			if within.Contains(r.address) && !g.namesSpecial(o, c, r, within) {
				return refused(r.address, "it is a link-local or cloud metadata address, asked only where an allow list or a configured target names "+c.meant.String())
			}
		}
	}
	for _, condition := range g.conditions {
		if _, ok := condition.list.byName(o); !ok && !condition.list.holds(c.address) && !condition.list.holds(c.meant) {
			return refused(c.meant, condition.rule)
		}
	}
	return nil
}

func (g *guard) namesSpecial(o origin, c connected, r reading, within netip.Prefix) bool {
	for _, a := range g.named {
		if a.names(o, c, r, within) {
			return true
		}
	}
	return false
}

// newGuard makes the guard of a module, and of the entry under auths that a
// probe may name beside it.
func newGuard(o *Options, s *Settings) *guard {
	trusted := entriesOf(o, s.Trusted)
	named := append(entriesOf(o, s.Named), trusted...)
	g := &guard{deny: s.Policy.Deny}
	g.named = append(append(g.named, s.Policy.Allow...), named...)
	if len(s.Policy.Allow) > 0 {
		g.conditions = append(g.conditions, condition{s.Policy.Allow, "--probe.allow-targets does not name it"})
	}
	g.bind("module "+s.Module, o.allow, o.secret(s.Auth != nil), trusted)
	if s.Auth != nil {
		g.bind("auths entry "+s.Auth.name, s.Auth.allow, s.Auth.secret(), named)
	}
	return g
}

// entriesOf returns the entries that name exactly who is asked for targets. Those
// that the module cannot ask, such as a unix socket with https, are none of its own.
func entriesOf(o *Options, targets []string) AllowList {
	list := make(AllowList, 0, len(targets))
	for _, target := range targets {
		if _, origin, err := parseTarget(target, o.scheme, o.port); err == nil {
			list = append(list, entryOf(origin))
		}
	}
	return list
}

// bind adds the condition that an allow list or a secret makes. secret says what is
// taken for one.
func (g *guard) bind(whose string, allow AllowList, secret string, trusted AllowList) {
	switch {
	case allow != nil:
		g.named = append(g.named, allow...)
		g.conditions = append(g.conditions, condition{allow, "the allow list of " + whose + " does not name it"})
	case secret != "":
		rule := whose + " holds a secret and has no allow list, so that it is sent only to the configured targets that use it (module and auth of a target say so); the secret is " + secret
		g.conditions = append(g.conditions, condition{trusted, rule})
	}
}

// atConfigured returns a guard for an address that the configuration itself
// names, such as a token endpoint: only what is denied is refused.
func (g *guard) atConfigured(o origin) *guard {
	return &guard{deny: g.deny, named: AllowList{entryOf(o)}}
}
