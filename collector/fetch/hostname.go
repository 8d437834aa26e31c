package fetch

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// longestHost is how many bytes the name of a host has at most (RFC 1035 section 2.3.4).
const longestHost = 255

// canonicalHost returns a host in the one form in which it is compared and
// dialled: lower case and ASCII, an address as netip writes it. Only a final dot
// stays with a name, as it says that no search domain is to be tried.
func canonicalHost(host string) (string, error) {
	if len(host) > longestHost {
		return "", fmt.Errorf("the host has %d bytes, expected at most %d", len(host), longestHost)
	}
	if a, err := netip.ParseAddr(host); err == nil {
		if strings.ContainsFunc(a.Zone(), func(r rune) bool { return !validZoneRune(r) }) {
			return "", fmt.Errorf("%q is not the name of a host", host)
		}
		return a.Unmap().String(), nil
	}
	name, err := asciiName(host)
	if err != nil {
		return "", err
	}
	labels := strings.TrimSuffix(name, ".")
	switch {
	case labels == "":
		return "", fmt.Errorf("it names no host, %s", targetForms)
	case strings.Contains("."+labels+".", ".."):
		return "", fmt.Errorf("%q is not the name of a host", host)
	case !endsInNumber(labels):
		return name, nil
	}
	a, ok := parseLooseIPv4(labels)
	if !ok {
		return "", fmt.Errorf("%q ends in a number and is no IPv4 address, expected one such as 10.0.0.7, or the name of a host", host)
	}
	return a.String(), nil
}

// asciiName returns a name, or a label of one, in lower case and ASCII.
func asciiName(name string) (string, error) {
	ascii := name
	if strings.ContainsFunc(name, func(r rune) bool { return r >= 0x80 }) {
		var err error
		if ascii, err = idna.Lookup.ToASCII(name); err != nil {
			return "", fmt.Errorf("%q is not the name of a host", name)
		}
	}
	ascii = strings.ToLower(ascii)
	for i := range len(ascii) {
		if !validHostByte(ascii[i]) {
			return "", fmt.Errorf("%q is not the name of a host", name)
		}
	}
	return ascii, nil
}

func validHostByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_'
}

func validZoneRune(r rune) bool {
	return r >= 'A' && r <= 'Z' || r < 0x80 && validHostByte(byte(r))
}

// endsInNumber tells whether resolvers may read a name as an IPv4 address (the
// "ends in a number checker" of the URL standard, https://url.spec.whatwg.org).
func endsInNumber(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	if digits, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

// parseLooseIPv4 reads an address as inet_aton of the C library does, and with it
// resolvers and proxies: one to four numbers, decimal, octal after 0 or
// hexadecimal after 0x, of which the last one fills what is left.
func parseLooseIPv4(name string) (netip.Addr, bool) {
	parts := strings.Split(name, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var whole uint64
	for i, part := range parts {
		base := 10
		if digits, ok := strings.CutPrefix(part, "0x"); ok {
			base, part = 16, "0"+digits
		} else if len(part) > 1 && part[0] == '0' {
			base = 8
		}
		bits := 8
		if i == len(parts)-1 {
			bits = 8 * (4 - i)
		}
		n, err := strconv.ParseUint(part, base, bits)
		if err != nil {
			return netip.Addr{}, false
		}
		whole = whole<<bits | n
	}
	return netip.AddrFrom4([4]byte{byte(whole >> 24), byte(whole >> 16), byte(whole >> 8), byte(whole)}), true
}
