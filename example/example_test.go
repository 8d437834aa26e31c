// Package example_test checks the files that come with the exporter for others
// to start from.
package example_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

func TestPrometheusConfiguration(t *testing.T) {
	run(t, "prometheus", "promtool", "check", "config", "prometheus.yml")
}

func TestUnitIsHardened(t *testing.T) {
	unit := installedUnit(t)
	run(t, "systemd", "systemd-analyze", "verify", "--man=no", unit)
	// 0 is no exposure at all, 100 is a service without any protection.
	run(t, "systemd", "systemd-analyze", "security", "--offline=true", "--threshold=15", unit)
}

// installedUnit returns a copy of the unit whose program exists.
func installedUnit(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("status_exporter.service")
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "status_exporter.service")
	installed := strings.ReplaceAll(string(text), "/usr/local/bin/status_exporter", "/bin/true")
	if err := os.WriteFile(unit, []byte(installed), 0o600); err != nil {
		t.Fatal(err)
	}
	return unit
}

// run runs a program that a Debian package brings.
func run(t *testing.T, debianPackage, name string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		report := t.Skipf
		if os.Getenv("CI") != "" {
			report = t.Fatalf
		}
		report("%s is not installed; Debian package %s brings it", name, debianPackage)
	}
	if out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput(); err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

func TestComposeFile(t *testing.T) {
	var file struct {
		Services map[string]struct {
			ReadOnly    bool     `yaml:"read_only"`
			CapDrop     []string `yaml:"cap_drop"`
			SecurityOpt []string `yaml:"security_opt"`
		}
	}
	if err := documents(t, "compose.yml")[0].Decode(&file); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"demo", "exporter"} {
		s := file.Services[name]
		if !s.ReadOnly || len(s.CapDrop) == 0 || len(s.SecurityOpt) == 0 {
			t.Errorf("service %s is not confined: %+v", name, s)
		}
	}
}

// A podSpec is what the manifests must say about every pod.
type podSpec struct {
	EnableServiceLinks           *bool `yaml:"enableServiceLinks"`
	AutomountServiceAccountToken *bool `yaml:"automountServiceAccountToken"`
	SecurityContext              struct {
		RunAsNonRoot bool `yaml:"runAsNonRoot"`
	} `yaml:"securityContext"`
	Containers []struct {
		Name            string
		LivenessProbe   probe `yaml:"livenessProbe"`
		ReadinessProbe  probe `yaml:"readinessProbe"`
		SecurityContext struct {
			AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
			ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
			Capabilities             struct{ Drop []string }
		} `yaml:"securityContext"`
	}
}

type probe struct {
	HTTPGet struct{ Path string } `yaml:"httpGet"`
}

func TestManifests(t *testing.T) {
	files, err := filepath.Glob("kubernetes/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests: %v", err)
	}
	for _, file := range files {
		for _, document := range documents(t, file) {
			var manifest struct {
				APIVersion string `yaml:"apiVersion"`
				Kind       string
				Spec       struct{ Template struct{ Spec podSpec } }
			}
			if err := document.Decode(&manifest); err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			if manifest.APIVersion == "" || manifest.Kind == "" {
				t.Errorf("%s has a document without apiVersion or kind", file)
			}
			if manifest.Kind == "Deployment" {
				t.Run(file, func(t *testing.T) { checkPod(t, manifest.Spec.Template.Spec) })
			}
		}
	}
}

func checkPod(t *testing.T, pod podSpec) {
	t.Helper()
	if pod.EnableServiceLinks == nil || *pod.EnableServiceLinks {
		t.Error("enableServiceLinks is not false: a Service named app would set APP_PORT")
	}
	if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
		t.Error("automountServiceAccountToken is not false")
	}
	if !pod.SecurityContext.RunAsNonRoot {
		t.Error("runAsNonRoot is not true")
	}
	var exporters int
	for _, c := range pod.Containers {
		s := c.SecurityContext
		if s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || !s.ReadOnlyRootFilesystem || len(s.Capabilities.Drop) == 0 {
			t.Errorf("container %s is not confined: %+v", c.Name, s)
		}
		if c.Name != "status-exporter" {
			continue
		}
		exporters++
		if got := c.LivenessProbe.HTTPGet.Path; got != "/-/healthy" {
			t.Errorf("the liveness probe asks %q, expected /-/healthy", got)
		}
		if got := c.ReadinessProbe.HTTPGet.Path; got != "/-/ready" {
			t.Errorf("the readiness probe asks %q, expected /-/ready", got)
		}
	}
	if exporters != 1 {
		t.Errorf("%d containers are named status-exporter, expected 1", exporters)
	}
}

// documents returns the documents of a YAML file.
func documents(t *testing.T, name string) []*yaml.Node {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var nodes []*yaml.Node
	decoder := yaml.NewDecoder(f)
	for {
		var n yaml.Node
		err := decoder.Decode(&n)
		if errors.Is(err, io.EOF) {
			return nodes
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		nodes = append(nodes, &n)
	}
}
