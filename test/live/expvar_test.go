//go:build linux

package live_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"
)

func TestExpvar(t *testing.T) {
	etcd := find(t, "etcd-server", "etcd")
	clients, peers := fmt.Sprintf("http://127.0.0.1:%d", freePort(t)), fmt.Sprintf("http://127.0.0.1:%d", freePort(t))
	start(t, etcd, "--name=etcd1", "--data-dir="+workdir(t)+"/data",
		"--listen-client-urls="+clients, "--advertise-client-urls="+clients,
		"--listen-peer-urls="+peers, "--initial-advertise-peer-urls="+peers, "--initial-cluster=etcd1="+peers,
	).await(t, answers(clients+"/health"))
	a := newAPI(clients, "Accept", "application/json")
	for i := range 20 {
		key := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "key%d", i))
		a.ask(t, http.MethodPost, "/v3/kv/put", fmt.Sprintf(`{"key": %q, "value": "MQ=="}`, key))
	}

	type vars struct {
		Descriptors float64 `json:"file_descriptor_limit"`
		Raft        struct {
			Term   float64 `json:"term"`
			Commit float64 `json:"commit"`
		} `json:"raft.status"`
		Memory struct {
			Mallocs, TotalAlloc, NumGC, PauseTotalNs float64
		} `json:"memstats"`
	}
	before := decode[vars](t, get(t, clients+"/debug/vars"))
	got := newExporter(t, "").probe(t, "expvar", clients)
	after := decode[vars](t, get(t, clients+"/debug/vars"))

	got.want(t, map[string]float64{
		"probe_success":                                 1,
		`expvar_info{command="etcd"}`:                   1,
		`expvar_variable{name="file_descriptor_limit"}`: after.Descriptors,
		`expvar_variable{name="raft.status.term"}`:      after.Raft.Term,
		`expvar_variable{name="raft.status.commit"}`:    after.Raft.Commit,
	})
	if committed := scrape(t, clients+"/metrics")["etcd_server_proposals_committed_total"].value; committed != after.Raft.Commit {
		t.Errorf("etcd says that it committed %v entries, and that the last one is %v", committed, after.Raft.Commit)
	}
	for series, limits := range map[string][2]float64{
		"expvar_mallocs_total":          {before.Memory.Mallocs, after.Memory.Mallocs},
		"expvar_allocated_bytes_total":  {before.Memory.TotalAlloc, after.Memory.TotalAlloc},
		"expvar_gc_pause_seconds_count": {before.Memory.NumGC, after.Memory.NumGC},
		"expvar_gc_pause_seconds_sum":   {before.Memory.PauseTotalNs / 1e9, after.Memory.PauseTotalNs / 1e9},
	} {
		if value := got[series].value; value == 0 || value < limits[0] || value > limits[1] {
			t.Errorf("%s is %v, want %v to %v", series, value, limits[0], limits[1])
		}
	}
	if most, sum := got[`expvar_gc_pause_seconds{quantile="1"}`].value, got["expvar_gc_pause_seconds_sum"].value; most <= 0 || most > sum {
		t.Errorf("the longest pause is %v s of %v s in all", most, sum)
	}
}
