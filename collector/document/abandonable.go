package document

import (
	"context"
	"runtime/debug"
)

// Abandonable returns what f does, or the cause of ctx's end where that comes first. It
// is for calls that take no notice of a context, such as those of a file system whose
// server is gone: f goes on then, and what it returns is lost. A panic of f is an error
// of ReasonInternal, and never ends the process.
func Abandonable[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	ended := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			if p := recover(); p != nil {
				r.err = Failf(ReasonInternal, "a defect of the exporter: %v\n%s", p, debug.Stack())
			}
			ended <- r
		}()
		r.value, r.err = f()
	}()
	select {
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	case r := <-ended:
		return r.value, r.err
	}
}
