package document_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/document"
	"status_exporter/collector/tree"
)

// What programs really answer, each with its whole value in testdata/want.
func TestSamples(t *testing.T) {
	for file, config := range map[string]string{
		"colours.txt":        `{regexp: {repeat: true, pattern: '^ +(?P<name>\S+) +(?P<state>\w+) +(?P<connections>\d+) conns$'}}`,
		"icecast_stats.xml":  "{xml: {arrays: [source]}}",
		"influxdb.csv":       `{csv: {tables: true, comment: "#"}}`,
		"monit_latin1.xml":   "xml",
		"php_fpm.txt":        "keyvalue",
		"php_fpm_full.xml":   "xml",
		"pods.yaml":          "yaml",
		"squid_counters.txt": `{keyvalue: {separator: "="}}`,
		"squid_info.txt":     "keyvalue",
		"trafficserver.csv":  "{csv: {header: [name, value]}}",
		"workers.jsonl":      "json",
	} {
		t.Run(file, func(t *testing.T) {
			got := decodeFile(t, config, filepath.Join("testdata", file))
			text, err := os.ReadFile(filepath.Join("testdata", "want", file+".json"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(value(t, string(text)), got); diff != "" {
				t.Errorf("value (-want +got):\n%s", diff)
			}
		})
	}
}

// The documents of the built-in modules have their values where rules look for them.
func TestModuleDocuments(t *testing.T) {
	haproxy := `{csv: {header_prefix: "# "}}`
	for _, c := range []struct {
		file, config string
		path         []any
	}{
		{"apache/busy.txt", "keyvalue", []any{"Total Accesses"}},
		{"apache/busy.txt", "keyvalue", []any{"", 0}},
		{"haproxy/busy.csv", haproxy, []any{0, "svname"}},
		{"monit/busy.xml", "{xml: {arrays: [service]}}", []any{"monit", "service", 0, "@type"}},
		{"nginx/busy.txt", `{regexp: {pattern: 'requests\n (?P<accepts>\d+) (?P<handled>\d+) (?P<requests>\d+)'}}`, []any{"accepts"}},
		{"rabbitmq/busy/overview.json", "json", []any{"rabbitmq_version"}},
	} {
		got := decodeFile(t, c.config, filepath.Join("..", "..", "testdata", c.file))
		for _, step := range c.path {
			switch step := step.(type) {
			case string:
				got = got.(map[string]any)[step]
			case int:
				got = got.([]any)[step]
			}
		}
		if text, is := got.(string); !is || text == "" {
			t.Errorf("%s %v: got %#v, want a text", c.file, c.path, got)
		}
	}
}

func decodeFile(t *testing.T, config, file string) any {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	v, err := format(t, config).Decode(t.Context(), body, "", document.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	return tree.Go(v)
}
