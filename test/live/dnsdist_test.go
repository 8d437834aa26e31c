//go:build linux

package live_test

import (
	"fmt"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

func TestDnsdist(t *testing.T) {
	dnsdist := find(t, "dnsdist", "dnsdist")
	authority := startPowerDNS(t)
	dir, dns, web, closed := workdir(t), freePort(t), freePort(t), freePort(t)
	config := writeFile(t, dir, "dnsdist.conf", fmt.Sprintf(`
setLocal("127.0.0.1:%d")
newServer({address="127.0.0.1:%d", name="auth", checkName="shop.example."})
newServer({address="127.0.0.1:%d", name="gone"})
getPool(""):setCache(newPacketCache(1000))
addAction("refused.example", RCodeAction(DNSRCode.REFUSED))
webserver("127.0.0.1:%d")
setWebserverConfig({apiKey="key", password="password", acl="127.0.0.0/8"})
setSecurityPollSuffix("")
setMaxUDPOutstanding(100)
`, dns, authority.dns, closed, web), 0o644)
	url := fmt.Sprintf("http://127.0.0.1:%d", web)
	p := start(t, dnsdist, "--supervised", "--disable-syslog", "-C", config)
	p.await(t, listens(web))
	p.await(t, listens(dns))

	e := newExporter(t, fmt.Sprintf(`
modules:
  balancer:
    extends: dnsdist
    http:
      headers: {X-API-Key: {secret: key}}
      allow: [%q]
`, url))
	auth := fmt.Sprintf(`{address="127.0.0.1:%d",server="auth"}`, authority.dns)
	gone := fmt.Sprintf(`{address="127.0.0.1:%d",server="gone"}`, closed)
	e.probeUntil(t, "balancer", url, map[string]float64{
		"dnsdist_server_status" + auth: 1,
		"dnsdist_server_status" + gone: 0,
	})
	for range 4 {
		askDNS(t, "udp", dns, "www.shop.example.", dnsmessage.TypeA)
	}
	askDNS(t, "tcp", dns, "www.shop.example.", dnsmessage.TypeA)
	if code := askDNS(t, "udp", dns, "www.refused.example.", dnsmessage.TypeA); code != dnsmessage.RCodeRefused {
		t.Fatalf("dnsdist answered %v, want %v", code, dnsmessage.RCodeRefused)
	}
	frontend := func(proto string) string { return fmt.Sprintf(`{frontend="127.0.0.1:%d",proto=%q}`, dns, proto) }
	e.probeUntil(t, "balancer", url, map[string]float64{
		"probe_success":                                    1,
		"dnsdist_queries_total":                            6,
		"dnsdist_self_answered_total":                      1,
		"dnsdist_latency_seconds_count":                    5, // without the one it answered itself
		"dnsdist_frontend_queries_total" + frontend("UDP"): 5,
		"dnsdist_frontend_queries_total" + frontend("TCP"): 1,
		`dnsdist_pool_servers{pool="_default_"}`:           2,
		`dnsdist_pool_cache_size{pool="_default_"}`:        1000,
	})
	// Answers for UDP and TCP are cached apart.
	got, says := e.probe(t, "balancer", url), decode[struct {
		Responses float64
		Hits      float64 `json:"cache-hits"`
		Misses    float64 `json:"cache-misses"`
	}](t, newAPI(url, "X-API-Key", "key").ask(t, "GET", "/jsonstat?command=stats", ""))
	got.want(t, map[string]float64{
		"dnsdist_responses_total":             says.Responses,
		"dnsdist_cache_hits_total":            says.Hits,
		"dnsdist_cache_misses_total":          says.Misses,
		"dnsdist_server_queries_total" + auth: says.Misses,
	})
	for series, rule := range got.family("dnsdist_rule_hits_total") {
		if rule.labels["rule"] != "qname in refused.example." || rule.value != 1 {
			t.Errorf("%s is %v, want 1 for refused.example", series, rule.value)
		}
	}
	if hits := got[`dnsdist_pool_cache_hits_total{pool="_default_"}`].value; hits != says.Hits || hits < 3 {
		t.Errorf("the pool's cache had %v hits, all caches %v; want the same and at least 3", hits, says.Hits)
	}
}
