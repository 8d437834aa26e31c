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

	"status_exporter/collector/document"
)

// failed says why an exchange with url failed: by what the error is where it has
// a type, else by how far the exchange had come. net/http quotes what the target
// sent in some of its errors; such a text is not passed on, as a target may send
// back what it was sent.
func failed(ctx context.Context, err error, t *trace, url string) *document.Failure {
	stage, address := t.reached()
	if timedOut(ctx, err) {
		return overtime(ctx, stage, address, url)
	}
	var known *document.Failure
	if errors.As(err, &known) {
		return document.Failf(known.Reason, "asking %s: %w", url, known.Err)
	}
	reason, message := classify(err, stage, address)
	return document.Failf(reason, "asking %s: %w", url, message)
}

func timedOut(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded)
}

func overtime(ctx context.Context, s stage, address, url string) *document.Failure {
	what := "the deadline passed"
	if errors.Is(ctx.Err(), context.Canceled) {
		what = "the probe was cancelled"
	}
	where := doing[s]
	if s == stageConnect && address != "" {
		where += " to " + address
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
	switch {
	case strings.Contains(text, "response headers exceeded"), strings.Contains(text, "header list larger"):
		return document.ReasonTooLarge, errors.New("the header of the answer is larger than its limit")
	case strings.Contains(text, "suspiciously long trailer"):
		return document.ReasonTooLarge, errors.New("the trailer of the answer is larger than its limit")
	case strings.Contains(text, `malformed HTTP`) && strings.Contains(text, `"\x15\x03`):
		return document.ReasonProtocol, errors.New("the target speaks TLS on this port, expected plain HTTP; ask it with https://")
	case strings.Contains(text, "stream error"), strings.Contains(text, "GOAWAY"):
		return document.ReasonRead, errors.New("the target broke the HTTP/2 exchange off")
	case closed(err) && s == stageTransfer:
		return document.ReasonRead, errors.New("the answer ended early: the target closed the connection")
	case closed(err):
		return document.ReasonRead, errors.New("the target closed the connection without an answer")
	case strings.Contains(text, "net/http: invalid"), strings.Contains(text, "invalid method"):
		return document.ReasonInternal, err
	}
	return document.ReasonProtocol, errors.New("the answer is not HTTP (RFC 9112, RFC 9113)")
}

// alert returns the alert of the TLS protocol that err is about, or nil. With TLS
// 1.3 a target refuses a client's certificate only after the handshake.
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
