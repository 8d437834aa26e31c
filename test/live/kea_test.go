//go:build linux

package live_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
)

func TestKea(t *testing.T) {
	server := find(t, "kea-dhcp4-server", "kea-dhcp4")
	agent := find(t, "kea-ctrl-agent", "kea-ctrl-agent")
	dir, web, dhcp := workdir(t), freePort(t), freeUDPPort(t)
	relay := listenUDP(t, "127.0.0.1:0")
	config := writeFile(t, dir, "dhcp4.conf", fmt.Sprintf(`{"Dhcp4": {
		"control-socket": {"socket-type": "unix", "socket-name": "%s/kea.sock"},
		"interfaces-config": {"interfaces": ["lo/127.0.0.1"], "dhcp-socket-type": "udp"},
		"lease-database": {"type": "memfile", "persist": false},
		"subnet4": [
			{"id": 1, "subnet": "192.0.2.0/24", "relay": {"ip-addresses": ["127.0.0.1"]}, "pools": [{"pool": "192.0.2.10 - 192.0.2.12"}]},
			{"id": 20, "subnet": "198.51.100.0/24", "pools": [{"pool": "198.51.100.10 - 198.51.100.109"}]}
		],
		"loggers": [{"name": "kea-dhcp4", "output_options": [{"output": "stdout"}], "severity": "INFO"}]
	}}`, dir), 0o644)
	agentConfig := writeFile(t, dir, "agent.conf", fmt.Sprintf(`{"Control-agent": {
		"http-host": "127.0.0.1", "http-port": %d,
		"control-sockets": {"dhcp4": {"socket-type": "unix", "socket-name": "%s/kea.sock"}},
		"loggers": [{"name": "kea-ctrl-agent", "output_options": [{"output": "stdout"}], "severity": "INFO"}]
	}}`, web, dir), 0o644)
	here := func(c *exec.Cmd) { c.Env = append(os.Environ(), "KEA_PIDFILE_DIR="+dir, "KEA_LOCKFILE_DIR="+dir) }
	dhcp4 := startWith(t, here, server, "-c", config, "-p", strconv.Itoa(dhcp), "-P", strconv.Itoa(relay.LocalAddr().(*net.UDPAddr).Port))
	startWith(t, here, agent, "-c", agentConfig).await(t, listens(web))

	e, target := newExporter(t, ""), fmt.Sprintf("http://127.0.0.1:%d", web)
	e.probeUntil(t, "kea", target, map[string]float64{
		"probe_success": 1,
		`kea_subnet_addresses{service="dhcp4",subnet_id="20"}`: 100,
	})
	for client := range 3 {
		lease(t, relay, dhcp, byte(client))
	}
	// The pool is empty: the fourth client gets no offer.
	discover := dhcpMessage(1, 3)
	send(t, relay, dhcp, discover)

	got := e.probeUntil(t, "kea", target, map[string]float64{
		"probe_success": 1,
		`kea_packets_received_total{service="dhcp4",type="discover"}`:         4,
		`kea_packets_received_total{service="dhcp4",type="request"}`:          3,
		`kea_packets_sent_total{service="dhcp4",type="offer"}`:                3,
		`kea_packets_sent_total{service="dhcp4",type="ack"}`:                  3,
		`kea_packets_dropped_total{service="dhcp4"}`:                          0,
		`kea_allocation_failures_total{service="dhcp4"}`:                      1,
		`kea_subnet_addresses{service="dhcp4",subnet_id="1"}`:                 3,
		`kea_subnet_assigned_addresses{service="dhcp4",subnet_id="1"}`:        3,
		`kea_subnet_assigned_addresses{service="dhcp4",subnet_id="20"}`:       0,
		`kea_subnet_allocation_failures_total{service="dhcp4",subnet_id="1"}`: 1,
	})
	var sent float64
	for _, s := range got.family("kea_packets_sent_total") {
		sent += s.value
	}
	answer := decode[[]struct {
		Arguments map[string][][2]any
	}](t, newAPI(target, "Accept", "application/json").ask(t, http.MethodPost, "/",
		`{"command": "statistic-get", "service": ["dhcp4"], "arguments": {"name": "pkt4-sent"}}`))
	if says := answer[0].Arguments["pkt4-sent"][0][0]; says != sent {
		t.Errorf("Kea says that it sent %v packets, the types sum up to %v", says, sent)
	}

	// The control agent answers for a server that is not there, with status 200.
	down := scrape(t, e.url+"/probe?"+url.Values{"module": {"kea"}, "target": {target}, "service": {"dhcp6"}}.Encode())
	down.want(t, map[string]float64{
		"probe_success": 0,
		`status_probe_failure_info{document="status",reason="told"}`: 1,
	})
	if err := dhcp4.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	e.probeUntil(t, "kea", target, map[string]float64{
		"probe_success": 0,
		`status_probe_failure_info{document="status",reason="told"}`: 1,
	})
}

var dhcpCookie = []byte{99, 130, 83, 99} // RFC 2131, section 3

// dhcpMessage returns a message of a client that came by way of the relay
// 127.0.0.1 (RFC 2131, section 2), up to the end of its options.
func dhcpMessage(kind, client byte, options ...byte) []byte {
	m := make([]byte, 236)
	copy(m, []byte{1, 1, 6, 1})                         // a request over Ethernet, one hop
	binary.BigEndian.PutUint32(m[4:], uint32(client)+1) // the transaction
	copy(m[24:], []byte{127, 0, 0, 1})                  // the relay
	copy(m[28:], []byte{2, 0, 0, 0, 0, client})         // the hardware address
	m = append(append(m, dhcpCookie...), 53, 1, kind)
	return append(append(m, options...), 255)
}

func send(t *testing.T, from net.PacketConn, port int, message []byte) {
	t.Helper()
	if _, err := from.WriteTo(message, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}); err != nil {
		t.Fatal(err)
	}
}

// lease gets an address as a client does: discover, offer, request, ack.
func lease(t *testing.T, relay net.PacketConn, port int, client byte) {
	t.Helper()
	send(t, relay, port, dhcpMessage(1, client))
	offer := receive(t, relay)
	request := append([]byte{50, 4}, offer[16:20]...)   // the address offered
	request = append(request, dhcpOption(offer, 54)...) // the server that offers it
	send(t, relay, port, dhcpMessage(3, client, request...))
	if ack := receive(t, relay); !bytes.Equal(dhcpOption(ack, 53), []byte{53, 1, 5}) {
		t.Fatalf("client %d got no acknowledgement but % x", client, dhcpOption(ack, 53))
	}
}

func receive(t *testing.T, relay net.PacketConn) []byte {
	t.Helper()
	packet := make([]byte, 1500)
	n, _, err := relay.ReadFrom(packet)
	if err != nil {
		t.Fatal(err)
	}
	return packet[:n]
}

// dhcpOption returns an option of a message with its code and length.
func dhcpOption(message []byte, code byte) []byte {
	_, options, _ := bytes.Cut(message, dhcpCookie)
	for len(options) > 1 && int(options[1])+2 <= len(options) {
		option := options[:options[1]+2]
		if option[0] == code {
			return option
		}
		options = options[len(option):]
	}
	return nil
}
