package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"status_exporter/collector/document"
	"status_exporter/collector/mapping"
	"status_exporter/config"
)

// guess helps with a page of which no module was named: it says what format the
// page seems to have, which built-in modules fit, and what a module for it could
// begin with.
func guess(ctx context.Context, w io.Writer, cfg *config.Config, page *document.Document) {
	if len(page.Excerpt) == 0 {
		return
	}
	format := document.Guess(page.Excerpt, page.Header.Get("Content-Type"))
	value, err := format.Decode(ctx, page.Excerpt, page.Header.Get("Content-Type"), document.DefaultLimits)
	if err != nil {
		fmt.Fprintf(w, "\nThe page is in none of the formats that can be guessed: %v\n", err)
		return
	}
	fmt.Fprintf(w, "\nNo module was named. The page looks like %s.\n", format.Name)
	if fits := fitting(ctx, cfg, page); len(fits) > 0 {
		fmt.Fprintf(w, "It fits the built-in modules: %s. Try --module=%s.\n", strings.Join(fits, ", "), fits[0])
		return
	}
	fmt.Fprintf(w, "A module for it could begin with:\n\n")
	starter(w, format, value)
}

// fitting returns the modules of one document whose rules, optional ones apart,
// find more than they miss in the page, the best first.
func fitting(ctx context.Context, cfg *config.Config, page *document.Document) []string {
	scores := make(map[string]int)
	for name, m := range cfg.Modules {
		if m.HTTP == nil || len(m.HTTP.Documents()) != 1 {
			continue
		}
		value, err := m.Format.Decode(ctx, page.Excerpt, page.Header.Get("Content-Type"), m.Limits.Document)
		if err != nil {
			continue
		}
		doc := *page
		doc.Value, doc.Failure = value, nil
		mapped := m.Rules.Map(ctx, mapping.Input{Documents: []*document.Document{&doc}, Limits: m.Limits.Mapping})
		found, missed := 0, 0
		for _, f := range mapped.Findings {
			switch {
			case f.Samples > 0:
				found++
			case f.Metric != "" && !f.Optional:
				missed++
			}
		}
		if found > missed && mapped.Satisfied {
			scores[name] = found - missed
		}
	}
	return slices.SortedFunc(maps.Keys(scores), func(a, b string) int {
		return cmp.Or(cmp.Compare(scores[b], scores[a]), cmp.Compare(a, b))
	})
}

// starterRules is how many rules a starter shows.
const starterRules = 20

// starter writes a module with a rule for each number that stands alone.
func starter(w io.Writer, format document.Format, value any) {
	fmt.Fprintf(w, "modules:\n  mine:\n    format: %s\n    metrics:\n", format.Name)
	count := 0
	numbers(value, "", func(path string) {
		if count++; count <= starterRules {
			fmt.Fprintf(w, "      - name: mine%s\n        value: %s\n", metricName(path), yamlText(path))
		}
	})
	switch {
	case count == 0:
		fmt.Fprintf(w, "      []   # it has no number that stands alone; see `each` in the README\n")
	case count > starterRules:
		fmt.Fprintf(w, "      # … and %d more\n", count-starterRules)
	}
}

// numbers calls found with the path of each number in objects within objects.
func numbers(value any, path string, found func(string)) {
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			numbers(v[key], path+pathOf(key), found)
		}
	case json.Number:
		found(path)
	case string:
		if decimal.MatchString(v) {
			found(path)
		}
	}
}

// decimal matches a text that is a number, as formats without numbers have them.
var decimal = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// pathOf writes a key as jq does.
func pathOf(key string) string {
	if identifier.MatchString(key) {
		return "." + key
	}
	return fmt.Sprintf(".[%q]", key)
}

var notInNames = regexp.MustCompile(`[^a-zA-Z0-9]+`)

// metricName makes the end of a metric name of a path.
func metricName(path string) string {
	return "_" + strings.Trim(strings.ToLower(notInNames.ReplaceAllString(path, "_")), "_")
}

// yamlText quotes a path where YAML would take it for something else.
func yamlText(path string) string {
	if strings.ContainsAny(path, `[]"#:`) {
		return "'" + strings.ReplaceAll(path, "'", "''") + "'"
	}
	return path
}
