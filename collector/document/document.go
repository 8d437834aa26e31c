package document

import (
	"context"
	"net/http"
	"time"

	"status_exporter/collector/tree"
)

// A Document is one answer of a source: its decoded value, or why there is none.
// It is not changed once the source has returned it.
type Document struct {
	Name     string // the key under documents:, or Status where there is only one
	Optional bool   // its failure does not fail the probe
	Value    any    // nil where Failure is set; may be a *tree.Node
	Failure  *Failure

	StatusCode int         // of the last HTTP answer; 0 where there was none
	Header     http.Header // of the last HTTP answer; nil where there was none
	Bytes      int64       // after decompression; -1 where nothing was read
	Values     int         // that were decoded, keys not counted
	Excerpt    []byte      // the beginning of the body, where the probe asked for it

	Exchanges []Exchange // every HTTP request made for it, in order
	Secrets   []string   // what was sent for it and may be shown to nobody, also where the target says it
	Names     []string   // of users and parts of paths that variables hold: to be hidden as far as they are no words that stand elsewhere
	Phases    Phases     // summed over the exchanges, and decoding
	// EarliestCertExpiry is the earliest end of validity in the certificates that
	// the target showed; zero without TLS.
	EarliestCertExpiry time.Time

	builders []*tree.Builder // of what was decoded for it
}

// Decode decodes an answer as the format does, for this document: in memory that
// was used before and is given back by Release. What was decoded for it before, other
// pages, counts against the limits.
func (d *Document) Decode(ctx context.Context, f Format, body []byte, contentType string, limits Limits) (any, error) {
	limits.Before = d.Values
	compact, ok := f.Decoder.(compactDecoder)
	if !ok {
		v, err := f.Decoder.Decode(ctx, body, contentType, limits)
		if err == nil {
			d.Values += Count(v)
		}
		return v, err
	}
	b := tree.NewBuilder()
	v, err := compact.build(ctx, body, contentType, limits, b)
	if err != nil {
		b.Release()
		return nil, err
	}
	d.Values += b.Len()
	d.builders = append(d.builders, b)
	return v, nil
}

// Count returns how many values there are in a Go value, itself among them.
func Count(v any) int {
	n := 1
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			n += Count(item)
		}
	case map[string]any:
		for _, member := range v {
			n += Count(member)
		}
	}
	return n
}

// Release makes the values that were decoded for the document invalid, Value among
// them, and their memory free for the next document. Texts that were cut out of
// them stay. It need not be called.
func (d *Document) Release() {
	for _, b := range d.builders {
		b.Release()
	}
	if d.builders != nil {
		d.Value, d.builders = nil, nil
	}
}

// Status is the name of the document of a module that has only one.
const Status = "status"

// An Exchange is one HTTP request and its answer as it may be shown: without
// userinfo, query values and secrets.
type Exchange struct {
	Method         string
	URL            string
	Address        string // the address connected to; "" where none was
	RequestHeader  http.Header
	Proto          string // HTTP/1.1, HTTP/2.0
	Status         string // 200 OK; "" where no answer came
	ResponseHeader http.Header
	Reused         bool // the connection had been used before
	Resumed        bool // the TLS session was resumed
	Phases         Phases
}

// A Phase is a part of a probe whose time is measured.
type Phase int

// The phases of a probe, in order.
const (
	PhaseResolve    Phase = iota // name resolution
	PhaseConnect                 // TCP or unix socket connection
	PhaseTLS                     // TLS handshake
	PhaseProcessing              // from the request written to the first byte of the answer
	PhaseTransfer                // from the first byte of the answer to the last
	PhaseDecode                  // bytes to value
	PhaseMap                     // value to samples
	phaseCount
)

var phaseNames = [phaseCount]string{"resolve", "connect", "tls", "processing", "transfer", "decode", "map"}

// String returns the phase as it stands in the label of status_probe_phase_seconds.
func (p Phase) String() string { return phaseNames[p] }

// Phases holds the time spent in each phase.
type Phases [phaseCount]time.Duration

// Add adds the times of other.
func (p *Phases) Add(other Phases) {
	for i := range p {
		p[i] += other[i]
	}
}
