package web

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"status_exporter/collector"
)

// An exposition is what answering a scrape takes. It is used again for others: a
// handler of promhttp makes metrics of its own, which were a tenth of what a small
// scrape allocates.
type exposition struct {
	gatherer prometheus.TransactionalGatherer
	handler  http.Handler // writes what the gatherer gathers
	request  http.Request // what handler sees of the request
	answer   bufferedAnswer
	compress compressor
}

// newExposition returns an exposition. promhttp writes in small pieces, which
// net/http would send through its own small buffer.
func (h *handler) newExposition() *exposition {
	e := &exposition{}
	e.answer = bufferedAnswer{Writer: bufio.NewWriterSize(&e.compress, 64<<10), header: make(http.Header)}
	e.handler = promhttp.HandlerForTransactional(e, promhttp.HandlerOpts{
		ErrorLog: errorLog{h.Logger},
		// One family that cannot be exposed must not cost the others.
		ErrorHandling:      promhttp.ContinueOnError,
		DisableCompression: true, // compressor is cheaper
		AcceptedFormats:    exactly,
		EnableOpenMetrics:  true,
		// Only metrics whose rule has `created` have such samples.
		EnableOpenMetricsTextCreatedSamples: true,
	})
	return e
}

// Gather gathers for the scrape that is being answered.
func (e *exposition) Gather() ([]*dto.MetricFamily, func(), error) { return e.gatherer.Gather() }

// A bufferedAnswer is a ResponseWriter over a large buffer, which has the methods
// that make promhttp's encoders go without one of their own. Its headers are
// negotiated already: what handler says of them is left aside, unless it failed.
type bufferedAnswer struct {
	*bufio.Writer
	header http.Header // that handler fills
	client http.ResponseWriter
	parts  *collector.Parts // of the answer; nil: it is whole
}

// Header returns the header for handler to fill.
func (w *bufferedAnswer) Header() http.Header { return w.header }

// WriteHeader is called for an error, which is text.
func (w *bufferedAnswer) WriteHeader(status int) {
	maps.Copy(w.client.Header(), w.header)
	w.client.WriteHeader(status)
}

// Write leaves out the end of what is not the end. expfmt writes it, and nothing
// else, in one piece.
func (w *bufferedAnswer) Write(p []byte) (int, error) {
	if string(p) == "# EOF\n" && w.more() {
		return len(p), nil
	}
	return w.Writer.Write(p)
}

// more tells whether another part of the answer follows.
func (w *bufferedAnswer) more() bool { return w.parts != nil && w.parts.More() }

// varying are the headers of requests on which answers depend.
var varying = []string{"Accept-Encoding", "Accept"}

// expose returns what gatherer gathers, in the format that the client asked for. Where
// printing takes too much time or memory, that is what unprinted gathers instead. It is
// nil where gatherer has little to say.
func (h *handler) expose(ctx context.Context, w http.ResponseWriter, r *http.Request,
	gatherer prometheus.TransactionalGatherer, unprinted func(error) prometheus.TransactionalGatherer,
) (*heldAnswer, error) {
	held := h.hold(ctx, r)
	held.certain = unprinted == nil
	err := h.print(held, w, r, gatherer)
	if held.full != nil && r.Context().Err() == nil {
		held.drop()
		w.Header().Del("Content-Encoding")
		held = h.hold(ctx, r)
		held.certain = true
		err = h.print(held, w, r, unprinted(err))
	}
	return held, err
}

// print writes an exposition. One takes almost a megabyte, most of it for compressing:
// neither a probe that waits for its target has one, nor an answer that waits for its
// client.
func (h *handler) print(held *heldAnswer, w http.ResponseWriter, r *http.Request, gatherer prometheus.TransactionalGatherer) (err error) {
	var parts *collector.Parts
	if g, ok := gatherer.(*collector.Gatherer); ok {
		parts = g.Parts()
		defer parts.Close()
		gatherer = parts
	}
	e, _ := h.expositions.Get().(*exposition)
	if e == nil {
		e = h.newExposition()
	}
	format := h.formats.of(r.Header)
	e.gatherer = gatherer
	e.compress.begin(held, w.Header(), r.Header)
	e.answer.Reset(&e.compress)
	e.answer.client, e.answer.parts = w, parts
	e.request = http.Request{Header: format.asked}
	if filters(r.URL.RawQuery) {
		e.request.URL = r.URL
	}
	w.Header()["Content-Type"], w.Header()["Vary"] = format.contentType, varying
	e.handler.ServeHTTP(&e.answer, &e.request)
	for held.full == nil && e.answer.more() {
		e.handler.ServeHTTP(&e.answer, &e.request)
	}
	err = e.answer.Flush()
	if ended := e.compress.end(); err == nil {
		err = ended
	}
	clear(e.answer.header)
	e.answer.client, e.answer.parts = nil, nil
	e.request, e.gatherer = http.Request{}, nil
	h.expositions.Put(e)
	return err
}

// filters tells whether a query may hold name[], promhttp's filter by metric name:
// promhttp reads all of the query again.
func filters(query string) bool {
	return strings.ContainsRune(query, '[') || strings.Contains(query, "%5")
}

// errorLog writes what promhttp cannot expose to the log. A client that went
// away is no error of ours.
type errorLog struct{ logger *slog.Logger }

func (l errorLog) Println(v ...any) {
	var text strings.Builder
	for i, part := range v {
		if i > 0 {
			text.WriteByte(' ')
		}
		if err, ok := part.(error); ok {
			if full := (*fullError)(nil); errors.As(err, &full) {
				return // the probe fails of it, which is told then
			}
			part = err.Error()
		}
		if s, ok := part.(string); ok {
			text.WriteString(s)
		}
	}
	l.logger.Error("metrics could not be exposed", "error", text.String())
}
