package document

import (
	"context"
	"fmt"
	"strings"
)

// A meter counts what a document becomes while it is decoded, so that decoding
// ends at the limits and soon after the context does.
type meter struct {
	ctx    context.Context
	limits Limits
	depth  int
	values int
	pause  int // the count of values at which the limits and the context are looked at
}

// pauseEvery is the number of values between two looks at the context: well
// under a millisecond's work in the slowest format.
const pauseEvery = 1024

func newMeter(ctx context.Context, limits Limits) meter {
	return meter{ctx: ctx, limits: limits, values: limits.Before, pause: min(limits.Before+pauseEvery, limits.Values+1)}
}

// count notes n more values. It is small enough to be inlined.
func (m *meter) count(n int) error {
	m.values += n
	if m.values < m.pause {
		return nil
	}
	return m.look()
}

func (m *meter) look() error {
	if m.values > m.limits.Values {
		return m.tooMany()
	}
	if m.ctx.Err() != nil {
		return m.givenUp()
	}
	m.pause = min(m.values+pauseEvery, m.limits.Values+1)
	return nil
}

func (m *meter) givenUp() error {
	return fmt.Errorf("decoding was given up: %w", m.ctx.Err())
}

func (m *meter) tooMany() error {
	return Failf(ReasonLimit, "the document has more than %d values, which is the limit", m.limits.Values)
}

// foresee refuses a text in which separators stand more often than there may be
// values. It is for parsers that hold a part of the document, however large,
// before its values can be counted.
func (m *meter) foresee(text string, separators ...string) error {
	found := m.limits.Before
	for _, separator := range separators {
		found += strings.Count(text, separator)
	}
	if found > m.limits.Values {
		return m.tooMany()
	}
	return nil
}

// members refuses an object with more members than one may have.
func (m *meter) members(n int) error {
	if most := m.limits.Members(); n > most {
		return Failf(ReasonLimit, "the document has an object of %d members, the limit is %d", n, most)
	}
	return nil
}

// longestNumber is how many characters a number may have. Arithmetic on a whole
// number takes time that grows with the square of its length, and jq cannot be
// stopped in the middle of it.
const longestNumber = 1000

// shortNumber refuses a number that is too long to reckon with.
func shortNumber(text string) error {
	if len(text) > longestNumber {
		return Failf(ReasonLimit, "the document has a number of %d characters, the limit is %d", len(text), longestNumber)
	}
	return nil
}

// enter notes the beginning of an array or object, leave its end.
func (m *meter) enter() error {
	m.depth++
	if m.depth > m.limits.Depth {
		return m.tooDeep()
	}
	return nil
}

func (m *meter) tooDeep() error {
	return Failf(ReasonLimit, "the document is nested deeper than %d, which is the limit", m.limits.Depth)
}

func (m *meter) leave() { m.depth-- }
