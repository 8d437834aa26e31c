// Package program builds the exporter and runs it for tests that look at it from
// outside: at its answers, its log, its memory, its goroutines and its files.
package program
