package fetch

import (
	"bytes"
	"testing"
)

// What a body takes was asked for before, however large it becomes.
func TestAllThatIsReadIsReserved(t *testing.T) {
	for _, n := range []int{0, 1, 511, 512, 100_000, 10 << 20} {
		for _, announced := range []int64{-1, 0, int64(n)} {
			reserved := 0
			b, err := readAll(bytes.NewReader(make([]byte, n)), announced, 1<<30, func(more int) error { reserved += more; return nil })
			if err != nil || len(b) != n || cap(b) > reserved {
				t.Errorf("%d bytes, %d announced: %d were read into %d with %d reserved, %v", n, announced, len(b), cap(b), reserved, err)
			}
		}
	}
}
