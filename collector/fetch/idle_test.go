package fetch_test

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"status_exporter/collector/fetch"
)

// TestIdlePeriods asks targets that close idle connections after 2, 5 and 75
// seconds every 1, 15 and 60 seconds, at a two-hundredth of these times.
func TestIdlePeriods(t *testing.T) {
	const second = time.Second / 200
	for _, idle := range []int{2, 5, 75} {
		for _, every := range []int{1, 15, 60} {
			for _, method := range []string{"GET", "POST"} {
				t.Run(fmt.Sprintf("%s every %d s, closed after %d s", method, every, idle), func(t *testing.T) {
					t.Parallel()
					s := httptest.NewUnstartedServer(text("{}"))
					s.Config.IdleTimeout = time.Duration(idle) * second
					s.Start()
					defer s.Close()
					c := newClient(t, "http: {method: "+method+", body: x}", fetch.Settings{})
					tick := time.NewTicker(time.Duration(every) * second)
					defer tick.Stop()
					const probes = 10
					reused := 0
					for range probes {
						exchanges := one(t, read(t, c, s.URL)).Exchanges
						if exchanges[len(exchanges)-1].Reused {
							reused++
						}
						<-tick.C
					}
					t.Logf("%d of %d probes reused a connection", reused, probes)
				})
			}
		}
	}
}
