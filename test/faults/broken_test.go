//go:build linux

package faults_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// whole is the document that broken ones are made of.
const whole = `{"name": "shop \"one\" \u00e4\ud83d\ude00", "value": 42, "up": true, "rate": -1.5e-3,
 "nothing": null, "queues": [{"name": "a", "messages": 12345678901234567890}, {"name": "b", "messages": 0}],
 "regions": {"north": {"hosts": [[], {}, [1, 2, 3]]}, "south": {}}}`

// brokenVariants returns documents that are cut off, have bits turned, bytes
// taken out or put in, and parts repeated; always the same ones.
func brokenVariants() []string {
	random := rand.New(rand.NewPCG(1, 2))
	var all []string
	for i := 0; i < len(whole); i += 3 {
		all = append(all, whole[:i])
	}
	for range 150 {
		b := []byte(whole)
		for range 1 + random.IntN(3) {
			at := random.IntN(len(b))
			switch random.IntN(4) {
			case 0:
				b[at] ^= 1 << random.IntN(8)
			case 1:
				b = append(b[:at], b[at+1:]...)
			case 2:
				b = append(b[:at], append([]byte{"{}[]\",:\x00\xff\\0-e"[random.IntN(13)]}, b[at:]...)...)
			default:
				end := min(len(b), at+random.IntN(40))
				b = append(b[:end], append([]byte(string(b[at:end])), b[end:]...)...)
			}
		}
		all = append(all, string(b))
	}
	return all
}

// TestBrokenDocuments: a document is decoded if encoding/json finds it valid, and
// fails as such if not; whatever it is, the scrape is answered.
func TestBrokenDocuments(t *testing.T) {
	variants := brokenVariants()
	target := handles(func(w http.ResponseWriter, r *http.Request) {
		i, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		fmt.Fprint(w, variants[i])
	})(t)
	exporter := start(t, configuration)
	valid := 0
	for i, variant := range variants {
		a, err := exporter.Get("/probe?module=shop&target=" + url.QueryEscape(fmt.Sprintf("%s/%d", target, i)))
		if err != nil || a.Status != http.StatusOK {
			t.Fatalf("%q: answered %v %d:\n%s", variant, err, a.Status, a.Body)
		}
		decoded := a.Number(`status_probe_failure_info{document="status",reason="decode"}`) != 1
		if a.Number(`status_probe_failure_info{document="status",reason="internal"}`) == 1 || decoded != json.Valid([]byte(variant)) {
			t.Errorf("%q is valid: %v, but the probe says:\n%s", variant, !decoded, about(a.Body))
		}
		if decoded {
			valid++
		}
		if a.Took > time.Second {
			t.Errorf("%q took %v", variant, a.Took)
		}
	}
	t.Logf("%d variants, of which %d are still JSON", len(variants), valid)
}
