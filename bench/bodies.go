package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// bodyBytes is how large the bodies are; the format regexp reads 1 MiB at most.
const bodyBytes = 5_000_000

var bodyFormats = []string{"json", "yaml", "xml", "csv", "keyvalue", "regexp"}

// bodyOf returns queues as those of document b, as many as make 5 MB, in a format.
func bodyOf(format string) []byte {
	var out bytes.Buffer
	size := bodyBytes
	if format == "regexp" {
		size = 1_000_000
	}
	each := func(line string) []byte {
		for _, q := range queues(size / 50) {
			if out.Len() >= size {
				break
			}
			fmt.Fprintf(&out, line, q.Name, q.Vhost, q.Node, q.State, q.Messages, q.Ready, q.Unacked, q.Consumers, q.Memory)
		}
		return out.Bytes()
	}
	switch format {
	case "json":
		return queuesJSON(27_000)
	case "yaml":
		out.WriteString("items:\n")
		return each("- name: %s\n  vhost: %s\n  node: %s\n  state: %s\n  messages: %d\n  ready: %d\n  unacked: %d\n  consumers: %d\n  memory: %d\n  durable: true\n")
	case "xml":
		return must(xml.Marshal(queueList{Items: queues(20_000)}))
	case "csv":
		out.WriteString("name,vhost,node,state,messages,ready,unacked,consumers,memory,durable\n")
		return each("%s,%s,%s,%s,%d,%d,%d,%d,%d,true\n")
	case "keyvalue":
		return each("%[1]s.messages: %[5]d\n%[1]s.ready: %[6]d\n%[1]s.unacked: %[7]d\n%[1]s.consumers: %[8]d\n%[1]s.memory: %[9]d\n")
	case "regexp":
		return each("queue %s of %s on %s is %s: %d messages, %d ready, %d unacked, %d consumers, %d bytes, durable true\n")
	}
	return nil
}

// configBody makes the same four series of each item, or one of each line where
// the format has no items.
func configBody(format string) string {
	if format == "keyvalue" {
		return configKeyvalue
	}
	rules := configItems
	switch format {
	case "xml":
		rules = strings.Replace(rules, "each: .items[]", "each: .status.items.item[]", 1)
	case "csv", "regexp":
		rules = strings.Replace(rules, "each: .items[]", "each: .[]", 1)
	}
	if format == "regexp" {
		return rules + `    format:
      regexp:
        repeat: true
        pattern: 'queue (?P<name>\S+) of (?P<vhost>\S+) on (?P<node>\S+) is (?P<state>\w+): (?P<messages>\d+) messages, (?P<ready>\d+) ready, (?P<unacked>\d+) unacked, (?P<consumers>\d+) consumers, (?P<memory>\d+) bytes'
`
	}
	return rules + "    format: " + format + "\n"
}

// bodiesTable tells how much memory a byte of a body takes on its way.
func bodiesTable() table {
	t := table{title: "bodies", head: "| format | body | series | peak memory above idle | per byte of the body |"}
	for _, format := range bodyFormats {
		t.cases = append(t.cases, scaleCase{name: format, run: func(ctx context.Context, x *scaled, _ options) (string, error) {
			name := "body-" + format
			var text []byte
			for range 3 {
				var err error
				if text, err = get(ctx, scraper, x.exporter.url+scaleQuery(name, 0, name), time.Minute); err != nil {
					return "", err
				}
				if number(text, "probe_success") != 1 {
					return "", fmt.Errorf("the probe failed: %s", text[max(0, len(text)-2000):])
				}
			}
			body, _ := scaleBody(name)
			above := x.exporter.peak() - x.start
			return fmt.Sprintf("%s | %d | %s | %.1f", size(float64(len(body))), bytes.Count(text, []byte("\nqueue_")), mebibytes(above), float64(above)/float64(len(body))), nil
		}})
	}
	return t
}
