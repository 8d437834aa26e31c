//go:build !race

package program

// Race tells whether the exporter is built with the race detector.
const Race = false
