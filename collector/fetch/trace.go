package fetch

import (
	"context"
	"crypto/tls"
	"net/http/httptrace"
	"sync"
	"time"

	"status_exporter/collector/document"
)

// A stage is how far an exchange has come.
type stage int

const (
	stageStart stage = iota // before anything was done
	stageResolve
	stageConnect
	stageTLS
	stageRequest    // connected, the request is being written
	stageProcessing // the request is written, nothing has come back
	stageTransfer   // the answer has begun
)

// doing says what an exchange was doing, for errors.
var doing = [...]string{
	stageStart:      "waiting for a connection",
	stageResolve:    "looking up the name",
	stageConnect:    "connecting",
	stageTLS:        "in the TLS handshake",
	stageRequest:    "sending the request",
	stageProcessing: "waiting for the answer",
	stageTransfer:   "reading the answer",
}

// A trace measures one exchange. Its hooks are called from several goroutines,
// also after the exchange is over: net/http may dial beside a connection that
// became free.
type trace struct {
	mu      sync.Mutex
	sealed  bool
	stage   stage
	phases  document.Phases
	began   [document.PhaseTransfer + 1]time.Time
	address string // connected to, or tried last
	reused  bool
}

// withTrace returns a context whose HTTP request is measured by t.
func withTrace(ctx context.Context, t *trace) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn:              func(string) { t.again() },
		DNSStart:             func(httptrace.DNSStartInfo) { t.begin(document.PhaseResolve, stageResolve) },
		DNSDone:              func(httptrace.DNSDoneInfo) { t.end(document.PhaseResolve) },
		ConnectStart:         t.connectStart,
		ConnectDone:          t.connectDone,
		TLSHandshakeStart:    func() { t.begin(document.PhaseTLS, stageTLS) },
		TLSHandshakeDone:     t.handshakeDone,
		GotConn:              t.gotConn,
		WroteRequest:         func(httptrace.WroteRequestInfo) { t.begin(document.PhaseProcessing, stageProcessing) },
		GotFirstResponseByte: t.firstByte,
	})
}

func (t *trace) begin(p document.Phase, s stage) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.start(p, s)
}

// again goes back to the start: the connection that was got had been closed.
func (t *trace) again() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.sealed {
		t.stage = stageStart
	}
}

func (t *trace) start(p document.Phase, s stage) {
	if t.sealed || t.beside(s) || p == document.PhaseProcessing && t.stage == stageTransfer {
		return
	}
	t.stage = s
	if t.began[p].IsZero() {
		t.began[p] = time.Now()
	}
}

// beside tells whether stage s is that of a dial which goes on although the
// exchange has got another connection.
func (t *trace) beside(s stage) bool { return s < stageRequest && t.stage >= stageRequest }

func (t *trace) end(p document.Phase) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stop(p, time.Now())
}

func (t *trace) stop(p document.Phase, now time.Time) {
	if t.sealed || t.began[p].IsZero() {
		return
	}
	t.phases[p] += now.Sub(t.began[p])
	t.began[p] = time.Time{}
}

func (t *trace) connectStart(_, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.sealed && !t.beside(stageConnect) {
		t.address = address
	}
	t.start(document.PhaseConnect, stageConnect)
}

// connectDone leaves the phase open after an error: another address of the same
// name may still be tried.
func (t *trace) connectDone(_, address string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil || t.sealed || t.beside(stageConnect) {
		return
	}
	t.address = address
	t.stop(document.PhaseConnect, time.Now())
}

// handshakeDone leaves the stage at TLS: where it failed, this is the cause.
func (t *trace) handshakeDone(tls.ConnectionState, error) { t.end(document.PhaseTLS) }

func (t *trace) gotConn(info httptrace.GotConnInfo) {
	release(info.Conn)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sealed {
		return
	}
	now := time.Now()
	for p := range document.PhaseProcessing {
		t.stop(p, now)
	}
	t.began[document.PhaseProcessing] = time.Time{}
	t.stage, t.reused, t.address = stageRequest, info.Reused, info.Conn.RemoteAddr().String()
}

func (t *trace) firstByte() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stop(document.PhaseProcessing, time.Now())
	t.start(document.PhaseTransfer, stageTransfer)
}

// finish ends the measurement: phases still open count up to now, and what
// comes later is ignored.
func (t *trace) finish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	for p := range t.began {
		t.stop(document.Phase(p), now)
	}
	t.sealed = true
}

// reached returns how far the exchange came.
func (t *trace) reached() (s stage, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stage, t.address
}

// lost tells whether err means that a kept connection was closed before anything
// came back on it.
func (t *trace) lost(err error) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.reused && (t.stage == stageRequest || t.stage == stageProcessing) && closed(err)
}
