package accesslog

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWithoutRotated(t *testing.T) {
	names := []string{
		"access.log", "access.log.1", "access.log.2.gz", "access.log-20261101", "access.log-20261101-1793491200.gz",
		"access.log.old", "access-20261101.log", "access-2026-11-01.log", "access.1.log", "access.log.1.2",
		"access-8080.log", "access-admin.log", "access_ssl.log", "access_ssl.log.1",
		"day-20261101.log", "day-20261102.log", "error.log.1",
	}
	want := []string{
		"access.log", "access-8080.log", "access-admin.log", "access_ssl.log",
		"day-20261101.log", "day-20261102.log", "error.log.1",
	}
	if diff := cmp.Diff(want, withoutRotated(names)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
