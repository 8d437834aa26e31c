package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strings"
	"sync"
)

// A document is what the target serves, with the module that maps it and the
// floor that does the same by hand.
type document struct {
	name   string
	body   func() []byte
	config string // of the module bench-<name>
	floor  func(w *bytes.Buffer, body []byte) error
}

const items = 5000

func documents() []document {
	return []document{
		{"a", status, configA, floorA},
		{"b", func() []byte { return queuesJSON(items) }, configItems, floorB},
		{"c", func() []byte { return queuesJSON(10 * items) }, configItems, floorB},
		{"d", func() []byte { return queuesJSON(items) }, configD(), floorD},
		{"e", rabbitJSON, configE, floorE},
		{"f-xml", queuesXML, strings.Replace(configItems, "each: .items[]", "each: .status.items.item[]", 1) + "    format: xml\n", floorXML},
		{"f-csv", queuesCSV, strings.Replace(configItems, "each: .items[]", "each: .[]", 1) + "    format: csv\n", floorCSV},
		{"f-keyvalue", queuesKeyvalue, configKeyvalue, floorKeyvalue},
	}
}

// bodies are made once.
var bodies = sync.OnceValue(func() map[string][]byte {
	all := make(map[string][]byte)
	for _, d := range documents() {
		all[d.name] = d.body()
	}
	return all
})

func status() []byte {
	return []byte(`{"current_requests":10,"pending_requests":2,"total_uptime":25.99,"health":"healthy"}`)
}

const configA = `
    metrics:
      - {name: app_requests_current, help: Current requests, value: .current_requests}
      - {name: app_requests_pending, help: Pending requests, value: .pending_requests}
      - {name: app_uptime, help: Uptime, value: .total_uptime}
      - {name: app_health, help: Health, type: stateset, states: [healthy, unhealthy], value: .health}
`

// A queue is an item of the documents b, c, d and f.
type queue struct {
	Name      string `json:"name" xml:"name"`
	Vhost     string `json:"vhost" xml:"vhost"`
	Node      string `json:"node" xml:"node"`
	State     string `json:"state" xml:"state"`
	Messages  int    `json:"messages" xml:"messages"`
	Ready     int    `json:"ready" xml:"ready"`
	Unacked   int    `json:"unacked" xml:"unacked"`
	Consumers int    `json:"consumers" xml:"consumers"`
	Memory    int    `json:"memory" xml:"memory"`
	Durable   bool   `json:"durable" xml:"durable"`
}

func queues(n int) []queue {
	all := make([]queue, n)
	for i := range all {
		all[i] = queue{
			Name: fmt.Sprintf("orders-%05d", i), Vhost: fmt.Sprintf("/prod-%d", i%7), Node: fmt.Sprintf("rabbit@node-%d", i%5),
			State: "running", Messages: i * 3, Ready: i * 2, Unacked: i, Consumers: i % 4, Memory: 14032 + i*8, Durable: true,
		}
	}
	return all
}

type queueList struct {
	XMLName xml.Name `json:"-" xml:"status"`
	Items   []queue  `json:"items" xml:"items>item"`
}

func queuesJSON(n int) []byte { return must(json.Marshal(queueList{Items: queues(n)})) }
func queuesXML() []byte       { return must(xml.Marshal(queueList{Items: queues(items)})) }

func queuesCSV() []byte {
	var out bytes.Buffer
	out.WriteString("name,vhost,node,state,messages,ready,unacked,consumers,memory,durable\n")
	for _, q := range queues(items) {
		fmt.Fprintf(&out, "%s,%s,%s,%s,%d,%d,%d,%d,%d,%v\n", q.Name, q.Vhost, q.Node, q.State, q.Messages, q.Ready, q.Unacked, q.Consumers, q.Memory, q.Durable)
	}
	return out.Bytes()
}

func queuesKeyvalue() []byte {
	var out bytes.Buffer
	for _, q := range queues(items) {
		fmt.Fprintf(&out, "%s.messages: %d\n%s.ready: %d\n%s.unacked: %d\n%s.consumers: %d\n", q.Name, q.Messages, q.Name, q.Ready, q.Name, q.Unacked, q.Name, q.Consumers)
	}
	return out.Bytes()
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

const configItems = `
    limits: {values: 5000000}
    http: {body_size_limit: 64MiB}
    metrics:
      - each: .items[]
        labels:
          queue: .name
          vhost: .vhost
          node: .node
        metrics:
          - {name: queue_messages, help: Messages., value: .messages}
          - {name: queue_messages_ready, help: Ready., value: .ready}
          - {name: queue_messages_unacked, help: Unacknowledged., value: .unacked}
          - {name: queue_consumers, help: Consumers., value: .consumers}
`

// picked are the items whose messages document d asks for.
const picked = 100

func configD() string {
	var out strings.Builder
	out.WriteString("\n    metrics:\n")
	for i := range picked {
		fmt.Fprintf(&out, "      - {name: queue_%d_messages, help: Messages., value: '.items[%d].messages'}\n", i, i*(items/picked))
	}
	return out.String()
}

const configKeyvalue = `
    format: keyvalue
    metrics:
      - name: queue_value
        help: Values.
        each: to_entries[]
        labels:
          key: .key
        value: .value
`
