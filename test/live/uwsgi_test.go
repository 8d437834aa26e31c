//go:build linux

package live_test

import (
	"fmt"
	"testing"
)

func TestUWSGI(t *testing.T) {
	uwsgi := find(t, "uwsgi-core", "uwsgi")
	plugin := findFile(t, "uwsgi-plugin-python3", "/usr/lib/uwsgi/plugins/python3_plugin.so")
	dir, port, stats := workdir(t), freePort(t), freePort(t)
	app := writeFile(t, dir, "app.py", `
import uwsgi

def application(env, start_response):
    if env["PATH_INFO"] == "/order":
        uwsgi.metric_inc("orders")
        uwsgi.metric_set("queue", 7)
        uwsgi.cache_get("nothing")
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"here\n"
    if env["PATH_INFO"] == "/broken":
        raise RuntimeError("broken")
`, 0o644)
	config := writeFile(t, dir, "uwsgi.ini", fmt.Sprintf(`
[uwsgi]
plugin = %s
http-socket = 127.0.0.1:%d
stats = 127.0.0.1:%d
stats-http = true
wsgi-file = %s
master = true
die-on-term = true
no-orphans = true
workers = 4
cheaper = 2
cheaper-initial = 2
memory-report = true
metric = name=orders,type=counter
metric = name=queue,type=gauge
cache2 = name=sessions,items=100
`, plugin, port, stats, app), 0o644)
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	statsURL := fmt.Sprintf("http://127.0.0.1:%d", stats)
	start(t, uwsgi, "--ini", config).await(t, answers(url+"/"))
	visit(t, url+"/order", 20)
	visit(t, url+"/broken", 3)

	e := newExporter(t, "")
	got := e.probeUntil(t, "uwsgi", statsURL, map[string]float64{
		"probe_success":                              1,
		"uwsgi_listen_queue_length":                  0,
		`uwsgi_workers{state="idle"}`:                2,
		`uwsgi_workers{state="busy"}`:                0,
		`uwsgi_workers{state="cheap"}`:               2,
		`uwsgi_worker_respawns_total{worker="1"}`:    1,
		`uwsgi_cache_items_limit{cache="sessions"}`:  100,
		`uwsgi_cache_misses_total{cache="sessions"}`: 20,
		`uwsgi_custom_total{name="orders"}`:          20,
		`uwsgi_custom_value{name="queue"}`:           7,
		fmt.Sprintf(`uwsgi_socket_queue_length{proto="http",socket="127.0.0.1:%d"}`, port): 0,
	})
	sum := func(family string) (total float64) {
		for _, s := range got.family(family) {
			total += s.value
		}
		return total
	}
	if requests := sum("uwsgi_worker_requests_total"); requests < 24 {
		t.Errorf("the workers handled %v requests, want at least 24", requests)
	}
	if exceptions := sum("uwsgi_worker_exceptions_total"); exceptions != 3 {
		t.Errorf("%v requests ended with an exception, want 3", exceptions)
	}
	if exceptions := sum("uwsgi_app_exceptions_total"); exceptions != 3 {
		t.Errorf("%v requests of the application ended with an exception, want 3", exceptions)
	}

	type worker struct {
		ID                int
		Requests, TX, RSS float64
		Running           float64 `json:"running_time"`
	}
	says := decode[struct {
		Version string
		Workers []worker
	}](t, get(t, statsURL))
	got.want(t, map[string]float64{fmt.Sprintf(`uwsgi_info{version=%q}`, says.Version): 1})
	for _, w := range says.Workers[:2] {
		label := fmt.Sprintf("{worker=\"%d\"}", w.ID)
		got.want(t, map[string]float64{
			"uwsgi_worker_requests_total" + label:          w.Requests,
			"uwsgi_worker_transmitted_bytes_total" + label: w.TX,
			"uwsgi_worker_running_seconds_total" + label:   w.Running / 1e6,
		})
		if w.RSS > 0 {
			got.want(t, map[string]float64{"uwsgi_worker_resident_memory_bytes" + label: w.RSS})
		}
	}
}
