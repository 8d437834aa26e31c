package demo

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
)

// errFull is the error of a request that found every place in the queue taken.
var errFull = errors.New("the queue is full")

// unhealthyAfter is how many failures in a row make the application unhealthy.
// Where every second request fails by design, so many are one in a thousand.
const unhealthyAfter = 10

// A queue gives the workers to requests in the order of their arrival.
type queue struct {
	mu       sync.Mutex
	working  int             // requests that have a worker, at most Workers
	waiting  []chan struct{} // requests that wait for one, at most QueueLength; closed when it is theirs
	failures int             // answers in a row that were not 200
}

// enter returns nil once a worker is there for the request, which is then given
// back with leave. It returns errFull, or the context's error.
func (q *queue) enter(ctx context.Context) error {
	turn, err := q.line()
	if err != nil {
		return err
	}
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		q.giveUp(turn)
		return ctx.Err()
	}
}

// line takes a place in the queue, or a worker if one is free.
func (q *queue) line() (turn chan struct{}, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	turn = make(chan struct{})
	switch {
	case q.working < Workers:
		q.working++
		close(turn)
	case len(q.waiting) < QueueLength:
		q.waiting = append(q.waiting, turn)
	default:
		q.failures++
		return nil, errFull
	}
	return turn, nil
}

// giveUp leaves the queue, or passes on a worker that came at the same moment.
func (q *queue) giveUp(turn chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.waiting, turn); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
		return
	}
	q.next()
}

// leave gives the worker back. A code of 0 is a request that was not answered.
func (q *queue) leave(code int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch code {
	case 0:
	case http.StatusOK:
		q.failures = 0
	default:
		q.failures++
	}
	q.next()
}

// next gives a worker that has become free to the first in the queue.
func (q *queue) next() {
	if len(q.waiting) == 0 {
		q.working--
		return
	}
	close(q.waiting[0])
	q.waiting = slices.Delete(q.waiting, 0, 1)
}

// load returns what is going on, all of the same moment.
func (q *queue) load() (working, waiting int, healthy bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.working, len(q.waiting), len(q.waiting) < QueueLength && q.failures < unhealthyAfter
}
