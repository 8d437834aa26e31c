package collector_test

import (
	"testing"

	"status_exporter/collector"
)

// TestPeer: who is asked is one, whatever the spelling of the target and its path.
func TestPeer(t *testing.T) {
	pool := collector.NewPool(load(t, `
modules:
  shop: {http: {port: 8000, allow: ["*", "unix:*"]}, metrics: [{name: shop_x, value: .x}]}
  backup: {file: {path: backup.json}, metrics: [{name: backup_x, value: .x}]}
  archive: {file: {path: backup.json}, metrics: [{name: archive_x, value: .x}]}
targets: [{name: first, url: "http://shop:8000/a", module: shop}]
`), collector.Settings{DefaultModule: "shop"})
	defer pool.Close()
	lease := pool.Lease()
	defer lease.Release()
	for peer, requests := range map[string][]collector.Request{
		"shop:8000": {
			{Target: "http://shop:8000/a"},
			{Target: "http://shop:8000/b?c=d"},
			{Target: "https://shop:8000"},
			{Target: "HTTP://SHOP.:8000/"},
			{Target: "shop"},
			{Target: "shop:8000"},
			{Target: "shop/a"},
			{Target: "first"},
			{Target: "http://shop:8000", Module: "app"},
		},
		"shop:80":          {{Target: "http://shop"}, {Target: "http://shop:80/a"}},
		"shop:443":         {{Target: "https://shop"}},
		"10.0.0.1:8000":    {{Target: "10.0.0.1"}, {Target: "[::ffff:10.0.0.1]/a"}},
		"[2001:db8::1]:80": {{Target: "http://[2001:DB8:0::1]/a"}},
		"unix:/run/x.sock": {{Target: "unix:/run/x.sock"}, {Target: "unix:/run/../run/x.sock:/a"}},
		"module backup":    {{Module: "backup"}},
		"module archive":   {{Module: "archive"}},
	} {
		for _, request := range requests {
			probe, err := lease.Probe(request)
			if err != nil {
				t.Errorf("%s: %v", request.Target, err)
			} else if probe.Peer() != peer {
				t.Errorf("%s is %s, want %s", request.Target, probe.Peer(), peer)
			}
		}
	}
}
