//go:build linux

package accesslog_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	liveRounds   = 3
	liveRequests = 8000
)

// TestRenameLive rotates by renaming while Apache and nginx are under load. What
// is counted is what the load generator sent, exactly.
func TestRenameLive(t *testing.T) {
	for name, start := range liveServers() {
		for _, how := range []string{"create 0644", "create 0644\n compress"} {
			t.Run(name+"/"+strings.ReplaceAll(how, "\n", ""), func(t *testing.T) {
				server := start(t)
				site := &site{t: t, dir: server.dir}
				site.open("{path: access.log, format: combined}")
				for round := range liveRounds {
					rotateUnderLoad(t, server, site, how+"\n postrotate\n "+server.reopen()+"\n endscript")
					want := number((round + 1) * liveRequests)
					var got map[string]any
					server.until("every request is logged", func() bool {
						got = site.scrape()
						lines, err := got["lines"].(json.Number).Int64()
						return err != nil || int(lines) >= (round+1)*liveRequests
					})
					if got["lines"] != want || got["unmatched"] != number(0) || site.requests(got) != (round+1)*liveRequests {
						t.Fatalf("round %d: counted %v lines, %v did not match, %d requests; sent %v",
							round+1, got["lines"], got["unmatched"], site.requests(got), want)
					}
				}
			})
		}
	}
}

// TestCopyTruncateLive rotates by copying and truncating while Apache and nginx
// are under load. What is counted is what the copies and the file hold.
func TestCopyTruncateLive(t *testing.T) {
	for name, start := range liveServers() {
		for _, how := range []string{"copytruncate", "copytruncate\n compress"} {
			t.Run(name+"/"+strings.ReplaceAll(how, "\n", ""), func(t *testing.T) {
				server := start(t)
				before := linesOf(t, server)
				site := &site{t: t, dir: server.dir}
				site.open("{path: access.log, format: combined}")
				for round := range liveRounds {
					rotateUnderLoad(t, server, site, how)
					got := site.scrape()
					held := linesOf(t, server) - before
					if got["lines"] != number(held) || got["unread_bytes"] != number(0) {
						t.Fatalf("round %d: counted %v lines, the files hold %d", round+1, got["lines"], held)
					}
					t.Logf("round %d: %d of %d lines survived logrotate", round+1, held, (round+1)*liveRequests)
				}
			})
		}
	}
}

// In these formats, which are combined but for the name of the user, no two
// lines are the same: a file is known again by its first lines, and the load
// generator sends thousands of the same within a second.
const (
	nginxUnique  = `log_format main '$remote_addr - $connection [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';`
	apacheUnique = `"%h %l %{usec}t %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\""`
)

func liveServers() map[string]func(*testing.T) *server {
	return map[string]func(*testing.T) *server{
		"nginx":  func(t *testing.T) *server { return startNginx(t, nginxUnique) },
		"apache": func(t *testing.T) *server { return startApache(t, apacheUnique) },
	}
}

// rotateUnderLoad rotates twice, and scrapes between, while requests are sent.
// No scrape falls between logrotate's copying and truncating: it would count
// lines that no file holds any more.
func rotateUnderLoad(t *testing.T, server *server, site *site, directives string) {
	t.Helper()
	loaded := make(chan error, 1)
	go func() { loaded <- server.load(liveRequests) }()
	rotations := 0
	last := time.Now()
	for {
		select {
		case err := <-loaded:
			if err != nil {
				t.Fatal(err)
			}
			if rotations == 0 {
				t.Error("the load ended before the log was rotated")
			}
			return
		case <-time.After(20 * time.Millisecond):
			site.scrape()
			if rotations < 2 && time.Since(last) > 150*time.Millisecond {
				server.rotate(directives)
				rotations++
				last = time.Now()
			}
		}
	}
}

// requests returns the sum of all requests with code 200.
func (s *site) requests(value map[string]any) int {
	sum := 0
	for _, item := range value["requests"].([]any) {
		if r := item.(map[string]any); r["code"] == "200" && r["method"] == "GET" {
			n, err := r["count"].(json.Number).Int64()
			s.check(err)
			sum += int(n)
		}
	}
	return sum
}

// linesOf returns how many lines the log and its rotated files hold.
func linesOf(t *testing.T, server *server) int {
	t.Helper()
	names, err := filepath.Glob(server.log() + "*")
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err == nil && strings.HasSuffix(name, ".gz") {
			var r *gzip.Reader
			if r, err = gzip.NewReader(bytes.NewReader(text)); err == nil {
				text, err = io.ReadAll(r)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		lines += bytes.Count(text, []byte("\n"))
		if len(text) > 0 && text[len(text)-1] != '\n' {
			lines++ // cut off by the copy
		}
	}
	return lines
}

// TestFormatsLive reads what nginx and Apache write in formats of their own
// configuration, as they stand there.
func TestFormatsLive(t *testing.T) {
	nginx := "log_format main escape=json '{\"status\":$status,\"request_method\":\"$request_method\",'\n" +
		"'\"request_uri\":\"$request_uri\",\"host\":\"$host\",\"body_bytes_sent\":$body_bytes_sent,\"request_time\":$request_time}';"
	apache := `"%v:%p %h %{%Y}t \"%r\" %>s %O %D"`
	for name, test := range map[string]struct {
		server *server
		format string
	}{
		"nginx log_format as text": {startNginx(t, nginx), "format: |\n    " + strings.ReplaceAll(nginx, "\n", "\n    ")},
		"nginx log_format as JSON": {startNginx(t, nginx), "format: json"},
		"Apache LogFormat":         {startApache(t, apache), "format: 'LogFormat " + apache + " main'"},
	} {
		t.Run(name, func(t *testing.T) {
			site := &site{t: t, dir: test.server.dir}
			site.open("path: access.log\nfrom: start\nbuckets: [60]\n" + test.format + "\npaths: [/x]\n")
			var value map[string]any
			test.server.until("the request is logged", func() bool {
				value = site.scrape()
				return value["lines"] != number(0)
			})
			if value["unmatched"] != number(0) {
				t.Fatalf("%v of %v lines did not match, such as %v", value["unmatched"], value["lines"], value["last_unmatched"])
			}
			r := value["requests"].([]any)[0].(map[string]any)
			if r["code"] != "200" || r["method"] != "GET" || r["path"] != "/x" || r["vhost"] == nil || r["bytes"] == number(0) {
				t.Errorf("got the request %v", r)
			}
			h := value["duration"].([]any)[0].(map[string]any)
			if buckets := h["buckets"].(map[string]any); buckets["60"] != value["lines"] {
				t.Errorf("got the histogram %v of %v lines", h, value["lines"])
			}
		})
	}
}
