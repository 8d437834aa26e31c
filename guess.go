package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"

	"status_exporter/collector/document"
	"status_exporter/collector/mapping"
	"status_exporter/collector/tree"
	"status_exporter/config"
)

// guess helps with a page of which no module was named: it says what format the
// page seems to have, which built-in modules fit, and what a module for it could
// begin with. mask leaves out of a text what was sent to the target.
func guess(ctx context.Context, w io.Writer, cfg *config.Config, page *document.Document, mask func(string) string) {
	if len(page.Excerpt) == 0 {
		return
	}
	format, spelling := document.Guess(ctx, page.Excerpt, page.Header.Get("Content-Type"))
	value, err := format.Decode(ctx, page.Excerpt, page.Header.Get("Content-Type"), document.DefaultLimits)
	if err != nil {
		fmt.Fprintf(w, "\nThe page is in none of the formats that can be guessed: %s\n", mask(err.Error()))
		return
	}
	fmt.Fprintf(w, "\nNo module was named. The page looks like %s.\n", format.Name)
	if fits := fitting(ctx, cfg, page); len(fits) > 0 {
		fmt.Fprintf(w, "It fits the built-in modules: %s. Try --module=%s.\n", strings.Join(fits, ", "), fits[0])
		return
	}
	fmt.Fprintf(w, "A module for it could begin with:\n\n")
	starter(w, spelling, withKeys(tree.Go(value), mask))
}

// withKeys returns a value with its keys masked: a metric's name would be made of them.
func withKeys(value any, mask func(string) string) any {
	switch v := value.(type) {
	case map[string]any:
		masked := make(map[string]any, len(v))
		for key, member := range v {
			masked[mask(key)] = withKeys(member, mask)
		}
		return masked
	case []any: // only the first item is looked at
		if len(v) > 0 {
			return []any{withKeys(v[0], mask)}
		}
	}
	return value
}

// fitting returns the modules of one document whose rules, optional ones apart,
// find more than they miss in the page, the best first.
func fitting(ctx context.Context, cfg *config.Config, page *document.Document) []string {
	scores := make(map[string]int)
	for _, name := range cfg.Names() {
		m, err := cfg.Module(name)
		if err != nil || m.HTTP == nil || len(m.HTTP.Documents()) != 1 {
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

// starter writes a module with a rule for each number that stands alone, and for
// each number in the first item of an array. format is spelled as in the
// configuration.
func starter(w io.Writer, format string, value any) {
	fmt.Fprintf(w, "modules:\n  mine:\n    format: %s\n    metrics:\n", format)
	count := 0
	taken := make(map[string]bool)
	numbers(value, place{}, func(p place) {
		if count++; count <= starterRules {
			name := unused(metricName(p.each+p.path), taken)
			taken[name] = true
			p.rule(w, name)
		}
	})
	switch {
	case count == 0:
		fmt.Fprintf(w, "      []   # no number was found; see `each` in the README\n")
	case count > starterRules:
		fmt.Fprintf(w, "      # … and %d more\n", count-starterRules)
	}
}

// A place is where a number stands in a page.
type place struct {
	each  string // the path to the items that have it; "" where it stands alone
	path  string // from the item, or else from the page
	label string // the key of a text that the item has as well
}

// rule writes a rule of a name for the number.
func (p place) rule(w io.Writer, name string) {
	fmt.Fprintf(w, "      - name: %s\n", name)
	if p.each != "" {
		fmt.Fprintf(w, "        each: %s\n", yamlText(p.each))
	}
	if p.label != "" {
		fmt.Fprintf(w, "        labels:\n          %s: %s\n", p.label, yamlText("."+p.label))
	}
	fmt.Fprintf(w, "        value: %s\n", yamlText(cmp.Or(p.path, ".")))
}

// numbers calls found with the place of each number.
func numbers(value any, at place, found func(place)) {
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			inner := at
			inner.path += pathOf(key)
			numbers(v[key], inner, found)
		}
	case []any:
		if len(v) == 0 {
			return
		}
		items := place{each: cmp.Or(at.each+at.path, ".") + "[]"}
		switch item := v[0].(type) {
		case map[string]any:
			items.label = textKey(item)
			numbers(item, items, found)
		case []any:
			numbers(item, items, found)
		}
	case json.Number:
		found(at)
	case string:
		if decimal.MatchString(v) {
			found(at)
		}
	}
}

// textKey returns the first key of an object under which there is a text that is
// no number and makes a label name; "" where there is none.
func textKey(object map[string]any) string {
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if text, ok := object[key].(string); ok && !decimal.MatchString(text) && labelName.MatchString(key) {
			return key
		}
	}
	return ""
}

// decimal matches a text that is a number, as formats without numbers have them.
var decimal = regexp.MustCompile(`^\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*$`)

// labelName matches a key that can be a label as it is.
var labelName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// pathOf writes a key as jq does.
func pathOf(key string) string {
	if identifier.MatchString(key) {
		return "." + key
	}
	return ".[" + jsonText(key) + "]"
}

// jsonText writes a text as JSON, which jq reads, in characters that YAML takes
// as they are.
func jsonText(text string) string {
	var quoted bytes.Buffer
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a text can be written
	var out strings.Builder
	for _, r := range strings.TrimSpace(quoted.String()) {
		if unicode.IsPrint(r) {
			out.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&out, `\u%04x`, unit)
		}
	}
	return out.String()
}

var notInNames = regexp.MustCompile(`[^a-zA-Z0-9]+`)

// metricName makes a metric name of a path.
func metricName(path string) string {
	words := strings.Trim(strings.ToLower(notInNames.ReplaceAllString(path, "_")), "_")
	name := "mine_" + cmp.Or(words, "value")
	if strings.HasSuffix(name, "_info") { // what is named so has no value of its own
		name += "_value"
	}
	return name
}

// unused returns a name, with a number behind it where it is taken.
func unused(name string, taken map[string]bool) string {
	other := name
	for i := 2; taken[other]; i++ {
		other = fmt.Sprintf("%s_%d", name, i)
	}
	return other
}

// yamlText quotes a path where YAML would take it for something else.
func yamlText(path string) string {
	if strings.ContainsAny(path, `[]"#:`) {
		return "'" + strings.ReplaceAll(path, "'", "''") + "'"
	}
	return path
}
