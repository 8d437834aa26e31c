//go:build linux

package live_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"
)

func TestNginx(t *testing.T) {
	nginx := find(t, "nginx-light", "nginx")
	dir, port := workdir(t), freePort(t)
	config := writeFile(t, dir, "nginx.conf", fmt.Sprintf(`
daemon off; worker_processes 1; pid %[1]s/pid; error_log stderr;
events { worker_connections 64; }
http {
	access_log off;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
	server {
		listen 127.0.0.1:%[2]d;
		location = /stub_status { stub_status; }
		location / { return 200 "here\n"; }
	}
}`, dir, port), 0o644)
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	start(t, nginx, "-c", config).await(t, answers(url+"/"))

	ours := newExporter(t, "")
	before := ours.probe(t, "nginx", url)
	visit(t, url, 20)
	connect(t, port, "GET / HTTP/1.1\r\n")
	connect(t, port, "GET / HTTP/1.1\r\n")
	keep(t, port, "/")

	got := ours.probeUntil(t, "nginx", url, map[string]float64{
		"probe_success":             1,
		"nginx_connections_reading": 2,
		"nginx_connections_writing": 1, // the probe
	})
	more := func(series string) float64 { return got[series].value - before[series].value }
	if more("nginx_http_requests_total") < 22 || more("nginx_connections_accepted_total") < 23 {
		t.Errorf("%v more requests and %v more connections, want at least 22 and 23",
			more("nginx_http_requests_total"), more("nginx_connections_accepted_total"))
	}
	if got["nginx_connections_waiting"].value < 1 || got["nginx_connections_active"].value < 4 {
		t.Errorf("%v connections wait of %v active ones, want at least 1 of 4",
			got["nginx_connections_waiting"].value, got["nginx_connections_active"].value)
	}

	t.Run("prometheus-nginx-exporter", func(t *testing.T) {
		theirs := find(t, "prometheus-nginx-exporter", "prometheus-nginx-exporter")
		compare(t, "nginx", ours.probes(t, "nginx", url), dedicated(t, "/metrics", func(address string) []string {
			return []string{theirs, "-nginx.scrape-uri=" + url + "/stub_status", "-web.listen-address=" + address}
		}), counterparts{
			"nginx_connections_accepted": as("nginx_connections_accepted_total", 1),
			"nginx_connections_handled":  as("nginx_connections_handled_total", 1),
			"nginx_up":                   isProbeSuccess,
		})
	})
}

// connect opens a connection that stays until the test ends, and sends text on it.
func connect(t *testing.T, port int, text string) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(readyWithin)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// keep asks for a page on a connection that is kept open afterwards.
func keep(t *testing.T, port int, path string) {
	t.Helper()
	conn := connect(t, port, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := drain(answer.Body); err != nil {
		t.Fatal(err)
	}
}
