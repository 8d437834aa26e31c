package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/klauspost/compress/gzip"
)

// serveTarget serves every document under its name: over plain HTTP on address,
// and over TLS on the next port.
func serveTarget(address string) error {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := bodies()[strings.TrimPrefix(r.URL.Path, "/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body)
	})
	bodies()
	plain := httptest.NewUnstartedServer(handler)
	plain.Listener.Close()
	plain.Listener = must(net.Listen("tcp", address))
	plain.Start()
	secure := httptest.NewUnstartedServer(handler)
	secure.Listener.Close()
	secure.Listener = must(net.Listen("tcp", secureAddress(address)))
	secure.StartTLS()
	select {}
}

// secureAddress is where a target speaks TLS: the next port.
func secureAddress(address string) string {
	host, port, _ := net.SplitHostPort(address)
	number := must(net.LookupPort("tcp", port))
	return net.JoinHostPort(host, fmt.Sprint(number+1))
}

// serveFloor answers /NAME?target=URL: fetches the document, parses it, and
// writes its metrics by hand.
func serveFloor(address string) error {
	client := &http.Client{Transport: &http.Transport{
		DisableCompression: true,
		TLSClientConfig:    &tls.Config{InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(0)},
	}}
	floors := make(map[string]func(*bytes.Buffer, []byte) error)
	for _, d := range documents() {
		floors[d.name] = d.floor
	}
	var in, out bytes.Buffer // one request at a time
	compressor := must(gzip.NewWriterLevel(nil, gzip.BestSpeed))
	mux := http.NewServeMux()
	mux.HandleFunc("/stats", func(w http.ResponseWriter, _ *http.Request) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Fprintf(w, "go_memstats_mallocs_total %d\ngo_memstats_alloc_bytes_total %d\n", m.Mallocs, m.TotalAlloc)
	})
	mux.HandleFunc("/probe", func(w http.ResponseWriter, r *http.Request) {
		resp, err := client.Get(r.FormValue("target"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		in.Reset()
		if _, err := in.ReadFrom(resp.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		out.Reset()
		if err := floors[strings.TrimPrefix(r.FormValue("module"), "bench-")](&out, in.Bytes()); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			compressor.Reset(w)
			compressor.Write(out.Bytes())
			compressor.Close()
			return
		}
		w.Write(out.Bytes())
	})
	return (&http.Server{Addr: address, Handler: mux}).ListenAndServe()
}

// servers are the three processes of a run.
type servers struct {
	target, targetTLS string // URLs
	floor, exporter   *process
	stop              func()
}

// A process is a running server that can be measured.
type process struct {
	url   string
	stats string // where it tells its allocations
	pid   int
	ended func() // waits for the end
}

func startServers(ctx context.Context, o options) (_ *servers, err error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	b := &servers{stop: func() { cancel(); os.RemoveAll(dir) }}
	stop := b.stop
	defer func() {
		if err != nil {
			stop()
		}
	}()
	config := filepath.Join(dir, "bench.yml")
	if err := os.WriteFile(config, moduleConfig(), 0o600); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	target, floor, exporter := "127.0.0.1:19801", "127.0.0.1:19803", "127.0.0.1:19804"
	b.target, b.targetTLS = "http://"+target+"/", "https://"+secureAddress(target)+"/"
	if _, err := startProcess(ctx, oneCPU, "http://"+target+"/a", self, "-role=target", "-address="+target); err != nil {
		return nil, err
	}
	if b.floor, err = startProcess(ctx, oneCPU, "http://"+floor+"/stats", self, "-role=floor", "-address="+floor); err != nil {
		return nil, err
	}
	if b.exporter, err = startProcess(ctx, oneCPU, "http://"+exporter+"/metrics", o.exporter, "--config.file="+config, "--web.listen-address="+exporter, "--log.level=error"); err != nil {
		return nil, err
	}
	return b, nil
}

// moduleConfig has a module for each document, with TLS as the target has it.
func moduleConfig() []byte {
	var out bytes.Buffer
	out.WriteString("modules:\n")
	for _, d := range documents() {
		fmt.Fprintf(&out, "  bench-%s:\n    extends: bench-client\n%s", d.name, strings.TrimPrefix(d.config, "\n"))
	}
	out.WriteString("  bench-client:\n    http: {client: {tls_config: {insecure_skip_verify: true}}}\n    metrics: []\n")
	return out.Bytes()
}

// oneCPU is in the environment of what is compared.
var oneCPU = []string{"GOMAXPROCS=1"}

// startProcess runs a server until ctx ends, and returns when it answers at the
// URL ready.
func startProcess(ctx context.Context, env []string, ready, name string, args ...string) (*process, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // no server outlives the run
	err := cmd.Start()
	if err != nil {
		return nil, err
	}
	exited := make(chan struct{})
	go func() {
		err = cmd.Wait()
		close(exited)
	}()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		select {
		case <-exited:
			return nil, fmt.Errorf("%s ended: %w", name, err)
		default:
		}
		if resp, err := http.Get(ready); err == nil {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			url, _, _ := strings.Cut(strings.TrimPrefix(ready, "http://"), "/")
			return &process{url: "http://" + url + "/probe", stats: ready, pid: cmd.Process.Pid, ended: func() { <-exited }}, nil
		}
	}
	return nil, errors.New(name + " does not answer")
}
