package fetch

import (
	"fmt"
	"net/netip"
	"strings"

	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
)

// An AllowList says who may be asked, or who may not. Its entries are
//
//	http://*.shop.example:8000   scheme, host and port; without a port the scheme's own, :* for any
//	*.shop.example, shop:8000    the host, and the port where one stands; any scheme
//	10.0.0.7, 10.0.0.0/8         the address that is connected to
//	unix:/run/*.sock             unix sockets by their file
//	*                            any host; no unix socket
//
// * stands for any characters, dots and slashes too. Hosts are compared without
// regard to case. Where a list denies, http://10.0.0.7:8000 also names what is
// connected to there under another name; where it allows, a secret may depend on
// it, and it names that URL alone. An AllowList is immutable.
type AllowList []allowed

// An allowed is one entry: a range of addresses, a pattern of socket files, or
// patterns of the parts of a URL.
type allowed struct {
	written string
	network netip.Prefix
	socket  string
	scheme  string // "": any
	host    string
	address netip.Addr // where the host is an address, the one that is meant
	port    string     // "*": any
}

// ParseAllowList reads the entries of an allow list.
func ParseAllowList(entries []string) (AllowList, error) {
	list := make(AllowList, 0, len(entries))
	for _, entry := range entries {
		a, err := parseAllowed(entry, entry)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

// Decode decodes a list of entries; a single entry is a list of one. ${NAME} is
// expanded.
func (l *AllowList) Decode(d *options.Decoder, n *yaml.Node) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	*l = make(AllowList, 0, len(items))
	for _, item := range items {
		entry, failed := "", d.Failed()
		d.ExpandedHosts(&entry)(item)
		if d.Failed() > failed {
			continue
		}
		a, err := parseAllowed(entry, item.Value)
		if err != nil {
			d.Errorf(item, "%v", err)
			continue
		}
		*l = append(*l, a)
	}
}

// parseAllowed reads an entry. Errors quote it as it is written.
func parseAllowed(entry, written string) (allowed, error) {
	a := allowed{written: written, port: "*"}
	if file, ok := strings.CutPrefix(entry, "unix:"); ok {
		if !strings.HasPrefix(file, "/") && file != "*" {
			return a, badEntry(written, "expected the absolute name of a socket after unix:")
		}
		a.socket = file
		return a, nil
	}
	if prefix, err := netip.ParsePrefix(entry); err == nil {
		if prefix.Addr().Is4In6() { // what is connected to is compared as IPv4
			if prefix.Bits() < 96 {
				return a, badEntry(written, "expected at least 96 bits for a range of IPv4-mapped addresses")
			}
			prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
		}
		a.network = prefix.Masked()
		return a, nil
	}
	if address, err := netip.ParseAddr(entry); err == nil {
		address = canonicalAddress(address)
		a.network = netip.PrefixFrom(address, address.BitLen())
		return a, nil
	}
	host := entry
	if scheme, rest, ok := strings.Cut(entry, "://"); ok {
		if scheme != "http" && scheme != "https" {
			return a, badEntry(written, "expected http:// or https://")
		}
		a.scheme, host, a.port = scheme, strings.TrimSuffix(rest, "/"), defaultPort(scheme)
	}
	if strings.ContainsAny(host, "/?#@ ") {
		return a, badEntry(written, "expected a host pattern without user name, path and query")
	}
	return a.withHost(host)
}

func (a allowed) withHost(host string) (allowed, error) {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host, a.port = host[:i], host[i+1:]
		if a.port != "*" {
			var err error
			if a.port, err = canonicalPort(a.port); err != nil {
				return a, badEntry(a.written, "expected a port from 1 to 65535 or * after the colon")
			}
		}
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.Contains(host, "*") && strings.Trim(host, "0123456789.*:") == "" && strings.Trim(host, "*") != "" {
		return a, badEntry(a.written, "expected a range such as 10.0.0.0/8 for addresses")
	}
	var err error
	if a.host, err = canonicalPattern(host); err != nil {
		return a, badEntry(a.written, "expected a host pattern")
	}
	if _, err := netip.ParseAddr(strings.TrimSuffix(host, ".")); err != nil && endsInNumber(a.host) {
		return a, badEntry(a.written, "expected an address in full such as 10.0.0.7, or a range such as 10.0.0.0/8")
	}
	if address, err := netip.ParseAddr(a.host); err == nil {
		a.address = canonicalAddress(address)
	}
	return a, nil
}

// ideographic are the dots that end a label in the scripts of East Asia.
var ideographic = strings.NewReplacer("\u3002", ".", "\uff0e", ".", "\uff61", ".")

// canonicalPattern returns a host pattern as it is compared, without a final dot.
// Each label is brought into its form alone, those with * excepted.
func canonicalPattern(host string) (string, error) {
	if !strings.Contains(host, "*") {
		canonical, err := canonicalHost(host)
		return strings.TrimSuffix(canonical, "."), err
	}
	labels := strings.Split(strings.TrimSuffix(strings.ToLower(ideographic.Replace(host)), "."), ".")
	for i, label := range labels {
		if rest := strings.ReplaceAll(label, "*", ""); rest != label {
			if strings.ContainsFunc(rest, func(r rune) bool { return r >= 0x80 || !validHostByte(byte(r)) }) {
				return "", fmt.Errorf("%q is not a pattern", label)
			}
			continue
		}
		canonical, err := asciiName(label)
		if err != nil || canonical == "" {
			return "", fmt.Errorf("%q is not the label of a host", label)
		}
		labels[i] = canonical
	}
	return strings.Join(labels, "."), nil
}

func badEntry(written, expected string) error {
	return fmt.Errorf("%q cannot say who may be asked, %s; for example http://*.shop.example:8000, 10.0.0.0/8, unix:/run/name.sock or *",
		options.Printable(written), expected)
}

// entryOf returns the entry that names exactly o.
func entryOf(o origin) allowed {
	if o.socket != "" {
		return allowed{written: o.String(), socket: o.socket}
	}
	a := allowed{written: o.String(), scheme: o.scheme, host: o.host, port: o.port}
	if o.address.IsValid() {
		a.address = canonicalAddress(o.address)
	}
	return a
}

// matchesName tells whether the entry names o by what stands in its URL.
func (a allowed) matchesName(o origin) bool {
	switch {
	case a.network.IsValid():
		return false
	case a.socket != "" || o.socket != "":
		return a.socket != "" && o.socket != "" && glob(a.socket, o.socket)
	}
	return a.matchesPort(o) && glob(a.host, o.host)
}

// matchesPort tells whether the entry is for the scheme and the port of o.
func (a allowed) matchesPort(o origin) bool {
	return (a.scheme == "" || a.scheme == o.scheme) && (a.port == "*" || a.port == o.port)
}

// names tells whether the entry names the special address that a reading of c
// gives: as an address, or as a range that holds nothing but others of the same
// special range.
func (a allowed) names(o origin, c connected, r reading, within netip.Prefix) bool {
	switch {
	case a.address.IsValid():
		return a.address == c.meant && a.matchesPort(o)
	case !a.network.IsValid():
		return false
	}
	return a.network.Contains(c.address) && a.network.Bits() >= r.fixed(within.Bits()) ||
		r.address == c.meant && a.network.Contains(c.meant) && a.network.Bits() >= within.Bits()
}

// byName returns the entry that names o, if any.
func (l AllowList) byName(o origin) (allowed, bool) {
	for _, a := range l {
		if a.matchesName(o) {
			return a, true
		}
	}
	return allowed{}, false
}

// holds tells whether the range of an entry holds address.
func (l AllowList) holds(address netip.Addr) bool {
	for _, a := range l {
		if a.network.IsValid() && a.network.Contains(address) {
			return true
		}
	}
	return false
}

// denying returns the entry that denies address to o, if any: a range that holds
// it, or a URL of the same address.
func (l AllowList) denying(o origin, address netip.Addr) (allowed, bool) {
	for _, a := range l {
		if a.network.IsValid() && a.network.Contains(address) || a.address.IsValid() && a.address == address && a.matchesPort(o) {
			return a, true
		}
	}
	return allowed{}, false
}

// hasNetworks tells whether an entry can only be checked on an address.
func (l AllowList) hasNetworks() bool {
	for _, a := range l {
		if a.network.IsValid() {
			return true
		}
	}
	return false
}

// glob tells whether s matches a pattern in which * stands for any characters.
func glob(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return true
}
