//go:build linux

package live_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

func TestApache(t *testing.T) {
	apache := find(t, "apache2", "apache2", "httpd")
	dir, port := workdir(t), freePort(t)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := drain(r.Body); err != nil {
			return
		}
		io.WriteString(w, strings.Repeat("y", 3000))
	}))
	t.Cleanup(backend.Close)
	gone := freePort(t)
	modules := "/usr/lib/apache2/modules"
	load := func(names ...string) (lines string) {
		for _, name := range names {
			lines += fmt.Sprintf("LoadModule %s_module %s\n", name, filepath.Join(modules, "mod_"+name+".so"))
		}
		return lines
	}
	config := writeFile(t, dir, "httpd.conf", fmt.Sprintf(`
ServerRoot %[1]s
ServerName localhost
DefaultRuntimeDir %[1]s
PidFile %[1]s/pid
ErrorLog /dev/stderr
Listen 127.0.0.1:%[2]d
%[3]s
%[4]s
DocumentRoot %[1]s
ServerLimit 2
StartServers 2
ThreadsPerChild 5
MinSpareThreads 5
MaxSpareThreads 10
MaxRequestWorkers 10
ExtendedStatus On
ProxyStatus On
<Location /server-status>
	SetHandler server-status
	Require all granted
</Location>
<Proxy balancer://app>
	BalancerMember %[5]s
	BalancerMember http://127.0.0.1:%[6]d status=+H
</Proxy>
ProxyPass /app balancer://app
<Proxy balancer://gone>
	BalancerMember http://127.0.0.1:%[6]d
</Proxy>
ProxyPass /gone balancer://gone
`, dir, port, load("mpm_event", "authz_core", "status", "proxy", "proxy_http", "slotmem_shm", "lbmethod_byrequests", "proxy_balancer"),
		asRoot("User www-data\nGroup www-data"), backend.URL, gone), 0o644)
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	server := start(t, apache, "-f", config, "-DFOREGROUND")
	server.await(t, answers(url+"/server-status?auto"))

	ours := newExporter(t, "")
	before := ours.probe(t, "apache", url)
	before.want(t, map[string]float64{
		"probe_success":                        1,
		`apache_workers{state="busy"}`:         1, // the probe
		`apache_workers{state="idle"}`:         9,
		`apache_scoreboard{state="reply"}`:     1,
		`apache_scoreboard{state="idle"}`:      9,
		`apache_scoreboard{state="open_slot"}`: 0,
		`apache_processes{state="running"}`:    2,
		`apache_generation{type="config"}`:     1,
		`apache_proxy_balancer_status{balancer="balancer://app",status="Ok",worker="` + backend.URL + `"}`: 1,
	})
	visit(t, url+"/app", 30)
	visit(t, url+"/gone", 5)
	connect(t, port, "GET / HTTP/1.1\r\n")
	connect(t, port, "GET / HTTP/1.1\r\n")
	worker := func(name, balancer, address string) string {
		return fmt.Sprintf(`apache_proxy_balancer_%s{balancer="balancer://%s",worker="%s"}`, name, balancer, address)
	}
	goneURL := fmt.Sprintf("http://127.0.0.1:%d", gone)
	got := ours.probeUntil(t, "apache", url, map[string]float64{
		"probe_success":                                1,
		`apache_scoreboard{state="read"}`:              2,
		`apache_workers{state="busy"}`:                 3,
		`apache_workers{state="idle"}`:                 7,
		worker("accesses_total", "app", backend.URL):   30,
		worker("accesses_total", "app", goneURL):       0,
		worker("response_bytes_total", "app", goneURL): 0,
		worker("accesses_total", "gone", goneURL):      5,
		`apache_proxy_balancer_status{balancer="balancer://gone",status="Err",worker="` + goneURL + `"}`: 1,
		`apache_proxy_balancer_status{balancer="balancer://gone",status="Ok",worker="` + goneURL + `"}`:  0,
		`apache_proxy_balancer_status{balancer="balancer://app",status="Stby",worker="` + goneURL + `"}`: 1,
	})
	if n := got["apache_accesses_total"].value - before["apache_accesses_total"].value; n < 36 {
		t.Errorf("%v more requests, want at least 36", n)
	}
	if n := got[worker("response_bytes_total", "app", backend.URL)].value; n < 30*3000 || n > 31*4000 {
		t.Errorf("%v bytes came from the worker, want a little more than 90000", n)
	}
	if n := got["apache_sent_bytes_total"].value - before["apache_sent_bytes_total"].value; n < 30*3000 {
		t.Errorf("%v more bytes, want at least 90000", n)
	}

	t.Run("prometheus-apache-exporter", func(t *testing.T) {
		theirs := find(t, "prometheus-apache-exporter", "prometheus-apache-exporter")
		compare(t, "apache", ours.probes(t, "apache", url), dedicated(t, "/metrics", func(address string) []string {
			return []string{theirs, "--telemetry.address=" + address, "--scrape_uri=" + url + "/server-status?auto"}
		}), counterparts{
			"apache_up":                                   isProbeSuccess,
			"apache_version":                              none,
			"apache_cpuload":                              as("apache_cpu_load_ratio", 0.01),
			"apache_duration_ms_total":                    as("apache_duration_seconds_total", 1e-3),
			"apache_sent_kilobytes_total":                 as("apache_sent_bytes_total", 1024),
			"apache_proxy_balancer_request_kbytes_total":  as("apache_proxy_balancer_request_bytes_total", 1024),
			"apache_proxy_balancer_response_kbytes_total": as("apache_proxy_balancer_response_bytes_total", 1024),
			"apache_cpu_time_ms_total": func(s *sample) bool {
				s.labels = map[string]string{"mode": s.labels["type"]}
				return as("apache_cpu_seconds_total", 1e-3)(s)
			},
			"apache_connections": func(s *sample) bool {
				if s.labels["state"] == "total" {
					s.name, s.labels = "apache_connections_open", nil
				}
				return true
			},
			"apache_processes": func(s *sample) bool {
				if s.labels["state"] == "all" { // none is stopping here
					s.labels["state"] = "running"
				}
				return true
			},
			"apache_proxy_balancer_status": func(s *sample) bool {
				flags := strings.Fields(s.labels["status"])
				s.labels["status"] = flags[len(flags)-1] // each flag has a series; look for one
				return true
			},
		})
	})
}
