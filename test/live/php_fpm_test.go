//go:build linux

package live_test

import (
	"encoding/xml"
	"fmt"
	"os"
	"testing"
)

func TestPHPFPM(t *testing.T) {
	fpm := find(t, "php-fpm", "php-fpm8.2", "php-fpm8.4", "php-fpm")
	nginx := find(t, "nginx-light", "nginx")
	dir, port, pool, status := workdir(t), freePort(t), freePort(t), freePort(t)
	writeFile(t, dir, "www/index.php", `<?php while (file_exists($_GET["while"] ?? "")) { usleep(1000); clearstatcache(); } echo "here";`, 0o644)
	wait := writeFile(t, dir, "wait", "", 0o644)
	pools := writeFile(t, dir, "fpm.conf", fmt.Sprintf(`
[global]
error_log = /dev/stderr
daemonize = no
pid = %[1]s/pid
[www]
%[4]s
listen = 127.0.0.1:%[2]d
pm = static
pm.max_children = 2
pm.status_path = /status
pm.status_listen = 127.0.0.1:%[3]d
`, dir, pool, status, asRoot("user = www-data\ngroup = www-data")), 0o644)
	config := writeFile(t, dir, "nginx.conf", fmt.Sprintf(`
daemon off; worker_processes 1; pid %[1]s/nginx.pid; error_log stderr;
events { worker_connections 64; }
http {
	access_log off;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
	server {
		listen 127.0.0.1:%[2]d;
		fastcgi_param REQUEST_METHOD $request_method;
		fastcgi_param QUERY_STRING $query_string;
		fastcgi_param SCRIPT_NAME $uri;
		fastcgi_param SCRIPT_FILENAME %[1]s/www$uri;
		location = /status { fastcgi_pass 127.0.0.1:%[4]d; }
		location ~ \.php$ { fastcgi_pass 127.0.0.1:%[3]d; }
	}
}`, dir, port, pool, status), 0o644)
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	start(t, fpm, "-F", "-y", pools).await(t, listens(pool))
	start(t, nginx, "-c", config).await(t, answers(url+"/index.php"))

	ours := newExporter(t, "")
	series := func(name, state string) string {
		if state == "" {
			return fmt.Sprintf(`php_fpm_%s{pool="www"}`, name)
		}
		return fmt.Sprintf(`php_fpm_%s{pool="www",state="%s"}`, name, state)
	}
	before := ours.probeUntil(t, "php_fpm", url, map[string]float64{
		"probe_success":                 1,
		series("processes", "idle"):     2,
		series("processes", "active"):   0,
		series("scoreboard", "idle"):    2,
		series("scoreboard", "running"): 0,
	})
	visit(t, url+"/index.php", 20)
	// Two requests hold both processes, three more wait.
	for range 5 {
		connect(t, port, "GET /index.php?while="+wait+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
	}
	got := ours.probeUntil(t, "php_fpm", url, map[string]float64{
		"probe_success":                        1,
		series("processes", "idle"):            0,
		series("processes", "active"):          2,
		series("processes_max_active", ""):     2,
		series("scoreboard", "running"):        2,
		series("listen_queue_connections", ""): 3,
	})
	if n := got[series("accepted_connections_total", "")].value - before[series("accepted_connections_total", "")].value; n != 22 {
		t.Errorf("%v more connections were accepted, want 22", n)
	}
	if got[series("running_request_max_seconds", "")].value <= 0 {
		t.Error("no request has been running for some time")
	}

	var page struct {
		StartTime float64 `xml:"start-time"`
		Limit     float64 `xml:"listen-queue-len"`
		MaxQueue  float64 `xml:"max-listen-queue"`
		Accepted  float64 `xml:"accepted-conn"`
	}
	if err := xml.Unmarshal([]byte(get(t, url+"/status?xml")), &page); err != nil {
		t.Fatal(err)
	}
	got.want(t, map[string]float64{
		series("start_time_seconds", ""):             page.StartTime,
		series("listen_queue_limit_connections", ""): page.Limit,
		series("listen_queue_max_connections", ""):   page.MaxQueue,
		series("accepted_connections_total", ""):     page.Accepted,
	})

	// Let them end.
	if err := os.Remove(wait); err != nil {
		t.Fatal(err)
	}
	ours.probeUntil(t, "php_fpm", url, map[string]float64{
		series("processes", "idle"):               2,
		series("scoreboard", "idle"):              2,
		series("running_request_max_seconds", ""): 0,
	})
}
