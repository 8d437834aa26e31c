package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// scaleBody returns the document of a case: series-N, rules-N, b or body-FORMAT.
// Each is made once.
func scaleBody(name string) ([]byte, bool) {
	madeBodies.Lock()
	defer madeBodies.Unlock()
	if body, ok := madeBodies.all[name]; ok {
		return body, true
	}
	kind, rest, _ := strings.Cut(name, "-")
	n, _ := strconv.Atoi(rest)
	var body []byte
	switch kind {
	case "series":
		body = seriesJSON(n)
	case "rules":
		body = fieldsJSON(n)
	case "b":
		body = queuesJSON(items)
	case "body":
		body = bodyOf(rest)
	}
	if body == nil {
		return nil, false
	}
	madeBodies.all[name] = body
	return body, true
}

var madeBodies = struct {
	sync.Mutex
	all map[string][]byte
}{all: make(map[string][]byte)}

// scaleModules are the modules of all cases, by name.
func scaleModules() map[string]string {
	modules := map[string]string{"series": configSeries, "b": configItems}
	for n := 1; n <= 1000; n *= 10 {
		modules["rules-"+strconv.Itoa(n)] = configRules(n)
	}
	for _, f := range bodyFormats {
		modules["body-"+f] = configBody(f)
	}
	return modules
}

const configSeries = `
    limits: {values: 5000000}
    http: {body_size_limit: 64MiB}
    metrics:
      - each: .items[]
        labels:
          item: .name
        metrics:
          - {name: item_first, help: First., value: .first}
          - {name: item_second, help: Second., value: .second}
`

func seriesJSON(n int) []byte {
	var out bytes.Buffer
	out.WriteString(`{"items":[`)
	for i := range n / 2 {
		if i > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, `{"name":"i-%d","first":%d,"second":%d}`, i, i, i*3)
	}
	out.WriteString("]}")
	return out.Bytes()
}

func seriesTable() table {
	t := table{title: "series", head: "| series | body | CPU | CPU per series | peak memory |"}
	for n := 10; n <= 1_000_000; n *= 10 {
		t.cases = append(t.cases, scaleCase{name: count(n), run: func(ctx context.Context, x *scaled, o options) (string, error) {
			cpu, err := x.cost(ctx, "series", "series-"+strconv.Itoa(n), o)
			body, _ := scaleBody("series-" + strconv.Itoa(n))
			return fmt.Sprintf("%s | %s | %.2f µs | %s", size(float64(len(body))), milliseconds(float64(cpu)),
				float64(cpu.Nanoseconds())/1e3/float64(n), mebibytes(x.exporter.peak())), err
		}})
	}
	return t
}

func fieldsJSON(n int) []byte {
	fields := make(map[string]int, n)
	for i := range n {
		fields[fmt.Sprintf("field_%d", i)] = i
	}
	return must(json.Marshal(fields))
}

func configRules(n int) string {
	var out strings.Builder
	out.WriteString("    metrics:\n")
	for i := range n {
		fmt.Fprintf(&out, "      - {name: field_%d, help: A field., value: .field_%d}\n", i, i)
	}
	return out.String()
}

// rulesTable has a rule for each field of its document.
func rulesTable() table {
	t := table{title: "rules", head: "| rules | body | CPU |"}
	for n := 1; n <= 1000; n *= 10 {
		name := "rules-" + strconv.Itoa(n)
		t.cases = append(t.cases, scaleCase{name: count(n), run: func(ctx context.Context, x *scaled, o options) (string, error) {
			cpu, err := x.cost(ctx, name, name, o)
			body, _ := scaleBody(name)
			return size(float64(len(body))) + " | " + milliseconds(float64(cpu)), err
		}})
	}
	return t
}

func scaleQuery(module string, target int, document string) string {
	return "?module=" + module + "&target=" + url.QueryEscape("http://"+manyAddress(target)+":"+port(manyListen)+"/"+document)
}

// cost returns the CPU of one scrape on kept connections, in the middle of the
// rounds.
func (x *scaled) cost(ctx context.Context, module, document string, o options) (time.Duration, error) {
	query := scaleQuery(module, 0, document)
	if err := x.exporter.succeeds(ctx, query); err != nil {
		return 0, err
	}
	cpus := make([]float64, o.rounds)
	for round := -1; round < o.rounds; round++ { // the first warms up
		c, err := x.exporter.ask(ctx, query, false, o.roundTime)
		if err != nil {
			return 0, err
		}
		if round >= 0 {
			cpus[round] = float64(c.cpu)
		}
	}
	return time.Duration(median(cpus)), nil
}

const (
	together      = 200 // scrapes at the same time
	togetherTimes = 3
)

// concurrentTable asks for document b of many targets at the same time, three
// times over.
func concurrentTable() table {
	return table{
		title: "concurrent", head: "| scrapes of b at the same time | peak memory | until the last answer | failed |",
		cases: []scaleCase{{name: strconv.Itoa(together), run: func(ctx context.Context, x *scaled, _ options) (string, error) {
			begun := time.Now()
			var failed []error
			for range togetherTimes {
				var group sync.WaitGroup
				errs := make([]error, together)
				for i := range together {
					group.Go(func() { errs[i] = x.exporter.wholeB(ctx, scaleQuery("b", i, "b")) })
				}
				group.Wait()
				for _, err := range errs {
					if err != nil {
						failed = append(failed, err)
					}
				}
			}
			if len(failed) > 0 {
				fmt.Fprintln(os.Stderr, "bench: the first scrape that failed:", failed[0])
			}
			return fmt.Sprintf("%s | %.1f s | %d of %d", mebibytes(x.exporter.peak()), (time.Since(begun) / togetherTimes).Seconds(),
				len(failed), together*togetherTimes), nil
		}}},
	}
}

// crowd keeps a connection for each of the scrapes at the same time.
var crowd = &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: together}}

// wholeB makes sure that all series of b are there.
func (p *process) wholeB(ctx context.Context, query string) error {
	text, err := get(ctx, crowd, p.url+query, time.Minute)
	if err != nil {
		return err
	}
	if n := bytes.Count(text, []byte("\nqueue_")); n != 4*items {
		return fmt.Errorf("%d series, expected %d: %s", n, 4*items, text[:min(len(text), 1000)])
	}
	return nil
}
