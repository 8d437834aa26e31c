package demo_test

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"

	"status_exporter/example/demo"
)

// ab counts on the other side of the connection what the application counts.
func TestAgainstAb(t *testing.T) {
	ab, err := exec.LookPath("ab")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("ab is missing: install the Debian package apache2-utils")
		}
		t.Skip("ab is missing: install the Debian package apache2-utils")
	}
	app := demo.New(demo.Options{ErrorPercent: 50, MaxDelay: 5 * time.Millisecond})
	server := httptest.NewServer(app)
	defer server.Close()

	out, err := exec.CommandContext(t.Context(), ab, "-q", "-n", "1000", "-c", "10", server.URL+"/").CombinedOutput()
	if err != nil {
		t.Fatalf("ab: %v\n%s", err, out)
	}
	complete, failed, not2xx := abCount(out, "Complete requests"), abCount(out, "Failed requests"), abCount(out, "Non-2xx responses")
	if complete != 1000 || failed != 0 {
		t.Errorf("ab completed %v requests, expected 1000, and failed to have %v answered, expected 0", complete, failed)
	}

	m := metrics(t, app)
	if got := m["requests_total 500"]; got != not2xx {
		t.Errorf("requests_total{http_code=500} is %v, ab counted %v", got, not2xx)
	}
	if got := m["requests_total 200"]; got != complete-not2xx {
		t.Errorf("requests_total{http_code=200} is %v, ab counted %v", got, complete-not2xx)
	}
	if got, expected := m["rate_requests"], 100*(complete-not2xx)/complete; got != expected {
		t.Errorf("rate_requests is %v, expected %v", got, expected)
	}
	t.Logf("ab counted %v failures of %v requests; rate_requests reads %v", not2xx, complete, m["rate_requests"])
}

// abCount returns a number of ab's report; ab leaves out a line that would be zero.
func abCount(report []byte, name string) float64 {
	match := regexp.MustCompile(name + `:\s+(\d+)`).FindSubmatch(report)
	if match == nil {
		return 0
	}
	n, _ := strconv.ParseFloat(string(match[1]), 64)
	return n
}
