package document

import (
	"context"
	"errors"
	"fmt"
	"regexp"
)

// A Reason says in one word why a document could not be had or a probe failed:
// the value of the label reason of status_probe_failure_info. The list is closed.
type Reason string

// The reasons.
const (
	ReasonDNS        Reason = "dns"        // the name could not be resolved
	ReasonConnect    Reason = "connect"    // no connection could be made
	ReasonTLS        Reason = "tls"        // the TLS handshake failed
	ReasonTimeout    Reason = "timeout"    // the deadline passed; wins over what it interrupted
	ReasonRefused    Reason = "refused"    // the configuration does not allow to ask this address
	ReasonRedirect   Reason = "redirect"   // a redirect that may not or can not be followed
	ReasonProtocol   Reason = "protocol"   // the answer is not HTTP, or breaks its rules
	ReasonStatus     Reason = "status"     // the status code is not among the accepted ones
	ReasonTooLarge   Reason = "too_large"  // the body or the header is larger than its limit
	ReasonRead       Reason = "read"       // the answer ended early, or never began; a file cannot be read
	ReasonEncoding   Reason = "encoding"   // the content encoding is unknown or broken
	ReasonDecode     Reason = "decode"     // the body is not of the module's format
	ReasonLogin      Reason = "login"      // the login was not accepted
	ReasonTold       Reason = "told"       // the document itself tells of a failure (fail_when)
	ReasonLimit      Reason = "limit"      // the document is deeper or has more values than the limits allow
	ReasonNoSamples  Reason = "no_samples" // no rule found anything
	ReasonOverloaded Reason = "overloaded" // the exporter has no memory or place left for this probe
	ReasonInternal   Reason = "internal"   // a defect of the exporter
)

// A Failure is an error with its reason. The text of the error names what was
// tried and on what. It may quote what a target says, which may be what it was sent.
type Failure struct {
	Reason Reason
	Err    error
}

func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Failf returns a Failure with a formatted error; %w wraps as in fmt.Errorf.
func Failf(reason Reason, format string, args ...any) *Failure {
	return &Failure{reason, &sentence{fmt.Errorf(format, args...), format}}
}

// A sentence is an error that knows which words of it are the exporter's.
type sentence struct {
	error
	format string
}

func (s *sentence) Unwrap() error { return s.error }

var verb = regexp.MustCompile(`%[^a-z]*[a-z]`)

// Words returns what is sure to be the exporter's own words in the text of an error:
// what Failf did not fill in.
func Words(err error) []string {
	var words []string
	for s := (*sentence)(nil); errors.As(err, &s); err = s.error {
		words = append(words, verb.Split(s.format, -1)...)
	}
	return words
}

// AsFailure returns err as a Failure: a passed deadline is ReasonTimeout whatever it
// interrupted, a Failure keeps its reason, and anything else gets reason.
func AsFailure(ctx context.Context, reason Reason, err error) *Failure {
	if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
		return &Failure{ReasonTimeout, err}
	}
	var f *Failure
	if errors.As(err, &f) {
		return &Failure{f.Reason, err}
	}
	return &Failure{reason, err}
}
