//go:build linux

package live_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestLighttpd(t *testing.T) {
	lighttpd := find(t, "lighttpd", "lighttpd")
	dir, port := workdir(t), freePort(t)
	writeFile(t, dir, "page.txt", strings.Repeat("y", 10_000), 0o644)
	config := writeFile(t, dir, "lighttpd.conf", fmt.Sprintf(`
server.document-root = "%s"
server.bind = "127.0.0.1"
server.port = %d
server.max-connections = 16
server.max-keep-alive-idle = 60
server.modules = ("mod_status")
status.status-url = "/server-status"
`, dir, port), 0o644)
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	start(t, lighttpd, "-D", "-f", config).await(t, answers(url+"/page.txt"))

	ours := newExporter(t, "")
	before := ours.probe(t, "lighttpd", url)
	visit(t, url+"/page.txt", 50)
	connect(t, port, "GET / HTTP/1.1\r\n")
	connect(t, port, "GET / HTTP/1.1\r\n")
	connect(t, port, "GET / HTTP/1.1\r\n")
	keep(t, port, "/page.txt")
	ours.probeUntil(t, "lighttpd", url, map[string]float64{
		"probe_success":                               1,
		`lighttpd_scoreboard{state="read"}`:           3,
		`lighttpd_scoreboard{state="keepalive"}`:      1,
		`lighttpd_scoreboard{state="handle_request"}`: 1, // the probe
		`lighttpd_scoreboard{state="idle"}`:           11,
		`lighttpd_connections{state="busy"}`:          5,
		`lighttpd_connections{state="idle"}`:          11,
	})
	// Its counters move once a second.
	eventually(t, "lighttpd to count", func(context.Context) error {
		got := ours.probe(t, "lighttpd", url)
		requests := got["lighttpd_requests_total"].value - before["lighttpd_requests_total"].value
		bytes := got["lighttpd_sent_bytes_total"].value - before["lighttpd_sent_bytes_total"].value
		if requests < 51 || bytes < 51*10_000 {
			return fmt.Errorf("%v more requests and %v more bytes, want at least 51 and 510000", requests, bytes)
		}
		return nil
	})

	// Its other page says the same in other words.
	eventually(t, "the pages of lighttpd to agree", func(context.Context) error {
		var page struct{ RequestsTotal, TrafficTotal, Uptime, BusyServers, IdleServers float64 }
		if err := json.Unmarshal([]byte(get(t, url+"/server-status?json")), &page); err != nil {
			return err
		}
		return ours.probe(t, "lighttpd", url).differ(map[string]float64{
			"lighttpd_requests_total":            page.RequestsTotal,
			"lighttpd_sent_bytes_total":          page.TrafficTotal * 1024,
			"lighttpd_uptime_seconds":            page.Uptime,
			`lighttpd_connections{state="busy"}`: page.BusyServers,
			`lighttpd_connections{state="idle"}`: page.IdleServers,
		})
	})
}
