package document

import (
	"net/http"
	"time"
)

// A Document is one answer of a source: its decoded value, or why there is none.
// It is not changed once the source has returned it.
type Document struct {
	Name     string // the key under documents:, or Status where there is only one
	Optional bool   // its failure does not fail the probe
	Value    any    // nil where Failure is set
	Failure  *Failure

	StatusCode int         // of the last HTTP answer; 0 where there was none
	Header     http.Header // of the last HTTP answer; nil where there was none
	Bytes      int64       // after decompression; -1 where nothing was read
	Excerpt    []byte      // the beginning of the body, where the probe asked for it

	Exchanges []Exchange // every HTTP request made for it, in order
	Phases    Phases     // summed over the exchanges, and decoding
	// EarliestCertExpiry is the earliest end of validity in the certificates that
	// the target showed; zero without TLS.
	EarliestCertExpiry time.Time
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
