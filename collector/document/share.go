package document

import "context"

// A Share is what one probe may use of the machine beside all others. Its errors
// mean ReasonOverloaded.
type Share interface {
	// Reserve asks for memory for n more bytes of a body.
	Reserve(n int64) error
	// Wait returns when one more document may be worked on.
	Wait(ctx context.Context) error
	// Rest gives back what Wait gave, as long as there is nothing to work on.
	Rest()
	// Decoded asks for memory for what is made of n values. Fewer than none are given
	// back.
	Decoded(n int) error
}
