//go:build linux

package live_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestMonit(t *testing.T) {
	monit := find(t, "monit", "monit")
	dir, port := workdir(t), freePort(t)
	backend := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(backend.Close)
	backendPort, gone := strings.Split(backend.Listener.Addr().String(), ":")[1], freePort(t)
	pidfile := writeFile(t, dir, "test.pid", fmt.Sprintln(os.Getpid()), 0o644)
	data := writeFile(t, dir, "data", strings.Repeat("y", 1234), 0o644)
	fails := writeFile(t, dir, "fails", "#!/bin/sh\nexit 3\n", 0o755)
	// Its configuration is for its owner alone, and Latin-1.
	config := writeFile(t, dir, "monitrc", fmt.Sprintf(`
set daemon 1
set pidfile %[1]s/pid
set idfile %[1]s/id
set statefile %[1]s/state
set httpd port %[2]d and use address 127.0.0.1 allow 127.0.0.1
check system machine.example.org
check process test with pidfile %[3]s
check process gone with pidfile %[1]s/none.pid
check file data with path %[4]s
check program fails with path %[5]s
  if status != 0 then alert
check filesystem root with path /
check host s`+"\xf6"+`ndag with address 127.0.0.1
  if failed port %[6]s protocol http then alert
  if failed port %[7]d then alert
check network loopback with interface lo
check file off with path %[4]s
  mode passive
  onreboot nostart
`, dir, port, pidfile, data, fails, backendPort, gone), 0o600)
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	start(t, monit, "-I", "-c", config).await(t, answers(url+"/_status?format=xml"))

	ours := newExporter(t, "")
	service := func(name, service, kind string) string {
		return fmt.Sprintf(`monit_%s{service="%s",type="%s"}`, name, service, kind)
	}
	portOf := func(name, port, protocol string) string {
		return fmt.Sprintf(`monit_%s{hostname="127.0.0.1",port="%s",protocol="%s",service="söndag",type="host"}`, name, port, protocol)
	}
	got := ours.probeUntil(t, "monit", url, map[string]float64{
		"probe_success": 1,
		service("service_up", "machine.example.org", "system"):                   1,
		service("service_up", "test", "process"):                                 1,
		service("service_up", "gone", "process"):                                 0,
		service("service_up", "data", "file"):                                    1,
		service("service_up", "fails", "program"):                                0,
		service("service_up", "söndag", "host"):                                  0,
		service("service_monitored", "data", "file"):                             1,
		service("service_monitored", "off", "file"):                              0,
		`monit_service_failure{check="nonexist",service="gone",type="process"}`:  1,
		`monit_service_failure{check="status",service="fails",type="program"}`:   1,
		`monit_service_failure{check="connection",service="söndag",type="host"}`: 1,
		portOf("port_up", backendPort, "HTTP"):                                   1,
		portOf("port_up", fmt.Sprint(gone), "DEFAULT"):                           0,
		service("file_size_bytes", "data", "file"):                               1234,
		service("program_exit_status", "fails", "program"):                       3,
		service("network_up", "loopback", "network"):                             1,
	})
	if _, found := got[portOf("port_response_seconds", fmt.Sprint(gone), "DEFAULT")]; found {
		t.Error("a port that nobody listens on has a response time")
	}
	var root syscall.Statfs_t
	if err := syscall.Statfs("/", &root); err != nil {
		t.Fatal(err)
	}
	size := got[service("filesystem_size_bytes", "root", "filesystem")].value
	if want := float64(root.Blocks) * float64(root.Bsize); size < 0.999*want || size > 1.001*want {
		t.Errorf("the file system has %v bytes, statfs says %v", size, want)
	}
	if n := got[service("process_threads", "test", "process")].value; n < 1 {
		t.Errorf("this test has %v threads", n)
	}
	if n := got[`monit_process_memory_bytes{scope="process",service="test",type="process"}`].value; n < 1<<20 {
		t.Errorf("this test uses %v bytes", n)
	}
}
