package mapping

import (
	"strings"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
)

// reservedPrefixes are the names that belong to the exporter, the Go runtime
// and Prometheus itself: a rule that made them would break the whole scrape.
var reservedPrefixes = []string{"go_", "process_", "promhttp_", "scrape_", "probe_", "status_probe_", "status_exporter_"}

func checkMetricName(d *options.Decoder, n *yaml.Node, name string) {
	if !model.LegacyValidation.IsValidMetricName(name) {
		d.Errorf(n, "%q is not a metric name, expected letters, digits, _ and :, not beginning with a digit", name)
	}
	if name == "up" {
		d.Errorf(n, "the metric name up is reserved: Prometheus makes it for every scrape")
	}
	for _, prefix := range reservedPrefixes {
		if strings.HasPrefix(name, prefix) {
			d.Errorf(n, "the metric name %s is reserved: names that begin with %s belong to the exporter or to Prometheus", name, prefix)
		}
	}
}

// CheckLabelName notes an error at n where name cannot be a label.
func CheckLabelName(d *options.Decoder, n *yaml.Node, name string) {
	switch {
	case strings.HasPrefix(name, "__"):
		d.Errorf(n, "the label %s is reserved: labels that begin with __ belong to Prometheus", name)
	case !model.LegacyValidation.IsValidLabelName(name):
		d.Errorf(n, "%q is not a label name, expected letters, digits and _, not beginning with a digit", name)
	}
}
