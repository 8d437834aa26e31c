package collector

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/itchyny/gojq"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"status_exporter/collector/document"
	"status_exporter/collector/mapping"
	"status_exporter/collector/tree"
)

// WriteReport writes what happened in a probe as text for a person: the requests
// made, timings, what each rule found, what was dropped and why, and the metrics.
func (r *Result) WriteReport(w io.Writer) error {
	out := &report{w: w, mask: r.mask()}
	out.summary(r)
	out.requests(r)
	out.documents(r)
	out.rules(r)
	out.metrics(r)
	return out.err
}

// A report writes until the first error. It masks what the target said or was sent, and
// nothing else: names and sentences are those of the author and the exporter.
type report struct {
	w    io.Writer
	mask mask
	err  error
}

func (o *report) printf(format string, args ...any) {
	if o.err == nil {
		_, o.err = fmt.Fprintf(o.w, format, args...)
	}
}

func (o *report) summary(r *Result) {
	what := r.Probe.Shown()
	if what == "" {
		what = sourceName(r.Probe.Module)
	}
	verdict := "succeeded"
	if !r.Success {
		verdict = "failed"
	}
	o.printf("Probe of %s with module %s %s in %s.\n", what, r.Probe.Module.Name, verdict, short(r.Duration))
	for _, f := range r.Failures {
		optional := ""
		if f.Optional {
			optional = ", which is optional"
		}
		o.printf("  %s: document %s%s: %v\n", f.Reason, f.Document, optional, o.mask.text(f.Err.Error()))
	}
}

func (o *report) requests(r *Result) {
	for _, doc := range r.Documents {
		for _, x := range doc.Exchanges {
			o.printf("\n%s %s\n", x.Method, o.mask.text(x.URL))
			o.headers("  > ", x.RequestHeader)
			if x.Address != "" {
				o.printf("  to %s (%s)\n", x.Address, connection(x))
			}
			if x.Status != "" {
				o.printf("  %s %s\n", x.Proto, x.Status)
			}
			o.headers("  < ", x.ResponseHeader)
			o.phases(x.Phases)
		}
	}
}

func connection(x document.Exchange) string {
	switch {
	case x.Status == "":
		return "no answer"
	case x.Reused:
		return "a connection used before"
	case x.Resumed:
		return "a new connection, TLS session resumed"
	default:
		return "a new connection"
	}
}

func (o *report) headers(prefix string, h http.Header) {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value := strings.Join(h[name], ", ")
		if name != "User-Agent" {
			name, value = o.mask.text(name), o.mask.text(value)
		}
		o.printf("%s%s: %s\n", prefix, name, value)
	}
}

func (o *report) phases(p document.Phases) {
	parts := make([]string, 0, len(p))
	for phase, took := range p {
		if took > 0 {
			parts = append(parts, document.Phase(phase).String()+" "+short(took))
		}
	}
	if len(parts) > 0 {
		o.printf("  %s\n", strings.Join(parts, ", "))
	}
}

func (o *report) documents(r *Result) {
	o.printf("\nDocuments\n")
	for _, doc := range r.Documents {
		switch {
		case doc.Failure != nil:
			o.printf("  %s: not there (%s)\n", doc.Name, doc.Failure.Reason)
		case doc.Bytes < 0: // it was not read as bytes
			o.printf("  %s: %s\n", doc.Name, o.mask.text(outline(doc.Value)))
		default:
			o.printf("  %s: %d bytes, decoded in %s: %s\n", doc.Name, doc.Bytes, short(doc.Phases[document.PhaseDecode]), o.mask.text(outline(doc.Value)))
		}
		if len(doc.Excerpt) > 0 {
			o.printf("    %s\n", strings.ReplaceAll(strings.TrimRight(strings.ToValidUTF8(o.mask.beginning(string(doc.Excerpt)), "\uFFFD"), "\n"), "\n", "\n    "))
		}
	}
}

// outline says what a value is at its top.
func outline(v any) string {
	switch v := tree.Go(v).(type) {
	case map[string]any:
		return "an object with " + counted(len(v), "key")
	case []any:
		return "an array of " + counted(len(v), "item")
	default:
		return gojq.Preview(v)
	}
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// rules writes a table: the rule, what it looked for, what it found and made.
func (o *report) rules(r *Result) {
	o.printf("\nRules (mapped in %s)\n", short(r.Phases[document.PhaseMap]))
	t := tabwriter.NewWriter(o.w, 0, 8, 2, ' ', 0)
	fmt.Fprint(t, "  METRIC\tEXPRESSION\tITEMS\tSAMPLES\tDROPPED\tFIRST SAMPLE, OR WHY NONE\n")
	first := o.firstSamples(r.Mapping.Families)
	why := firstDropped(r.Mapping.Dropped)
	for _, f := range r.Mapping.Findings {
		name := f.Metric
		if name == "" {
			name = "(group)"
		}
		note := o.mask.text(f.Hint)
		switch {
		case f.Samples > 0:
			note = first[f.Metric]
		case f.Skipped:
			note = "document " + f.Document + " is not there"
		case f.Empty && f.Items == 0:
			note = "nothing to iterate over, which is fine"
		case note == "" && f.Dropped > 0:
			note = oneLine(o.mask.text(why[f.Metric]))
		case note != "" && f.Optional:
			note += " (optional)"
		}
		fmt.Fprintf(t, "  %s%s\t%s\t%d\t%d\t%d\t%s\n", strings.Repeat("  ", f.Depth), name, oneLine(f.Expression), f.Items, f.Samples, f.Dropped, note)
	}
	if o.err == nil {
		o.err = t.Flush()
	}
	if len(r.Mapping.Dropped) > 0 {
		o.printf("\nDropped\n")
		for _, d := range r.Mapping.Dropped {
			o.printf("  %s: %d for %s; %s\n", d.Metric, d.Count, d.Reason, o.mask.text(d.Detail))
		}
	}
}

// firstDropped returns why the first sample of each metric was dropped.
func firstDropped(dropped []mapping.Dropped) map[string]string {
	first := make(map[string]string, len(dropped))
	for _, d := range dropped {
		if first[d.Metric] == "" {
			first[d.Metric] = d.Detail
		}
	}
	return first
}

// firstSamples returns the first sample of each family as a person reads it.
func (o *report) firstSamples(families []mapping.FamilySamples) map[string]string {
	first := make(map[string]string, len(families))
	for _, f := range families {
		s := f.Samples[0]
		labels := make([]string, len(s.Labels))
		for i, l := range s.Labels {
			labels[i] = l.Name + "=" + strconv.Quote(o.mask.text(l.Value))
		}
		text := strconv.FormatFloat(s.Value, 'g', -1, 64)
		if f.Family.Type == mapping.Histogram || f.Family.Type == mapping.Summary {
			text = "a " + string(f.Family.Type)
		}
		if len(labels) > 0 {
			text = "{" + oneLine(strings.Join(labels, ",")) + "} " + text
		}
		first[f.Family.Name] = text
	}
	return first
}

// oneLine puts an expression on one line and shortens it: the table is to be read.
func oneLine(s string) string {
	const most = 60
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// metrics writes the exposition of the probe.
func (o *report) metrics(r *Result) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(r)
	families, err := registry.Gather()
	if err != nil {
		o.printf("\nThe metrics cannot be exposed: %s\n", o.mask.text(err.Error()))
		return
	}
	o.printf("\nMetrics\n\n")
	encoder := expfmt.NewEncoder(o.w, expfmt.NewFormat(expfmt.TypeTextPlain))
	said := make(map[string]bool, len(r.Mapping.Families)) // by the target; the others are our own
	for _, f := range r.Mapping.Families {
		said[f.Family.Name] = true
	}
	for _, family := range families {
		if said[family.GetName()] {
			o.maskLabels(family)
		}
		if o.err == nil {
			o.err = encoder.Encode(family)
		}
	}
}

// maskLabels masks the values of labels, which may be the target's words.
func (o *report) maskLabels(family *dto.MetricFamily) {
	if len(o.mask.secrets)+len(o.mask.names) == 0 {
		return
	}
	for _, metric := range family.Metric {
		for i, label := range metric.Label {
			if masked := o.mask.text(label.GetValue()); masked != label.GetValue() {
				metric.Label[i] = &dto.LabelPair{Name: label.Name, Value: &masked}
			}
		}
	}
}

// short rounds a duration to what a person reads.
func short(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	default:
		return d.Round(100 * time.Nanosecond).String()
	}
}
