package fetch

import (
	"context"
	"crypto/tls"
	"net"
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
	address string // connected to, or tried last; conn's where there is one
	conn    net.Conn
	reused  bool

	held            *heldConn // below conn, for as long as the exchange lasts
	receivedAtStart int64     // bytes that held had received when the exchange got it
	spoiled         bool      // held is not to be used again
	inBody          bool      // the body was being read
	body            int64     // how many bytes of it were read

	gets  int  // how often a connection was asked for
	got   int  // and how often one was got
	first int  // and how often one that no other exchange had before
	idle  bool // the connection was there at once: nothing was dialled
	wrote bool // the request
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
		WroteRequest:         t.wroteRequest,
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
	t.gets++
	if !t.sealed {
		t.stage = stageStart
	}
}

func (t *trace) wroteRequest(httptrace.WroteRequestInfo) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wrote = true
	t.start(document.PhaseProcessing, stageProcessing)
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
		t.address, t.conn = address, nil
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
	t.address, t.conn = address, nil
	t.stop(document.PhaseConnect, time.Now())
}

// handshakeDone leaves the stage at TLS: where it failed, this is the cause.
func (t *trace) handshakeDone(tls.ConnectionState, error) { t.end(document.PhaseTLS) }

func (t *trace) gotConn(info httptrace.GotConnInfo) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sealed {
		return
	}
	t.got++
	if !info.Reused {
		t.first++
	}
	t.moveTo(heldBelow(info.Conn))
	now := time.Now()
	for p := range document.PhaseProcessing {
		t.stop(p, now)
	}
	t.began[document.PhaseProcessing] = time.Time{}
	t.stage, t.reused, t.idle, t.conn = stageRequest, info.Reused, info.WasIdle, info.Conn
}

// moveTo sets where the exchange is from now on: net/http repeats a request on another
// connection where the first one is full or takes no more. Others may go on there.
func (t *trace) moveTo(c *heldConn) {
	if c == t.held {
		return
	}
	t.leave(false)
	if t.held = c; c != nil {
		t.receivedAtStart = c.enter()
	}
}

func (t *trace) leave(spoiled bool) {
	if t.held != nil {
		t.held.leave(spoiled)
		t.held = nil
	}
}

// spoil has the connection closed when nobody uses it any more.
func (t *trace) spoil() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spoiled = true
}

// hasRead notes how many bytes of the body were read.
func (t *trace) hasRead(body int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inBody, t.body = true, body
}

func (t *trace) firstByte() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stop(document.PhaseProcessing, time.Now())
	t.start(document.PhaseTransfer, stageTransfer)
}

// finish ends the measurement: phases still open count up to now, and what
// comes later is ignored.
func (t *trace) finish() document.Phases {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	for p := range t.began {
		t.stop(document.Phase(p), now)
	}
	t.sealed = true
	t.leave(t.spoiled)
	return t.phases
}

// reset makes the trace that of another exchange, if no hook of this one can be
// called any more: the answer has come, the request was written before, and
// nothing was dialled, not even beside a connection that became free.
func (t *trace) reset() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stage != stageTransfer || !t.wrote || !t.idle || t.gets != 1 {
		return false
	}
	t.sealed, t.stage, t.phases, t.began = false, stageStart, document.Phases{}, [len(t.began)]time.Time{}
	t.address, t.conn, t.reused, t.spoiled, t.inBody, t.body = "", nil, false, false, false, 0
	t.gets, t.got, t.first, t.idle, t.wrote = 0, 0, 0, false, false
	return true
}

// to returns the address connected to, or tried last.
func (t *trace) to() string {
	if t.conn != nil {
		return t.conn.RemoteAddr().String()
	}
	return t.address
}

// reached returns how far the exchange came, and on which connection.
func (t *trace) reached() (s stage, address string, reused bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stage, t.to(), t.reused
}

// attempts returns how often net/http sent the request, or was about to.
func (t *trace) attempts() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.got
}

// firsts returns how often the exchange was the first one on a connection.
func (t *trace) firsts() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.first
}

// lost tells whether err means that a connection ended before anything came back on it:
// one that was kept, or was closed here as the exchange chose it, or ended before the
// request was sent.
func (t *trace) lost(err error) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stage != stageRequest && t.stage != stageProcessing {
		return false
	}
	return t.reused && closed(err) || unsent(err) || t.held != nil && t.held.endedHere()
}
