//go:build linux

package live_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

func TestPowerDNSRecursor(t *testing.T) {
	recursor := find(t, "pdns-recursor", "pdns_recursor")
	authority := startPowerDNS(t)
	dir, dns, web := workdir(t), freePort(t), freePort(t)
	hints := writeFile(t, dir, "hints", ". 3600 IN NS ns.example.\nns.example. 3600 IN A 127.0.0.9\n", 0o644)
	writeFile(t, dir, "recursor.conf", fmt.Sprintf(`
local-address=127.0.0.1
local-port=%d
socket-dir=%s
webserver=yes
webserver-address=127.0.0.1
webserver-port=%d
webserver-allow-from=127.0.0.0/8
api-key=key
forward-zones=shop.example=127.0.0.1:%d
dont-query=
dnssec=off
security-poll-suffix=
hint-file=%s
write-pid=no
`, dns, dir, web, authority.dns, hints), 0o644)
	url := fmt.Sprintf("http://127.0.0.1:%d", web)
	p := start(t, recursor, "--config-dir="+dir, "--daemon=no")
	p.await(t, answers(url+"/metrics"))
	p.await(t, listens(dns))

	for range 4 {
		askDNS(t, "udp", dns, "www.shop.example.", dnsmessage.TypeA)
	}
	askDNS(t, "tcp", dns, "www.shop.example.", dnsmessage.TypeAAAA)
	askDNS(t, "udp", dns, "no.shop.example.", dnsmessage.TypeA)

	exporter := newExporter(t, fmt.Sprintf(`
modules:
  resolver:
    extends: powerdns_recursor
    http:
      headers: {X-API-Key: {secret: key}}
      allow: [%q]
`, url))
	got := exporter.probeUntil(t, "resolver", url, map[string]float64{
		"probe_success":                                             1,
		"pdns_recursor_questions_total":                             6,
		"pdns_recursor_tcp_questions_total":                         1,
		`pdns_recursor_answers_total{rcode="nxdomain"}`:             1,
		"pdns_recursor_cumul_clientanswers_seconds_count":           6,
		`pdns_recursor_cumul_clientanswers_seconds_bucket{le="10"}`: 6,
	})
	equal := map[string]string{
		`pdns_recursor_cache_hits_total{cache="packet"}`:          "pdns_recursor_packetcache_hits",
		`pdns_recursor_cache_misses_total{cache="packet"}`:        "pdns_recursor_packetcache_misses",
		`pdns_recursor_cache_entries{cache="record"}`:             "pdns_recursor_cache_entries",
		`pdns_recursor_answers_total{rcode="noerror"}`:            "pdns_recursor_noerror_answers",
		"pdns_recursor_all_outqueries_total":                      "pdns_recursor_all_outqueries",
		`pdns_recursor_auth_rcode_answers_total{rcode="noerror"}`: `pdns_recursor_auth_rcode_answers{rcode="noerror"}`,
	}
	for _, series := range []string{
		`pdns_recursor_cumul_clientanswers_seconds_bucket{le="0.001"}`,
		"pdns_recursor_cumul_clientanswers_seconds_sum",
		`pdns_recursor_cumul_authanswers_seconds_bucket{ipversion="v4",le="0.01"}`,
		`pdns_recursor_cumul_authanswers_seconds_sum{ipversion="v4"}`,
		`pdns_recursor_cumul_authanswers_seconds_count{ipversion="v6"}`,
		"pdns_recursor_concurrent_queries",
	} {
		equal[series] = series
	}
	// The recursor looks after its cache by itself: the two readings may have to be
	// taken again until nothing moved between them.
	eventually(t, "what the recursor says of itself", func(context.Context) error {
		says, want := scrape(t, url+"/metrics"), make(map[string]float64)
		for ours, theirs := range equal {
			if _, ok := says[theirs]; !ok {
				return fmt.Errorf("the recursor does not say %s", theirs)
			}
			want[ours] = says[theirs].value
		}
		return exporter.probe(t, "resolver", url).differ(want)
	})
	version := decode[struct{ Version string }](t, newAPI(url, "X-API-Key", "key").ask(t, http.MethodGet, "/api/v1/servers/localhost", "")).Version
	got.want(t, map[string]float64{fmt.Sprintf("pdns_recursor_info{version=%q}", version): 1})
}
