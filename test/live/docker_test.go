//go:build linux

package live_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestDocker(t *testing.T) {
	const socket = "/var/run/docker.sock"
	findFile(t, "docker.io", socket)
	engine := api{"http://docker", &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}, func(*http.Request) {}}

	image := importImage(t, engine)
	name := filepath.Base(workdir(t)) // that nobody else has
	id := decode[struct{ ID string }](t, engine.ask(t, http.MethodPost, "/containers/create?name="+name,
		fmt.Sprintf(`{"Image": %q, "Cmd": ["/exit"], "Labels": {"com.docker.compose.project": "shop"}, "HostConfig": {"NetworkMode": "none"}}`, image))).ID
	t.Cleanup(func() {
		clean := engine
		clean.remove(t, "/containers/"+id+"?force=1")
		clean.remove(t, "/images/"+url.PathEscape(image))
	})

	e := newExporter(t, fmt.Sprintf(`targets: [{name: docker, url: "unix:%s", module: docker}]`, socket))
	state := func(s string) string { return fmt.Sprintf("docker_container_state{name=%q,state=%q}", name, s) }
	got := e.probe(t, "docker", "docker")
	got.want(t, map[string]float64{
		"probe_success":  1,
		state("created"): 1,
		state("running"): 0,
		fmt.Sprintf("docker_container_info{compose_project=\"shop\",id=%q,image=%q,name=%q}", id[:12], image, name): 1,
	})

	engine.ask(t, http.MethodPost, "/containers/"+id+"/start", "")
	got = e.probeUntil(t, "docker", "docker", map[string]float64{
		state("created"): 0,
		state("exited"):  1,
		fmt.Sprintf("docker_container_exit_code{name=%q}", name): 3,
	})
	says := decode[struct {
		NCPU, MemTotal float64
	}](t, engine.ask(t, http.MethodGet, "/info", ""))
	got.want(t, map[string]float64{
		"docker_cpus":         says.NCPU,
		"docker_memory_bytes": says.MemTotal,
	})
	container := decode[struct{ State struct{ ExitCode float64 } }](t, engine.ask(t, http.MethodGet, "/containers/"+id+"/json", ""))
	got.want(t, map[string]float64{fmt.Sprintf("docker_container_exit_code{name=%q}", name): container.State.ExitCode})
	if created := got[fmt.Sprintf("docker_container_created_timestamp_seconds{name=%q}", name)].value; created == 0 {
		t.Error("the container was made at no time")
	}
}

// importImage makes an image of one program, /exit, that ends with code 3.
func importImage(t *testing.T, engine api) string {
	t.Helper()
	dir := workdir(t)
	source := writeFile(t, dir, "exit.go", "package main\n\nimport \"os\"\n\nfunc main() { os.Exit(3) }\n", 0o644)
	build := exec.CommandContext(t.Context(), "go", "build", "-o", dir+"/exit", source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	program, err := os.ReadFile(dir + "/exit")
	if err != nil {
		t.Fatal(err)
	}
	var files bytes.Buffer
	archive := tar.NewWriter(&files)
	if err := archive.WriteHeader(&tar.Header{Name: "exit", Mode: 0o755, Size: int64(len(program))}); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Write(program); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	name := "status-exporter-test/" + filepath.Base(dir)
	engine.ask(t, http.MethodPost, "/images/create?fromSrc=-&repo="+url.QueryEscape(name)+"&tag=1", files.String())
	return name + ":1"
}

// remove deletes something when the test has ended.
func (a api) remove(t *testing.T, path string) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodDelete, a.url+path, http.NoBody)
	if err != nil {
		t.Error(err)
		return
	}
	answer, err := a.client.Do(request)
	if err != nil {
		t.Errorf("removing %s: %v", path, err)
		return
	}
	answer.Body.Close()
	if answer.StatusCode >= http.StatusBadRequest {
		t.Errorf("removing %s: the engine answered %s", path, answer.Status)
	}
}
