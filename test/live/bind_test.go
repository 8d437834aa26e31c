//go:build linux

package live_test

import (
	"encoding/json"
	"fmt"
	"net"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func TestBIND(t *testing.T) {
	named := find(t, "bind9", "named")
	dir, port, channel := workdir(t), freePort(t), freePort(t)
	writeFile(t, dir, "example.test", `$TTL 300
@ IN SOA ns.example.test. host.example.test. 2026112101 3600 600 86400 300
@ IN NS ns.example.test.
ns IN A 127.0.0.1
www IN A 192.0.2.1
`, 0o644)
	config := writeFile(t, dir, "named.conf", fmt.Sprintf(`
options {
	directory "%[1]s"; pid-file "%[1]s/pid"; session-keyfile "%[1]s/session.key";
	listen-on port %[2]d { 127.0.0.1; }; listen-on-v6 { none; };
	forwarders { 127.0.0.1 port %[3]d; }; forward only;
	dnssec-validation no; empty-zones-enable no; zone-statistics full;
};
controls { };
statistics-channels { inet 127.0.0.1 port %[4]d allow { 127.0.0.1; }; };
zone "example.test" { type primary; file "%[1]s/example.test"; };
`, dir, port, upstream(t), channel), 0o644)
	url := fmt.Sprintf("http://127.0.0.1:%d", channel)
	begin := time.Now()
	server := start(t, named, "-g", "-c", config)
	server.await(t, server.says("all zones loaded"))

	for range 10 {
		ask(t, port, "www.example.test.", dnsmessage.TypeA)
	}
	for range 4 {
		ask(t, port, "nothing.example.test.", dnsmessage.TypeA)
		ask(t, port, "www.example.test.", dnsmessage.TypeTXT)
	}
	for i := range 6 {
		ask(t, port, fmt.Sprintf("host%d.elsewhere.test.", i), dnsmessage.TypeA)
	}
	ask(t, port, "host0.elsewhere.test.", dnsmessage.TypeA) // from the cache
	ask(t, port, "none.elsewhere.test.", dnsmessage.TypeMX)

	ours := newExporter(t, "")
	got := ours.probeUntil(t, "bind", url, map[string]float64{
		"probe_success": 1,
		`bind_incoming_requests_total{opcode="QUERY"}`:                               26,
		`bind_incoming_queries_total{type="A"}`:                                      21,
		`bind_incoming_queries_total{type="TXT"}`:                                    4,
		`bind_response_rcodes_total{rcode="NOERROR"}`:                                21,
		`bind_response_rcodes_total{rcode="NXDOMAIN"}`:                               5,
		`bind_responses_total{result="Nxrrset"}`:                                     4,
		`bind_query_transport_total{transport="udp"}`:                                26,
		`bind_query_transport_total{transport="tcp"}`:                                0,
		`bind_query_recursions_total`:                                                7,
		`bind_recursive_clients`:                                                     0,
		`bind_zone_serial{view="_default",zone_name="example.test"}`:                 2026112101,
		`bind_zone_queries_total{type="A",view="_default",zone_name="example.test"}`: 14,
		`bind_resolver_queries_total{type="A",view="_default"}`:                      6,
		`bind_resolver_response_errors_total{error="NXDOMAIN",view="_default"}`:      1,
		`bind_resolver_query_duration_seconds_count{view="_default"}`:                7,
		`bind_resolver_cache_rrsets{type="A",view="_default"}`:                       6,
	})
	if boot := got["bind_boot_time_seconds"].value; boot < float64(begin.Unix()) || boot > float64(time.Now().Unix()+1) {
		t.Errorf("BIND was started at %v, want a time after %d", boot, begin.Unix())
	}
	var status struct{ Version string }
	if err := json.Unmarshal([]byte(get(t, url+"/json/v1/status")), &status); err != nil {
		t.Fatal(err)
	}
	got.want(t, map[string]float64{fmt.Sprintf("bind_info{version=%q}", status.Version): 1})

	t.Run("prometheus-bind-exporter", func(t *testing.T) {
		theirs := find(t, "prometheus-bind-exporter", "prometheus-bind-exporter")
		compare(t, "bind", ours.probes(t, "bind", url), dedicated(t, "/metrics", func(address string) []string {
			return []string{
				theirs, "--web.listen-address=" + address, "--bind.stats-url=" + url + "/",
				"--bind.stats-groups=server,view,tasks", "--bind.pid-file=" + dir + "/pid",
			}
		}), counterparts{
			"bind_up":                  isProbeSuccess,
			"bind_worker_threads":      none,
			"bind_process_":            none,
			"bind_boot_time_seconds":   within(1),
			"bind_config_time_seconds": within(1),
		})
	})
}

// ask asks a name server on UDP and waits for the answer.
func ask(t *testing.T, port int, name string, what dnsmessage.Type) {
	t.Helper()
	query := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: uint16(port), RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: what, Class: dnsmessage.ClassINET}},
	}
	packet, err := query.Pack()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := new(net.Dialer).DialContext(t.Context(), "udp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(readyWithin)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(packet); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 4096)); err != nil {
		t.Fatalf("asking for %s: %v", name, err)
	}
}

// upstream is a name server that knows the address of every host, and nothing
// of other types. It returns its port.
func upstream(t *testing.T) int {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		packet := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFromUDP(packet)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(packet[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.RecursionAvailable, m.RCode = true, true, dnsmessage.RCodeNameError
			m.Additionals = nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				m.RCode = dnsmessage.RCodeSuccess
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 300},
					Body:   &dnsmessage.AResource{A: [4]byte{192, 0, 2, 7}},
				}}
			}
			if answer, err := m.Pack(); err == nil {
				_, _ = conn.WriteToUDP(answer, from) // who does not get it asks again
			}
		}
	}()
	return conn.LocalAddr().(*net.UDPAddr).Port
}
