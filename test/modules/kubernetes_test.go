package modules_test

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector"
	"status_exporter/config"
)

// kubernetesPods is the module that asks as a pod does: over TLS, with a token
// and a certificate authority from files.
const kubernetesPods = "kubernetes_pods"

// newServer returns a server that a module can ask, until the test ends.
func newServer(t *testing.T, module string, handler http.Handler) *httptest.Server {
	t.Helper()
	start := httptest.NewServer
	if module == kubernetesPods {
		start = httptest.NewTLSServer
	}
	server := start(handler)
	t.Cleanup(server.Close)
	return server
}

// inCluster is what of the configuration stands for the files of a pod.
func inCluster(t *testing.T, server *httptest.Server) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return fmt.Sprintf(`    http:
      allow: [%q]
      client:
        authorization: {credentials_file: %s}
        tls_config: {ca_file: %s}
`, server.URL, write("token", []byte("secret\n")), write("ca.crt", authority))
}

func TestKubernetesPodsRequest(t *testing.T) {
	documents := filepath.Join(testdata, kubernetesPods, "busy.json")
	var asked []string
	server := newServer(t, kubernetesPods, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Authorization"), r.URL.String())
		serve(t, documents)(w, r)
	}))
	name := filepath.Join(t.TempDir(), "team.yml")
	text := fmt.Sprintf("modules:\n  team:\n    extends: %s\n    vars: {pod_label: team}\n%s", kubernetesPods, inCluster(t, server))
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(config.Input{Files: []string{name}, Getenv: noEnvironment})
	if err != nil {
		t.Fatal(err)
	}
	pool := collector.NewPool(cfg, collector.Settings{DefaultModule: "app"})
	t.Cleanup(pool.Close)
	lease := pool.Lease()
	defer lease.Release()
	p, err := lease.Probe(collector.Request{Target: server.URL, Module: "team", Params: url.Values{"selector": {"tier=front"}}})
	if err != nil {
		t.Fatal(err)
	}
	result := p.Run(t.Context())

	want := []string{"Bearer secret", "/apis/metrics.k8s.io/v1beta1/pods?labelSelector=tier%3Dfront"}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("the request differs (-want +got):\n%s", diff)
	}
	pods := make(map[string]float64)
	for _, s := range result.Mapping.Families[0].Samples {
		pods[fmt.Sprint(s.Labels)] = s.Value
	}
	if diff := cmp.Diff(map[string]float64{"[{namespace jobs}]": 1, "[{namespace shop}]": 1, "[{namespace shop} {pod_label front}]": 2}, pods); diff != "" {
		t.Errorf("the pods by team differ (-want +got):\n%s", diff)
	}
}
