package web

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"status_exporter/collector"
	"status_exporter/config"
)

func TestHeldAnswer(t *testing.T) {
	gone, leave := context.WithCancel(context.Background())
	leave()
	later := time.Now().Add(time.Hour)
	tests := map[string]struct {
		budget int64
		client context.Context
		until  time.Time
		size   int
		want   string // of the error
	}{
		"small":                          {0, gone, time.Time{}, 60 << 10, ""},
		"large":                          {1 << 20, context.Background(), later, 900 << 10, ""},
		"larger than what there is":      {1 << 20, context.Background(), later, 1 << 20, "printing the answer: all probes together would take about 1 MiB of memory, the limit is 1 MiB (--probe.memory-budget)"},
		"not printed at the deadline":    {1 << 20, context.Background(), time.Now(), 65 << 10, "printing the answer: 64 KiB were printed at the deadline: context deadline exceeded"},
		"for a client that is not there": {1 << 20, gone, later, 65 << 10, "printing the answer: context canceled"},
	}
	for name, test := range tests {
		pool := collector.NewPool(&config.Config{}, collector.Settings{Budget: collector.NewBudget(1, test.budget)})
		held := &heldAnswer{holding: pool.Holding(), client: test.client, until: test.until}
		text := []byte(strings.Repeat("0123456789abcde\n", test.size/16))
		n, err := held.Write(text)
		if test.want != "" {
			if full := (*fullError)(nil); n == len(text) || !errors.As(err, &full) || err.Error() != test.want {
				t.Errorf("%s: %d of %d bytes are held, with error %v, want %s", name, n, len(text), err, test.want)
			}
			if _, again := held.Write(text); !errors.Is(again, err) {
				t.Errorf("%s: then got %v", name, again)
			}
		}
		var sent bytes.Buffer
		if err := held.send(&sent); err != nil || sent.String() != string(text[:n]) {
			t.Errorf("%s: sent %d bytes of %d with error %v", name, sent.Len(), n, err)
		}
		held.drop()
		all := pool.Holding()
		if err := all.Grow(test.budget); err != nil {
			t.Errorf("%s: something is held for ever: %v", name, err)
		}
	}
}
