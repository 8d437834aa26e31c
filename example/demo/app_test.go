package demo_test

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"status_exporter/example/demo"
)

func TestHalfOfTheRequestsFail(t *testing.T) {
	draw := 0.0
	app := demo.New(demo.Options{ErrorPercent: 50, Rand: func() float64 { return draw }})
	for i := range 1000 {
		draw = 0.75 // a success
		if i%2 == 0 || i < 10 {
			draw = 0.49
		}
		get(t, app, "/")
	}

	m := metrics(t, app)
	if got := m["requests_total 200"]; got != 495 {
		t.Errorf("requests_total{http_code=200} is %v, expected 495", got)
	}
	if got := m["requests_total 500"]; got != 505 {
		t.Errorf("requests_total{http_code=500} is %v, expected 505", got)
	}
	if got := m["rate_requests"]; got != 49.5 {
		t.Errorf("rate_requests is %v, expected 49.5", got)
	}
	if got := m["demo_response_duration_seconds"]; got != 1000 {
		t.Errorf("the histogram has %v observations, expected 1000", got)
	}
}

func TestErrorPercent(t *testing.T) {
	for percent, expected := range map[int]int{0: http.StatusOK, 100: http.StatusInternalServerError} {
		app := demo.New(demo.Options{ErrorPercent: percent})
		for range 100 {
			if code := get(t, app, "/").Code; code != expected {
				t.Fatalf("with %d percent errors, / answered %d, expected %d", percent, code, expected)
			}
		}
	}
}

func TestAnswersAreOfOneLength(t *testing.T) {
	success := get(t, demo.New(demo.Options{}), "/").Body.Len()
	failure := get(t, demo.New(demo.Options{ErrorPercent: 100}), "/").Body.Len()
	if success != failure {
		t.Errorf("a success has %d bytes and a failure %d: ab would count one of them as failed", success, failure)
	}
}

func TestNothingElseIsServed(t *testing.T) {
	app := demo.New(demo.Options{})
	if code := get(t, app, "/favicon.ico").Code; code != http.StatusNotFound {
		t.Errorf("/favicon.ico answered %d, expected 404", code)
	}
	if _, counted := metrics(t, app)["requests_total 404"]; counted {
		t.Error("a request to another path was counted")
	}
}

func TestBeforeTheFirstRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := demo.New(demo.Options{})
		time.Sleep(25 * time.Second)
		answer := get(t, app, "/status")
		if got := answer.Header().Get("Content-Type"); got != "application/json" {
			t.Errorf("the content type is %q, expected application/json", got)
		}
		expected := `{"current_requests":0,"pending_requests":0,"total_uptime":25,"health":"healthy"}` + "\n"
		if diff := cmp.Diff(expected, answer.Body.String()); diff != "" {
			t.Errorf("status (-expected +got):\n%s", diff)
		}
		m := metrics(t, app)
		if got := m["demo_uptime_seconds_total"]; got != 25 {
			t.Errorf("demo_uptime_seconds_total is %v, expected 25", got)
		}
		if got := m["rate_requests"]; !math.IsNaN(got) {
			t.Errorf("rate_requests is %v without requests, expected NaN", got)
		}
	})
}

func TestStatusFollowsTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := demo.New(demo.Options{MaxDelay: 2 * time.Second, Rand: func() float64 { return 0.5 }})
		var clients sync.WaitGroup
		expect := func(working, waiting int, health string) {
			t.Helper()
			synctest.Wait()
			expected := demo.Status{working, waiting, app.Status().TotalUptime, health}
			if diff := cmp.Diff(expected, app.Status()); diff != "" {
				t.Errorf("status (-expected +got):\n%s", diff)
			}
		}
		send := func(n int) {
			for range n {
				clients.Go(func() { get(t, app, "/") })
			}
		}

		send(3)
		expect(3, 0, demo.Healthy)
		send(demo.Workers - 3 + 7)
		expect(demo.Workers, 7, demo.Healthy)
		send(demo.QueueLength - 7)
		expect(demo.Workers, demo.QueueLength, demo.Unhealthy)
		if code := get(t, app, "/").Code; code != http.StatusServiceUnavailable {
			t.Errorf("a full queue answered %d, expected 503", code)
		}

		time.Sleep(time.Second) // the time of one request
		expect(demo.Workers, demo.QueueLength-demo.Workers, demo.Healthy)
		clients.Wait()
		expect(0, 0, demo.Healthy)

		m := metrics(t, app)
		if got := m["requests_total 200"]; got != demo.Workers+demo.QueueLength {
			t.Errorf("requests_total{http_code=200} is %v, expected %d", got, demo.Workers+demo.QueueLength)
		}
		if got := m["requests_total 503"]; got != 1 {
			t.Errorf("requests_total{http_code=503} is %v, expected 1", got)
		}
		if got := m["demo_last_response_seconds"]; got != 26 {
			t.Errorf("demo_last_response_seconds is %v, expected 26: the last of 104 requests, four a second", got)
		}
	})
}

func TestFailuresInARowAreUnhealthy(t *testing.T) {
	draw := 0.0
	app := demo.New(demo.Options{ErrorPercent: 50, Rand: func() float64 { return draw }})
	for i := range 10 {
		if health := app.Status().Health; health != demo.Healthy {
			t.Fatalf("%s after %d failures", health, i)
		}
		get(t, app, "/")
	}
	if health := app.Status().Health; health != demo.Unhealthy {
		t.Errorf("%s after ten failures in a row", health)
	}
	draw = 0.75
	get(t, app, "/")
	if health := app.Status().Health; health != demo.Healthy {
		t.Errorf("%s after a success", health)
	}
}

func TestClientsThatLeaveAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := demo.New(demo.Options{MaxDelay: 2 * time.Second, Rand: func() float64 { return 0.5 }})
		ctx, leave := context.WithCancel(t.Context())
		var clients sync.WaitGroup
		for range demo.Workers + 10 {
			clients.Go(func() {
				r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
				app.ServeHTTP(httptest.NewRecorder(), r)
			})
		}
		synctest.Wait()
		leave()
		clients.Wait()

		if s := app.Status(); s.CurrentRequests != 0 || s.PendingRequests != 0 {
			t.Errorf("after all clients have left, %d requests are worked on and %d wait", s.CurrentRequests, s.PendingRequests)
		}
		if code := get(t, app, "/").Code; code != http.StatusOK {
			t.Errorf("the next request was answered with %d, expected 200", code)
		}
		if got := metrics(t, app)["requests_total 200"]; got != 1 {
			t.Errorf("requests_total is %v, expected 1: the one that was answered", got)
		}
	})
}

func TestConcurrentRequests(t *testing.T) {
	app := demo.New(demo.Options{ErrorPercent: 50, MaxDelay: time.Millisecond})
	var clients sync.WaitGroup
	for range 20 {
		clients.Go(func() {
			for range 20 {
				get(t, app, "/")
				s := app.Status()
				if s.CurrentRequests > demo.Workers || s.PendingRequests > 20 ||
					s.PendingRequests > 0 && s.CurrentRequests < demo.Workers {
					t.Errorf("%d requests are worked on while %d wait", s.CurrentRequests, s.PendingRequests)
				}
			}
		})
	}
	clients.Wait()
	m := metrics(t, app)
	if got := m["requests_total 200"] + m["requests_total 500"]; got != 400 {
		t.Errorf("%v answers were counted, expected 400", got)
	}
	if got, expected := m["rate_requests"], m["requests_total 200"]/4; got != expected {
		t.Errorf("rate_requests is %v, expected %v", got, expected)
	}
}

// The names requests_total and rate_requests are a given.
func TestMetricsAreWellNamed(t *testing.T) {
	app := demo.New(demo.Options{})
	get(t, app, "/")
	problems, err := testutil.GatherAndLint(gatherer{t, app})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]promlint.Problem(nil), problems); diff != "" {
		t.Errorf("problems (-expected +got):\n%s", diff)
	}
}

func get(t *testing.T, app http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	app.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	if path == "/status" && !json.Valid(w.Body.Bytes()) {
		t.Errorf("the status is not JSON: %s", w.Body)
	}
	return w
}

// metrics returns what /metrics shows: values by name and, where there is one,
// status code; of a histogram its count.
func metrics(t *testing.T, app http.Handler) map[string]float64 {
	t.Helper()
	families, err := gatherer{t, app}.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]float64)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			key := family.GetName()
			for _, label := range m.GetLabel() {
				key += " " + label.GetValue()
			}
			values[key] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return values
}

// A gatherer reads the families that /metrics shows.
type gatherer struct {
	t   *testing.T
	app http.Handler
}

func (g gatherer) Gather() ([]*dto.MetricFamily, error) {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	byName, err := parser.TextToMetricFamilies(strings.NewReader(get(g.t, g.app, "/metrics").Body.String()))
	families := make([]*dto.MetricFamily, 0, len(byName))
	for _, family := range byName {
		families = append(families, family)
	}
	return families, err
}
