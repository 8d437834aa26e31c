package document_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"status_exporter/collector/document"
)

func TestAbandonable(t *testing.T) {
	failed := errors.New("a failure")
	if n, err := document.Abandonable(t.Context(), func() (int, error) { return 1, failed }); n != 1 || !errors.Is(err, failed) {
		t.Errorf("got %d, %v, want what was returned", n, err)
	}

	_, err := document.Abandonable(t.Context(), func() (int, error) { panic("an accident") })
	if f := document.AsFailure(t.Context(), document.ReasonRead, err); f.Reason != document.ReasonInternal || !strings.Contains(f.Error(), "an accident") {
		t.Errorf("got %s: %v, want reason internal and the panic", f.Reason, f)
	}

	ctx, cancel := context.WithCancel(t.Context())
	letGo, ended := make(chan struct{}), make(chan struct{})
	_, err = document.Abandonable(ctx, func() (int, error) {
		defer close(ended)
		cancel()
		<-letGo
		panic("an accident that nobody waits for")
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that the context ended", err)
	}
	close(letGo)
	<-ended
}
