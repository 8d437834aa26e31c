package web

import (
	"net/http"
	"strings"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"status_exporter/collector/spare"
)

// A format is how an answer is written to clients that send the same Accept.
type format struct {
	contentType []string // of the answer: the value of the header
	// asked is the header of a request for just this format, with names as they are.
	// All names are legacy ones, which no escaping changes: the config accepts no
	// others. promhttp would still look at every name and label of every series.
	asked http.Header
}

// acceptable are the formats that promhttp offers, the preferred ones first.
var acceptable = expfmt.DefaultOpenMetricsAcceptedFormats()

func newFormat(accept string) *format {
	negotiated := expfmt.NegotiateAccept(http.Header{"Accept": {accept}}, acceptable...)
	kind, _, _ := strings.Cut(string(negotiated), "; "+model.EscapingKey+"=")
	kind = strings.TrimSuffix(kind, "; charset=utf-8") // there is no other
	return &format{
		contentType: []string{string(negotiated)},
		asked:       http.Header{"Accept": {kind + ";" + model.EscapingKey + "=" + model.AllowUTF8}},
	}
}

// exactly are the same formats where a client asks for just one of them: in the
// order in which promhttp finds the usual ones soonest.
var exactly = append([]expfmt.Format{expfmt.FmtText}, acceptable...)

// formats are those that clients asked for, by their Accept. The zero value is empty.
type formats struct{ spare.Map[string, *format] }

// formatLimit is how many are kept: there are as many as kinds of scrapers, unless
// somebody makes them up.
const formatLimit = 64

// of returns the format for a request.
func (f *formats) of(request http.Header) *format {
	accept := request.Get("Accept") // promhttp looks at the first one, too
	if kept, ok := f.Get(accept); ok {
		return kept
	}
	return f.Add(strings.Clone(accept), newFormat(accept), formatLimit)
}
