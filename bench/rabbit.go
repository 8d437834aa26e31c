package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/bytedance/sonic"
)

// rabbitQueue has the shape of an item of RabbitMQ's /api/queues.
const rabbitQueue = `{"arguments":{},"auto_delete":false,"backing_queue_status":{"avg_ack_egress_rate":0.0,"avg_ack_ingress_rate":0.0,"avg_egress_rate":0.0,"avg_ingress_rate":0.0,"delta":["delta","undefined",0,0,"undefined"],"len":%[2]d,"mode":"default","next_seq_id":%[2]d,"q1":0,"q2":0,"q3":0,"q4":%[2]d,"target_ram_count":"infinity","version":1},"consumer_capacity":0,"consumer_utilisation":0,"consumers":%[3]d,"durable":true,"effective_policy_definition":{},"exclusive":false,"exclusive_consumer_tag":null,"garbage_collection":{"fullsweep_after":65535,"max_heap_size":0,"min_bin_vheap_size":46422,"min_heap_size":233,"minor_gcs":12},"head_message_timestamp":null,"idle_since":"2026-11-20T23:44:42.000+00:00","memory":%[4]d,"message_bytes":%[5]d,"message_bytes_paged_out":0,"message_bytes_persistent":0,"message_bytes_ram":%[5]d,"message_bytes_ready":%[5]d,"message_bytes_unacknowledged":0,"message_stats":{"ack":%[2]d,"ack_details":{"rate":0.0},"deliver":%[2]d,"deliver_details":{"rate":0.0},"deliver_get":%[2]d,"deliver_get_details":{"rate":0.0},"publish":%[6]d,"publish_details":{"rate":0.0}},"messages":%[2]d,"messages_details":{"rate":0.0},"messages_paged_out":0,"messages_persistent":0,"messages_ram":%[2]d,"messages_ready":%[2]d,"messages_ready_details":{"rate":0.0},"messages_ready_ram":%[2]d,"messages_unacknowledged":0,"messages_unacknowledged_details":{"rate":0.0},"messages_unacknowledged_ram":0,"name":"orders-%[1]d","node":"rabbit@node-%[3]d","operator_policy":null,"policy":null,"recoverable_slaves":null,"reductions":%[4]d,"reductions_details":{"rate":0.0},"single_active_consumer_tag":null,"state":"running","type":"classic","vhost":"/"}`

func rabbitJSON() []byte {
	var out bytes.Buffer
	out.WriteByte('[')
	for i := range 500 {
		if i > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, rabbitQueue, i, i*3, i%4, 14032+i*8, i*100, i*7)
	}
	out.WriteByte(']')
	if !json.Valid(out.Bytes()) {
		panic("the generated document is not JSON")
	}
	return out.Bytes()
}

const configE = `
    metrics:
      - each: .[]
        labels:
          queue: .name
          vhost: .vhost
          node: .node
        metrics:
          - {name: rabbitmq_queue_messages, help: Messages., values: {state: {ready: .messages_ready, unacknowledged: .messages_unacknowledged}}}
          - {name: rabbitmq_queue_consumers, help: Consumers., value: .consumers}
          - {name: rabbitmq_queue_memory_bytes, help: Memory., value: .memory}
          - {name: rabbitmq_queue_published_total, help: Published., value: .message_stats.publish}
          - {name: rabbitmq_queue_acked_total, help: Acknowledged., value: .message_stats.ack}
`

type rabbitStats struct {
	Name, Vhost, Node string
	Ready             int `json:"messages_ready"`
	Unacked           int `json:"messages_unacknowledged"`
	Consumers, Memory int
	Stats             struct{ Publish, Ack int } `json:"message_stats"`
}

func floorE(w *bytes.Buffer, body []byte) error {
	var list []rabbitStats
	if err := sonic.ConfigStd.Unmarshal(body, &list); err != nil {
		return err
	}
	family := func(name, kind string, each func(*rabbitStats)) {
		header(w, name, kind)
		for i := range list {
			each(&list[i])
		}
	}
	one := func(name string, q *rabbitStats, state string, value int) {
		w.WriteString(name)
		label(w, `{node="`, q.Node)
		label(w, `",queue="`, q.Name)
		if state != "" {
			label(w, `",state="`, state)
		}
		label(w, `",vhost="`, q.Vhost)
		w.WriteString(`"} `)
		w.Write(strconv.AppendInt(w.AvailableBuffer(), int64(value), 10))
		w.WriteByte('\n')
	}
	family("rabbitmq_queue_messages", "gauge", func(q *rabbitStats) {
		one("rabbitmq_queue_messages", q, "ready", q.Ready)
		one("rabbitmq_queue_messages", q, "unacknowledged", q.Unacked)
	})
	family("rabbitmq_queue_consumers", "gauge", func(q *rabbitStats) { one("rabbitmq_queue_consumers", q, "", q.Consumers) })
	family("rabbitmq_queue_memory_bytes", "gauge", func(q *rabbitStats) { one("rabbitmq_queue_memory_bytes", q, "", q.Memory) })
	family("rabbitmq_queue_published_total", "counter", func(q *rabbitStats) { one("rabbitmq_queue_published_total", q, "", q.Stats.Publish) })
	family("rabbitmq_queue_acked_total", "counter", func(q *rabbitStats) { one("rabbitmq_queue_acked_total", q, "", q.Stats.Ack) })
	return nil
}
