//go:build linux

package live_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHAProxy(t *testing.T) {
	haproxy := find(t, "haproxy", "haproxy")
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bad" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		io.WriteString(w, strings.Repeat("y", 1000))
	}))
	t.Cleanup(backend.Close)
	address := backend.Listener.Addr().String()
	stats, web, gone := freePort(t), freePort(t), freePort(t)
	config := writeFile(t, workdir(t), "haproxy.cfg", fmt.Sprintf(`
global
	maxconn 100
defaults
	mode http
	timeout connect 10s
	timeout client 10s
	timeout server 10s
	timeout check 10s
frontend stats
	bind 127.0.0.1:%[1]d
	stats enable
	stats uri /stats
	http-request use-service prometheus-exporter if { path /metrics }
frontend web
	bind 127.0.0.1:%[2]d name plain
	option socket-stats
	http-request deny if { path /denied }
	default_backend app
backend app
	option httpchk GET /health
	default-server check inter 100ms fall 1 rise 1
	server one %[3]s weight 10
	server two %[3]s weight 10 maxconn 5
	server gone 127.0.0.1:%[4]d
	server spare %[3]s backup
	server trusted %[3]s no-check weight 0
	server closed %[3]s disabled
backend none
	server gone 127.0.0.1:%[4]d check inter 100ms fall 1 rise 1
`, stats, web, address, gone), 0o644)
	url := fmt.Sprintf("http://127.0.0.1:%d", stats)
	server := start(t, haproxy, "-db", "-f", config)
	server.await(t, answers(url+"/stats"))

	ours := newExporter(t, "")
	settled := map[string]float64{
		"probe_success":                                 1,
		`haproxy_backend_up{backend="app"}`:             1,
		`haproxy_backend_up{backend="none"}`:            0,
		`haproxy_backend_current_server{backend="app"}`: 2,
	}
	for name, state := range map[string]struct {
		status string
		up     float64
	}{
		"one": {"UP", 1}, "two": {"UP", 1}, "gone": {"DOWN", 0}, "spare": {"UP", 1}, "trusted": {"no check", 1}, "closed": {"MAINT", 0},
	} {
		settled[fmt.Sprintf(`haproxy_server_up{backend="app",server="%s"}`, name)] = state.up
		settled[fmt.Sprintf(`haproxy_server_status{backend="app",server="%s",state="%s"}`, name, state.status)] = 1
	}
	settled[`haproxy_server_check_status{backend="app",server="one",state="L7OK"}`] = 1
	settled[`haproxy_server_check_status{backend="app",server="gone",state="L4CON"}`] = 1
	settled[`haproxy_server_check_code{backend="app",server="one"}`] = 200
	ours.probeUntil(t, "haproxy", url, settled)

	front := fmt.Sprintf("http://127.0.0.1:%d", web)
	visit(t, front+"/", 20)
	visit(t, front+"/bad", 10)
	visit(t, front+"/denied", 5)
	got := ours.probeUntil(t, "haproxy", url, map[string]float64{
		`haproxy_frontend_http_requests_total{frontend="web"}`:             35,
		`haproxy_frontend_http_responses_total{code="2xx",frontend="web"}`: 20,
		`haproxy_frontend_http_responses_total{code="4xx",frontend="web"}`: 5,
		`haproxy_frontend_http_responses_total{code="5xx",frontend="web"}`: 10,
		`haproxy_frontend_requests_denied_total{frontend="web"}`:           5,
		`haproxy_frontend_sessions_total{frontend="web"}`:                  35,
		`haproxy_listener_sessions_total{frontend="web",listener="plain"}`: 35,
		`haproxy_server_sessions_total{backend="app",server="one"}`:        15,
		`haproxy_server_sessions_total{backend="app",server="two"}`:        15,
		`haproxy_server_limit_sessions{backend="app",server="two"}`:        5,
		`haproxy_backend_http_responses_total{backend="app",code="2xx"}`:   20,
		`haproxy_frontend_status{frontend="web",state="OPEN"}`:             1,
	})
	if sent := got[`haproxy_server_bytes_out_total{backend="app",server="one"}`].value; sent < 15*1000 {
		t.Errorf("%v bytes came from server one, want at least 15000", sent)
	}
	if _, found := got[`haproxy_server_limit_sessions{backend="app",server="one"}`]; found {
		t.Error("server one has a limit of sessions, but HAProxy has none for it")
	}

	t.Run("own metrics", func(t *testing.T) {
		eventually(t, "our metrics to agree with HAProxy's own", func(context.Context) error {
			return agreeWithHAProxy(scrape(t, url+"/metrics"), ours.probe(t, "haproxy", url))
		})
	})

	t.Run("prometheus-haproxy-exporter", func(t *testing.T) {
		theirs := find(t, "prometheus-haproxy-exporter", "prometheus-haproxy-exporter")
		compare(t, "haproxy", ours.probes(t, "haproxy", url), dedicated(t, "/metrics", func(address string) []string {
			return []string{theirs, "--web.listen-address=" + address, "--haproxy.scrape-uri=" + url + "/stats;csv"}
		}), counterparts{"haproxy_up": isProbeSuccess})
	})
}

// agreeWithHAProxy compares the families that HAProxy's own Prometheus page and
// our module have under one name, but for the frontend of the pages themselves,
// and for a server that is not checked: that page says that it is up.
func agreeWithHAProxy(own, ours samples) error {
	var problems []error
	compared := 0
	for _, s := range own {
		kind := strings.Split(s.name, "_")[1] // haproxy_server_…
		labels := map[string]string{kind: s.labels["proxy"]}
		switch {
		case s.labels["proxy"] == "stats", s.labels["server"] == "trusted":
			continue
		case kind == "server":
			labels = map[string]string{"backend": s.labels["proxy"], "server": s.labels["server"]}
		}
		for _, name := range []string{"code", "state"} {
			if value := s.labels[name]; value != "" {
				labels[name] = value
			}
		}
		if kind == "frontend" && s.labels["state"] == "UP" { // what the statistics page calls OPEN
			continue
		}
		counterpart := sample{name: s.name, labels: labels}.series()
		got, found := ours[counterpart]
		if !found {
			continue
		}
		compared++
		if strings.HasSuffix(s.name, "_seconds") || strings.Contains(s.name, "rate") || strings.HasSuffix(s.name, "_seconds_total") {
			continue // it moves
		}
		if !near(got.value, s.value) {
			problems = append(problems, fmt.Errorf("HAProxy says %s %v, we %v", s.series(), s.value, got.value))
		}
	}
	if compared < 100 {
		problems = append(problems, fmt.Errorf("only %d series have a counterpart", compared))
	}
	return errors.Join(problems...)
}
