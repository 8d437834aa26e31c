package fetch

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"

	"status_exporter/config/options"
)

// A BadTargetError says that a target cannot be asked because of how it is written.
type BadTargetError struct {
	Target  string // without userinfo and query values
	Message string // what was found and what was expected
}

func (e *BadTargetError) Error() string {
	return fmt.Sprintf("target %q: %s", e.Target, e.Message)
}

// An origin is who is asked: a scheme, host and port, or a unix socket. Allow
// lists, kept connections and logins are about origins.
type origin struct {
	scheme  string     // http or https
	host    string     // lower case, ASCII, without brackets and final dot
	address netip.Addr // where the host is an address
	port    string     // always a number, without leading zeros
	socket  string     // the file of a unix socket; host and port are then empty
}

// String returns the origin as a URL.
func (o origin) String() string {
	switch {
	case o.socket != "":
		return "unix:" + o.socket
	case o.port == defaultPort(o.scheme):
		return o.scheme + "://" + bracket(o.host)
	}
	return o.scheme + "://" + bracket(o.host) + ":" + o.port
}

func bracket(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// targetLimit is the longest target that is accepted, in bytes.
const targetLimit = 4096

const targetForms = "expected http://host:port/path, https://…, host:port or unix:/run/name.sock:/path"

// parseTarget reads the target of a probe. Its URL has no path where the target
// names none. scheme and port (0 for none) complete a target given bare.
func parseTarget(target, scheme string, port int) (*url.URL, origin, error) {
	u, err := targetURL(target, scheme, port)
	if err != nil {
		return nil, origin{}, &BadTargetError{options.Printable(target), err.Error()}
	}
	o, err := settle(u)
	if err != nil {
		return nil, origin{}, &BadTargetError{options.Printable(target), err.Error()}
	}
	if u.Path == "/" {
		u.Path, u.RawPath = "", ""
	}
	return u, o, nil
}

func targetURL(target, scheme string, port int) (*url.URL, error) {
	switch {
	case target == "":
		return nil, fmt.Errorf("empty, %s", targetForms)
	case len(target) > targetLimit:
		return nil, fmt.Errorf("%d bytes long, expected at most %d", len(target), targetLimit)
	}
	if rest, ok := strings.CutPrefix(target, "unix:"); ok {
		return socketURL(rest, scheme)
	}
	bare := false
	switch found, _, ok := strings.Cut(target, "://"); {
	case !ok || strings.ContainsAny(found, "/?#[]@"):
		bare = true
		if a, err := netip.ParseAddr(target); err == nil && a.Is6() {
			target = "[" + target + "]"
		}
		target = scheme + "://" + target
	case !options.IsScheme(found):
		return nil, fmt.Errorf("not a URL, %s", targetForms)
	case !strings.EqualFold(found, "http") && !strings.EqualFold(found, "https"):
		return nil, fmt.Errorf("the scheme %q is never fetched, %s", found, targetForms)
	}
	u, err := url.Parse(target)
	switch {
	case err != nil:
		return nil, fmt.Errorf("not a URL, %s", targetForms)
	case u.User != nil:
		return nil, errors.New("it holds a user name or password, which would show in labels and logs; credentials belong in the module's http.client or under auths")
	case u.Opaque != "":
		return nil, fmt.Errorf("not a URL, %s", targetForms)
	case strings.HasSuffix(u.Host, ":"):
		return nil, fmt.Errorf("no port stands after the colon, %s", targetForms)
	}
	if bare && u.Port() == "" && port != 0 {
		u.Host = bracket(u.Hostname()) + ":" + strconv.Itoa(port)
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

// socketURL returns the URL for FILE or FILE:/PATH. The host of the URL names
// the file in a way that no parsed URL can, so that it is also the key under
// which the connections to the socket are kept.
func socketURL(rest, scheme string) (*url.URL, error) {
	if scheme != "http" {
		return nil, fmt.Errorf("a unix socket is asked with plain HTTP, and the module's scheme is %s", scheme)
	}
	rest = strings.TrimPrefix(rest, "//")
	file, request, hasPath := strings.Cut(rest, ":/")
	if !path.IsAbs(file) || strings.ContainsRune(file, 0) {
		return nil, errors.New("expected the absolute name of a socket, such as unix:/run/name.sock:/path")
	}
	u := &url.URL{}
	if hasPath {
		var err error
		if u, err = url.Parse("http://localhost/" + request); err != nil {
			return nil, fmt.Errorf("%q is not a path, %s", options.Printable("/"+request), targetForms)
		}
	}
	u.Scheme, u.Host = "http", socketHost+hex.EncodeToString([]byte(path.Clean(file)))
	return u, nil
}

const socketHost = "unix/"

// socketOf returns the file of the unix socket that a URL asks, or "".
func socketOf(u *url.URL) string {
	encoded, ok := strings.CutPrefix(u.Host, socketHost)
	if !ok {
		return ""
	}
	file, err := hex.DecodeString(encoded)
	if err != nil {
		return ""
	}
	return string(file)
}

// originOf returns who a URL asks.
func originOf(u *url.URL) (origin, error) {
	o, _, err := readOrigin(u)
	return o, err
}

// settle returns who a URL asks, and writes its host and port into it as they were
// read: what is checked is what is dialled then. A port that it does not name is
// left out, as the header Host repeats it.
func settle(u *url.URL) (origin, error) {
	o, host, err := readOrigin(u)
	if err != nil || o.socket != "" {
		return o, err
	}
	port := u.Port()
	if u.Host = bracket(host); port != "" {
		u.Host += ":" + o.port
	}
	return o, nil
}

// readOrigin returns who a URL asks, and the host as it is dialled.
func readOrigin(u *url.URL) (o origin, host string, err error) {
	o = origin{scheme: u.Scheme, socket: socketOf(u)}
	if o.socket != "" {
		return o, "", nil
	}
	if o.scheme != "http" && o.scheme != "https" {
		return o, "", fmt.Errorf("the scheme %q is never fetched, expected http or https", u.Scheme)
	}
	if host, err = canonicalHost(u.Hostname()); err != nil {
		return o, "", err
	}
	o.host = strings.TrimSuffix(host, ".")
	o.address, _ = netip.ParseAddr(o.host)
	if o.port, err = canonicalPort(cmp.Or(u.Port(), defaultPort(o.scheme))); err != nil {
		return o, "", fmt.Errorf("the port is %s, expected a number from 1 to 65535", options.Shorten(u.Port(), options.Shown))
	}
	return o, host, nil
}

// canonicalPort returns the number of a port as it is compared: without leading
// zeros.
func canonicalPort(port string) (string, error) {
	n, err := strconv.ParseUint(port, 10, 16)
	if err == nil && n == 0 {
		err = strconv.ErrRange
	}
	return strconv.FormatUint(n, 10), err
}

// shown returns a URL as it may be shown: without userinfo and query values.
func shown(u *url.URL) string {
	query := ""
	if u.RawQuery != "" {
		query = "?" + options.HideValues(u.RawQuery)
	}
	if socket := socketOf(u); socket != "" {
		if u.Path == "" && query == "" {
			return "unix:" + socket
		}
		return "unix:" + socket + ":" + u.EscapedPath() + query
	}
	return u.Scheme + "://" + strings.Replace(u.Host, "%", "%25", 1) + u.EscapedPath() + query
}
