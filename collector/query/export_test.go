package query

import "context"

// Plain tells whether the expression is walked without the machine.
func (q *Query) Plain() bool { return q.plain }

// ByMachine returns what All does, always from the machine.
func (q *Query) ByMachine(ctx context.Context, env *Env, input any, yield func(any, error) bool) {
	q.program().run(ctx, env, input, 0, yield)
}

// The turns of evaluations that need much memory.
var (
	TakeTurn = takeTurn
	GiveTurn = giveTurn
)
