package main

import (
	"bytes"
	"log"
	"log/slog"
	"os"
	"strings"
	"testing"
)

// What net/http quotes by package log may be a secret that a target was sent.
func TestPackageLogQuotesNothing(t *testing.T) {
	var text bytes.Buffer
	p := &program{stderr: &text, log: logOptions{level: "debug", format: "json"}}
	before, flags := slog.Default(), log.Flags()
	defer func() {
		slog.SetDefault(before)
		log.SetOutput(os.Stderr)
		log.SetFlags(flags)
	}()
	p.logger()
	log.Printf("Unsolicited response received on idle HTTP channel starting with %q; err=%v", "a \"hunter2\" \\ hunter2\n", nil)
	if got := text.String(); strings.Contains(got, "hunter2") || !strings.Contains(got, "idle HTTP channel starting with") || !strings.Contains(got, "err=") {
		t.Errorf("got %s", got)
	}
}
