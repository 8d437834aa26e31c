package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"status_exporter/collector/document"
)

// failed says why an exchange with url failed: by what the error is where it has
// a type, else by how far the exchange had come. net/http quotes what the target
// sent in some of its errors; such a text is not passed on, as a target may send
// back what it was sent.
func failed(ctx context.Context, err error, t *trace, url string) *document.Failure {
	t.spoil()
	stage, address, _ := t.reached()
	if timedOut(ctx, err) {
		return overtime(ctx, stage, address, url, t.attempts())
	}
	var known *document.Failure
	if errors.As(err, &known) {
		return document.Failf(known.Reason, "asking %s: %w", url, known.Err)
	}
	reason, message := classify(err, stage, address)
	if tooLarge := t.tooLarge(err); tooLarge != nil {
		reason, message = document.ReasonTooLarge, tooLarge
	}
	return document.Failf(reason, "asking %s: %w", url, message)
}

// timedOut tells whether err is the end of ctx. Package net gives its deadline to the
// system, whose clock may end a dial a little before ctx does.
func timedOut(ctx context.Context, err error) bool {
	if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	var network net.Error
	deadline, ok := ctx.Deadline()
	return ok && errors.As(err, &network) && network.Timeout() && time.Until(deadline) < deadlineSlack
}

// deadlineSlack is how long before a deadline a timeout of package net is its.
const deadlineSlack = 50 * time.Millisecond

func overtime(ctx context.Context, s stage, address, url string, attempts int) *document.Failure {
	what := "the deadline passed"
	if errors.Is(ctx.Err(), context.Canceled) {
		what = "the probe was cancelled"
	}
	where := doing[s]
	if s == stageConnect && address != "" {
		where += " to " + address
	}
	if attempts > 1 {
		where += fmt.Sprintf(", in attempt %d: the target did not take the request before", attempts)
	}
	return document.Failf(document.ReasonTimeout, "asking %s: %s while %s", url, what, where)
}

// classify returns the reason of a failure that is neither a passed deadline nor
// one of our own, and a sentence about it.
func classify(err error, s stage, address string) (document.Reason, error) {
	var (
		dns  *net.DNSError
		file *fs.PathError
	)
	switch {
	case errors.As(err, &dns):
		return document.ReasonDNS, fmt.Errorf("cannot look up %q: %s", dns.Name, dns.Err)
	case errors.As(err, &file):
		return document.ReasonLogin, fmt.Errorf("reading a credential: %w", file)
	case brokeTLS(err, s):
		return document.ReasonRead, fmt.Errorf("the TLS connection broke: %w", err)
	case speaksHTTP(err):
		return document.ReasonTLS, errors.New("the target speaks plain HTTP on this port, expected TLS; ask it with http://")
	case alert(err) != nil:
		return document.ReasonTLS, fmt.Errorf("the TLS handshake failed: %w", alert(err))
	case isTLS(err):
		return document.ReasonTLS, fmt.Errorf("the TLS handshake failed: %w", err)
	}
	switch s {
	case stageStart, stageResolve, stageConnect:
		return document.ReasonConnect, fmt.Errorf("cannot connect to %s: %w", address, innermost(err))
	case stageTLS:
		if closed(err) {
			return document.ReasonTLS, errors.New("the target closed the connection during the TLS handshake")
		}
		return document.ReasonTLS, fmt.Errorf("the TLS handshake failed: %w", err)
	}
	return classifyAnswer(err, s)
}

// classifyAnswer does the same once the request was on its way. net/http has no
// types for these errors, only texts.
func classifyAnswer(err error, s stage) (document.Reason, error) {
	text := err.Error()
	if reason, message := classifyHTTP2(text); message != nil {
		return reason, message
	}
	switch {
	case strings.Contains(text, "response headers exceeded"):
		return document.ReasonTooLarge, errHeaderTooLarge
	case strings.Contains(text, "suspiciously long trailer"):
		return document.ReasonTooLarge, errTrailerTooLarge
	case strings.Contains(text, `malformed HTTP`) && strings.Contains(text, `"\x15\x03`):
		return document.ReasonProtocol, errors.New("the target speaks TLS on this port, expected plain HTTP; ask it with https://")
	case closed(err) && s == stageTransfer:
		return document.ReasonRead, errors.New("the answer ended early: the target closed the connection")
	case closed(err):
		return document.ReasonRead, errors.New("the target closed the connection without an answer")
	case strings.Contains(text, "net/http: invalid"), strings.Contains(text, "invalid method"):
		return document.ReasonInternal, err
	}
	return document.ReasonProtocol, errors.New("the answer is not HTTP (RFC 9112, RFC 9113)")
}

var (
	errHeaderTooLarge  = errors.New("the header of the answer is larger than its limit")
	errTrailerTooLarge = errors.New("the trailer of the answer is larger than its limit")
)

// classifyHTTP2 does the same for what net/http says of HTTP/2 alone: its errors tell
// whether the target ended the exchange or net/http did, as it found a mistake. They
// may end with what the target says of itself, which is not looked at.
func classifyHTTP2(text string) (document.Reason, error) {
	stream, ofStream := strings.CutPrefix(text, "stream error: ")
	switch {
	case ofStream && strings.HasSuffix(stream, "; received from peer"):
		parts := strings.Split(stream, "; ") // the number of the stream, and why
		return document.ReasonRead, fmt.Errorf("the target broke the HTTP/2 exchange off (%s)", parts[1])
	case strings.HasSuffix(text, "header list too large"), strings.HasSuffix(text, "header list larger than advertised limit"):
		return document.ReasonTooLarge, errHeaderTooLarge
	case ofStream, strings.HasPrefix(text, "connection error: "), strings.HasPrefix(text, "net/http: server replied with more than declared"):
		return document.ReasonProtocol, errors.New("the answer breaks the rules of HTTP/2 (RFC 9113)")
	case strings.HasPrefix(text, "http2: ") && strings.Contains(text, "GOAWAY"):
		return document.ReasonRead, errors.New("the target broke the HTTP/2 exchange off (GOAWAY)")
	case text == "http2: client connection lost":
		return document.ReasonRead, errors.New("the target no longer answers on this connection of HTTP/2 (PING)")
	case strings.HasPrefix(text, "http2: client conn"):
		return document.ReasonRead, errors.New("the connection of HTTP/2 ended before the request was sent")
	}
	return "", nil
}

// oneFrame is how large a frame of HTTP/2 is at most that net/http takes.
const oneFrame = 16 << 10

// tooLarge tells whether err means that a header or trailer of HTTP/2 in several
// frames is larger than its limit, which to net/http is any breach of the protocol:
// more came than stands in one frame beside the body.
func (t *trace) tooLarge(err error) error {
	if err.Error() != "connection error: PROTOCOL_ERROR" {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.held == nil || t.held.sinceThen(t.receivedAtStart)-t.body < oneFrame:
		return nil
	case t.inBody:
		return errTrailerTooLarge
	}
	return errHeaderTooLarge
}

// brokeTLS tells whether err is about TLS, and not about its handshake. With TLS 1.3 a
// target refuses a client's certificate only after that, but before it answers.
func brokeTLS(err error, s stage) bool {
	if s < stageRequest {
		return false
	}
	if told := (*net.OpError)(nil); errors.As(err, &told) && told.Op == "remote error" {
		return s == stageTransfer
	}
	return alert(err) != nil || isTLS(err) || strings.HasPrefix(err.Error(), "tls: ")
}

// alert returns the alert of the TLS protocol that err is about, or nil.
func alert(err error) error {
	var network *net.OpError
	if errors.As(err, &network) && (network.Op == "remote error" || network.Op == "local error") {
		return network
	}
	return nil
}

// isTLS tells whether an error is about certificates or the TLS protocol.
func isTLS(err error) bool {
	var (
		record      tls.RecordHeaderError
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		name        x509.HostnameError
		invalid     x509.CertificateInvalidError
	)
	return errors.As(err, &record) || errors.As(err, &certificate) ||
		errors.As(err, &authority) || errors.As(err, &name) || errors.As(err, &invalid)
}

// speaksHTTP tells whether a TLS handshake was answered with HTTP.
func speaksHTTP(err error) bool {
	var record tls.RecordHeaderError
	return errors.As(err, &record) && string(record.RecordHeader[:]) == "HTTP/"
}

// closed tells whether a connection ended.
func closed(err error) bool {
	var network *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed) ||
		strings.Contains(err.Error(), "server closed idle connection") || errors.As(err, &network)
}

// unsent tells whether a connection of HTTP/2 ended before the request was sent.
func unsent(err error) bool {
	switch err.Error() {
	case "http2: client conn not usable", "http2: client conn could not be established":
		return true
	}
	return false
}

// innermost cuts the words of packages net and os about the dial itself.
func innermost(err error) error {
	if network := (*net.OpError)(nil); errors.As(err, &network) {
		err = network.Err
	}
	if call := (*os.SyscallError)(nil); errors.As(err, &call) {
		err = call.Err
	}
	return err
}

// statusText returns the status of an answer in the words of RFC 9110, not in
// those of the target.
func statusText(r *http.Response) string {
	if r == nil {
		return "nothing"
	}
	if text := http.StatusText(r.StatusCode); text != "" {
		return fmt.Sprintf("%d %s", r.StatusCode, text)
	}
	return fmt.Sprint(r.StatusCode)
}
