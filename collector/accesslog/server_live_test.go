//go:build linux

package accesslog_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// need returns the path of a program, or skips the test.
func need(t *testing.T, program, debianPackage string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/sbin") {
		path := filepath.Join(dir, program)
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 && !info.IsDir() {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is missing: install the Debian package %s", program, debianPackage)
	}
	t.Skipf("needs the Debian package %s", debianPackage)
	return ""
}

// A server is a web server that writes access.log in a directory.
type server struct {
	t       *testing.T
	dir     string
	address string
	command *exec.Cmd
}

func (s *server) log() string { return filepath.Join(s.dir, "access.log") }

// reopen returns the command that makes the server write to a new file.
func (s *server) reopen() string { return fmt.Sprintf("kill -USR1 %d", s.command.Process.Pid) }

const nginxConfig = `
daemon off;
worker_processes 2;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log;
events {}
http {
	%[3]s
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
	access_log %[1]s/access.log main;
	server { listen %[2]s; location / { return 200 "ok\n"; } }
}
`

// startNginx starts nginx with a log_format of the name main.
func startNginx(t *testing.T, logFormat string) *server {
	t.Helper()
	s := newServer(t)
	config := filepath.Join(s.dir, "nginx.conf")
	s.write(config, fmt.Sprintf(nginxConfig, s.dir, s.address, logFormat))
	s.start(need(t, "nginx", "nginx-light"), "-p", s.dir, "-c", config)
	return s
}

const apacheConfig = `
ServerRoot %[1]s
ServerName localhost
User nobody
Group nogroup
PidFile %[1]s/apache.pid
DefaultRuntimeDir %[1]s
Listen %[2]s
ErrorLog %[1]s/error.log
LoadModule mpm_prefork_module /usr/lib/apache2/modules/mod_mpm_prefork.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
DocumentRoot %[1]s/files
StartServers 8
MinSpareServers 8
MaxSpareServers 16
LogFormat %[3]s main
CustomLog %[1]s/access.log main
`

// startApache starts Apache with a LogFormat.
func startApache(t *testing.T, logFormat string) *server {
	t.Helper()
	s := newServer(t)
	config := filepath.Join(s.dir, "apache.conf")
	s.write(config, fmt.Sprintf(apacheConfig, s.dir, s.address, logFormat))
	if err := os.Mkdir(filepath.Join(s.dir, "files"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.write(filepath.Join(s.dir, "files", "x"), "ok\n")
	s.start(need(t, "apache2", "apache2"), "-f", config, "-DFOREGROUND")
	return s
}

func newServer(t *testing.T) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dir := t.TempDir()
	// A server that gives up root's rights has to pass every directory above.
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return &server{t: t, dir: dir, address: listener.Addr().String()}
}

func (s *server) write(path, text string) {
	s.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// start starts the server and waits until it answers; one request is logged.
func (s *server) start(program string, args ...string) {
	s.t.Helper()
	s.command = exec.Command(program, args...)
	s.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Apache ends its whole group
	if err := s.command.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = s.command.Process.Signal(syscall.SIGTERM)
		_ = s.command.Wait()
	})
	s.until("the server answers", func() bool {
		answer, err := http.Get("http://" + s.address + "/x")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return true
	})
	s.until("the request is logged", func() bool {
		info, err := os.Stat(s.log())
		return err == nil && info.Size() > 0
	})
}

// until waits for a condition.
func (s *server) until(what string, condition func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(filepath.Join(s.dir, "error.log"))
			s.t.Fatalf("waited in vain until %s; its error log says:\n%s", what, text)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// load sends requests and returns when all were answered.
func (s *server) load(requests int) error {
	ab := need(s.t, "ab", "apache2-utils")
	out, err := exec.Command(ab, "-q", "-n", fmt.Sprint(requests), "-c", "8", "http://"+s.address+"/x").CombinedOutput()
	if err != nil {
		return fmt.Errorf("ab: %w\n%s", err, out)
	}
	return nil
}

// rotate makes logrotate rotate the log.
func (s *server) rotate(directives string) {
	s.t.Helper()
	config := filepath.Join(s.dir, "logrotate.conf")
	s.write(config, fmt.Sprintf("%s {\n rotate 99\n nomissingok\n %s\n}\n", s.log(), directives))
	logrotate := need(s.t, "logrotate", "logrotate")
	out, err := exec.Command(logrotate, "-f", "-s", filepath.Join(s.dir, "logrotate.state"), config).CombinedOutput()
	if err != nil {
		s.t.Fatalf("logrotate: %v\n%s", err, out)
	}
}
