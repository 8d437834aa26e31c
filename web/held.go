package web

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
	"unsafe"

	"status_exporter/collector"
	"status_exporter/collector/spare"
)

// A heldAnswer keeps what is written to it until the probe is over, and then sends
// it. The samples and messages of an answer take ten times the memory of its text,
// and the client takes it as slowly as it likes.
//
// Few bytes of a document may become gigabytes of text, as the label of a parent is that of
// all its children. So what is held counts among the memory of all probes together,
// and there is a time after which nothing is held any more.
type heldAnswer struct {
	pieces  []*piece
	holding collector.Holding
	client  context.Context
	until   time.Time
	certain bool  // whatever it takes: it is little, and nothing else could be said
	full    error // why nothing more is held: a *fullError
}

// printTime is how much longer than its probe the printing of an answer may take.
const printTime = 100 * time.Millisecond

// A fullError says why an answer was not printed to its end.
type fullError struct{ reason error }

func (e *fullError) Error() string { return "printing the answer: " + e.reason.Error() }
func (e *fullError) Unwrap() error { return e.reason }

type piece struct {
	used  int
	bytes [64<<10 - 8]byte // with used, what the allocator hands out without waste
}

var piecePool = spare.Pool[*piece]{New: func() *piece { return new(piece) }}

// Size returns how many bytes of memory a piece holds.
func (p *piece) Size() int { return int(unsafe.Sizeof(*p)) }

// hold returns what holds the answer to a scrape.
func (h *handler) hold(ctx context.Context, r *http.Request) *heldAnswer {
	until, _ := ctx.Deadline()
	return &heldAnswer{holding: h.Pool.Holding(), client: r.Context(), until: until.Add(printTime)}
}

func (a *heldAnswer) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		if n := len(a.pieces); n == 0 || a.pieces[n-1].used == len(piece{}.bytes) {
			if a.full == nil {
				a.full = a.room()
			}
			if a.full != nil {
				return len(p) - len(rest), a.full
			}
			a.pieces = append(a.pieces, piecePool.Get())
		}
		last := a.pieces[len(a.pieces)-1]
		n := copy(last.bytes[last.used:], rest)
		last.used += n
		rest = rest[n:]
	}
	return len(p), nil
}

// room makes room for another piece. There is always room for one, in which a probe can
// tell that there was none for more.
func (a *heldAnswer) room() error {
	size := int64(unsafe.Sizeof(piece{}))
	if len(a.pieces) == 0 || a.certain {
		a.holding.Add(size)
		return nil
	}
	err := a.client.Err()
	if err == nil && time.Now().After(a.until) {
		err = fmt.Errorf("%d KiB were printed at the deadline: %w", int64(len(a.pieces))*size>>10, context.DeadlineExceeded)
	}
	if err == nil {
		err = a.holding.Grow(size)
	}
	if err != nil {
		return &fullError{err}
	}
	return nil
}

// takingTime is Options.TakingTime where that is not set.
const takingTime = 30 * time.Second

// send sends the answer of a scrape that is over. A client that takes nothing keeps
// only the answer, and not for ever.
func (h *handler) send(ctx context.Context, w http.ResponseWriter, held *heldAnswer, err error) {
	if deadline, ok := ctx.Deadline(); ok {
		_ = http.NewResponseController(w).SetWriteDeadline(deadline.Add(cmp.Or(h.TakingTime, takingTime)))
	}
	if err == nil {
		err = held.send(w)
	} else {
		w.Header().Del("Content-Encoding")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	}
	held.drop()
	if err != nil {
		h.Logger.Debug("the answer could not be written", "error", err)
	}
}

// send sends what was kept, as long as the client takes it.
func (a *heldAnswer) send(client io.Writer) error {
	for i, p := range a.pieces {
		if _, err := client.Write(p.bytes[:p.used]); err != nil {
			// A stream of HTTP/2 that was closed may still read it.
			a.pieces[i] = nil
			return err
		}
	}
	return nil
}

// drop lets go of what is held.
func (a *heldAnswer) drop() {
	for _, p := range a.pieces {
		if p != nil {
			p.used = 0
			piecePool.Put(p)
		}
	}
	a.pieces = nil
	a.holding.Release()
}
