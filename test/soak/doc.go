// Package soak runs the exporter under load: many targets, some of which hang and
// some of which are dead, two scrapers, and a reload every second.
package soak
