// Package documenttest holds what tests of several sources need.
package documenttest

import "context"

// Free is a share of a machine that has enough of everything.
type Free struct{}

// Reserve never fails.
func (Free) Reserve(int64) error { return nil }

// Wait never waits.
func (Free) Wait(context.Context) error { return nil }

// Rest has nothing to give back.
func (Free) Rest() {}

// Decoded never fails.
func (Free) Decoded(int) error { return nil }
