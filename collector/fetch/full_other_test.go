//go:build !linux

package fetch_test

import "testing"

// full returns an address where nobody answers (RFC 5737).
func full(*testing.T) string { return "192.0.2.1" }
