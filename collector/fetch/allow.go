package fetch

import (
	"fmt"
	"net/netip"
	"strconv"
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
// regard to case. An AllowList is immutable.
type AllowList []allowed

// An allowed is one entry: a range of addresses, a pattern of socket files, or
// patterns of the parts of a URL.
type allowed struct {
	written string
	network netip.Prefix
	socket  string
	scheme  string // "": any
	host    string
	port    string // "*": any
}

// ParseAllowList reads the entries of an allow list.
func ParseAllowList(entries []string) (AllowList, error) {
	list := make(AllowList, 0, len(entries))
	for _, entry := range entries {
		a, err := parseAllowed(entry)
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
		d.Expanded(&entry)(item)
		if d.Failed() > failed {
			continue
		}
		a, err := parseAllowed(entry)
		if err != nil {
			d.Errorf(item, "%v", err)
			continue
		}
		*l = append(*l, a)
	}
}

func parseAllowed(entry string) (allowed, error) {
	a := allowed{written: entry, port: "*"}
	if file, ok := strings.CutPrefix(entry, "unix:"); ok {
		if !strings.HasPrefix(file, "/") && file != "*" {
			return a, badEntry(entry, "expected the absolute name of a socket after unix:")
		}
		a.socket = file
		return a, nil
	}
	if prefix, err := netip.ParsePrefix(entry); err == nil {
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
			return a, badEntry(entry, "expected http:// or https://")
		}
		a.scheme, host, a.port = scheme, strings.TrimSuffix(rest, "/"), defaultPort(scheme)
	}
	if strings.ContainsAny(host, "/?#@ ") {
		return a, badEntry(entry, "expected a host pattern without user name, path and query")
	}
	return a.withHost(host)
}

func (a allowed) withHost(host string) (allowed, error) {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host, a.port = host[:i], host[i+1:]
		if n, err := strconv.ParseUint(a.port, 10, 16); a.port != "*" && (err != nil || n == 0) {
			return a, badEntry(a.written, "expected a port from 1 to 65535 or * after the colon")
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
	return a, nil
}

// canonicalPattern returns a host pattern as it is compared. Each label is
// brought into its form alone, those with * excepted.
func canonicalPattern(host string) (string, error) {
	if !strings.Contains(host, "*") {
		return canonicalHost(host)
	}
	labels := strings.Split(strings.ToLower(host), ".")
	for i, label := range labels {
		if rest := strings.ReplaceAll(label, "*", ""); rest != label {
			if strings.ContainsFunc(rest, func(r rune) bool { return r >= 0x80 || !validHostByte(byte(r)) }) {
				return "", fmt.Errorf("%q is not a pattern", label)
			}
			continue
		}
		canonical, err := canonicalHost(label)
		if err != nil {
			return "", err
		}
		labels[i] = canonical
	}
	return strings.Join(labels, "."), nil
}

func badEntry(entry, expected string) error {
	return fmt.Errorf("%q cannot say who may be asked, %s; for example http://*.shop.example:8000, 10.0.0.0/8, unix:/run/name.sock or *",
		printable(entry), expected)
}

// entryOf returns the entry that names exactly o.
func entryOf(o origin) allowed {
	if o.socket != "" {
		return allowed{written: o.String(), socket: o.socket}
	}
	return allowed{written: o.String(), scheme: o.scheme, host: o.host, port: o.port}
}

// matchesName tells whether the entry names o by what stands in its URL.
func (a allowed) matchesName(o origin) bool {
	switch {
	case a.network.IsValid():
		return false
	case a.socket != "" || o.socket != "":
		return a.socket != "" && o.socket != "" && glob(a.socket, o.socket)
	}
	return (a.scheme == "" || a.scheme == o.scheme) && (a.port == "*" || a.port == o.port) && glob(a.host, o.host)
}

// names tells whether the entry names an address itself: as an address, or as a
// range that holds nothing but others of the same special range.
func (a allowed) names(address netip.Addr, within netip.Prefix) bool {
	if a.network.IsValid() {
		return a.network.Contains(address) && a.network.Bits() >= within.Bits()
	}
	return a.host == address.String()
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

// byAddress returns the entry whose range holds address, if any.
func (l AllowList) byAddress(address netip.Addr) (allowed, bool) {
	for _, a := range l {
		if a.network.IsValid() && a.network.Contains(address) {
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
