//go:build linux

package live_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

func TestPowerDNS(t *testing.T) {
	s := startPowerDNS(t)
	for range 5 {
		askDNS(t, "udp", s.dns, "www.shop.example.", dnsmessage.TypeA)
	}
	askDNS(t, "tcp", s.dns, "www.shop.example.", dnsmessage.TypeAAAA)
	askDNS(t, "udp", s.dns, "no.shop.example.", dnsmessage.TypeA)
	askDNS(t, "udp", s.dns, "elsewhere.example.", dnsmessage.TypeA)

	url := fmt.Sprintf("http://127.0.0.1:%d", s.web)
	e := newExporter(t, fmt.Sprintf(`
modules:
  dns:
    extends: powerdns
    http:
      headers: {X-API-Key: {secret: key}}
      allow: [%q]
`, url))
	got := e.probeUntil(t, "dns", url, map[string]float64{
		"probe_success": 1,
		`pdns_auth_queries_total{transport="udp4"}`:                       7,
		`pdns_auth_queries_total{transport="tcp4"}`:                       1,
		`pdns_auth_answers_total{transport="udp4"}`:                       7,
		`pdns_auth_responses_by_qtype_total{qtype="AAAA"}`:                1,
		`pdns_auth_responses_by_rcode_total{rcode="No Error"}`:            6,
		`pdns_auth_responses_by_rcode_total{rcode="Non-Existent domain"}`: 1,
		`pdns_auth_responses_by_rcode_total{rcode="Query Refused"}`:       1,
		`pdns_auth_response_size_bytes_bucket{le="65535"}`:                8,
		"pdns_auth_response_size_bytes_count":                             8,
		"pdns_auth_nxdomain_packets_total":                                1,
		"pdns_auth_unauth_packets_total":                                  1,
		`pdns_auth_cache_hits_total{cache="packet"}`:                      4,
	})
	says := scrape(t, url+"/metrics")
	for ours, theirs := range map[string]string{
		`pdns_auth_answers_bytes_total{transport="udp4"}`: "pdns_auth_udp4_answers_bytes",
		`pdns_auth_answers_bytes_total{transport="tcp4"}`: "pdns_auth_tcp4_answers_bytes",
		`pdns_auth_cache_misses_total{cache="packet"}`:    "pdns_auth_packetcache_miss",
		`pdns_auth_cache_entries{cache="query"}`:          "pdns_auth_query_cache_size",
		"pdns_auth_backend_queries_total":                 "pdns_auth_backend_queries",
		"pdns_auth_overload_drops_total":                  "pdns_auth_overload_drops",
		"pdns_auth_security_status":                       "pdns_auth_security_status",
		"pdns_auth_qsize_q":                               "pdns_auth_qsize_q",
	} {
		got.want(t, map[string]float64{ours: says[theirs].value})
	}
	for series := range says.family("pdns_auth_info") {
		got.want(t, map[string]float64{series: 1})
	}

	// Without the key the server answers 401.
	got = e.probe(t, "powerdns", url)
	got.want(t, map[string]float64{
		"probe_success": 0,
		`status_probe_failure_info{document="statistics",reason="status"}`: 1,
	})
}

// A powerDNS is an authoritative server for shop.example.
type powerDNS struct{ dns, web int } // its ports

func startPowerDNS(t *testing.T) powerDNS {
	t.Helper()
	server := find(t, "pdns-server", "pdns_server")
	findFile(t, "pdns-backend-bind", "/usr/lib/*/pdns/libbindbackend.so")
	dir, s := workdir(t), powerDNS{freePort(t), freePort(t)}
	zone := writeFile(t, dir, "shop.zone", `
$ORIGIN shop.example.
$TTL 60
@ IN SOA ns1 admin 1 3600 600 86400 60
@ IN NS ns1
ns1 IN A 192.0.2.1
www IN A 192.0.2.2
www IN AAAA 2001:db8::2
`, 0o644)
	zones := writeFile(t, dir, "named.conf", fmt.Sprintf("zone \"shop.example\" { type master; file %q; };\n", zone), 0o644)
	writeFile(t, dir, "pdns.conf", fmt.Sprintf(`
launch=bind
bind-config=%s
local-address=127.0.0.1
local-port=%d
socket-dir=%s
webserver=yes
webserver-address=127.0.0.1
webserver-port=%d
webserver-allow-from=127.0.0.0/8
api=yes
api-key=key
security-poll-suffix=
`, zones, s.dns, dir, s.web), 0o644)
	p := start(t, server, "--config-dir="+dir, "--daemon=no", "--guardian=no")
	p.await(t, answers(fmt.Sprintf("http://127.0.0.1:%d/metrics", s.web)))
	p.await(t, listens(s.dns))
	return s
}

// askDNS asks a name server and returns the code of its answer.
func askDNS(t *testing.T, network string, port int, name string, what dnsmessage.Type) dnsmessage.RCode {
	t.Helper()
	query := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 1, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: what, Class: dnsmessage.ClassINET}},
	}
	packet, err := query.Pack()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := new(net.Dialer).DialContext(t.Context(), network, fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answer := make([]byte, 4096)
	if network == "tcp" {
		packet = append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...)
	}
	if _, err := conn.Write(packet); err != nil {
		t.Fatal(err)
	}
	n := 0
	if network == "tcp" {
		if _, err = io.ReadFull(conn, answer[:2]); err == nil {
			n, err = io.ReadFull(conn, answer[:binary.BigEndian.Uint16(answer)])
		}
	} else {
		n, err = conn.Read(answer)
	}
	if err != nil {
		t.Fatalf("asking for %s: %v", name, err)
	}
	var message dnsmessage.Message
	if err := message.Unpack(answer[:n]); err != nil {
		t.Fatal(err)
	}
	return message.RCode
}
