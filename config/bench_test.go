package config_test

import (
	"testing"

	"status_exporter/config"
)

// BenchmarkLoad reads the built-in modules and the example.
func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := config.Load(config.Input{Files: []string{right + "example.yml"}, Getenv: noEnv}); err != nil {
			b.Fatal(err)
		}
	}
}
