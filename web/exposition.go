package web

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

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
	buffer   *bufio.Writer
	compress compressor
}

// newExposition returns an exposition. promhttp writes in small pieces, which
// net/http would send through its own small buffer.
func (h *handler) newExposition() *exposition {
	e := &exposition{}
	e.buffer = bufio.NewWriterSize(&e.compress, 64<<10)
	e.handler = promhttp.HandlerForTransactional(e, promhttp.HandlerOpts{
		ErrorLog: errorLog{h.Logger},
		// One family that cannot be exposed must not cost the others.
		ErrorHandling:      promhttp.ContinueOnError,
		DisableCompression: true, // compressor is cheaper
		EnableOpenMetrics:  true,
		// Only metrics whose rule has `created` have such samples.
		EnableOpenMetricsTextCreatedSamples: true,
	})
	return e
}

// Gather gathers for the scrape that is being answered.
func (e *exposition) Gather() ([]*dto.MetricFamily, func(), error) { return e.gatherer.Gather() }

// A bufferedResponse is a ResponseWriter over a large buffer.
type bufferedResponse struct {
	http.ResponseWriter
	buffer *bufio.Writer
}

func (w bufferedResponse) Write(p []byte) (int, error) { return w.buffer.Write(p) }

// takingTime is how much longer than its probe an answer may take, for the client
// to take it.
const takingTime = 30 * time.Second

// An asideWriter lets other probes work while the client takes its answer.
type asideWriter struct {
	http.ResponseWriter
	gatherer *collector.Gatherer
}

func (w asideWriter) Write(p []byte) (n int, err error) {
	w.gatherer.Aside(func() { n, err = w.ResponseWriter.Write(p) })
	return n, err
}

// expose writes what gatherer gathers, in the format that the client asked for.
func (h *handler) expose(ctx context.Context, w http.ResponseWriter, r *http.Request, gatherer prometheus.TransactionalGatherer) {
	// A client that takes nothing must not keep what the answer holds for ever.
	if deadline, ok := ctx.Deadline(); ok {
		_ = http.NewResponseController(w).SetWriteDeadline(deadline.Add(takingTime))
	}
	var out io.Writer = w
	if g, ok := gatherer.(*collector.Gatherer); ok {
		out = asideWriter{w, g}
	}
	e, _ := h.expositions.Get().(*exposition)
	if e == nil {
		e = h.newExposition()
	}
	e.gatherer = gatherer
	e.compress.begin(out, w.Header(), r.Header)
	e.buffer.Reset(&e.compress)
	defer func() {
		err := e.buffer.Flush()
		if ended := e.compress.end(); err == nil {
			err = ended
		}
		if err != nil {
			h.Logger.Debug("the answer could not be written", "error", err)
		}
		e.gatherer = nil
		h.expositions.Put(e)
	}()
	e.handler.ServeHTTP(bufferedResponse{w, e.buffer}, r)
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
			part = err.Error()
		}
		if s, ok := part.(string); ok {
			text.WriteString(s)
		}
	}
	l.logger.Error("metrics could not be exposed", "error", text.String())
}
