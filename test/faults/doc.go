// Package faults runs the exporter against targets that do what they should not:
// each test says what a scrape then answers, why, how soon, and what is left.
package faults
