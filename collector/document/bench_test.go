package document_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"testing"

	"status_exporter/collector/document"
)

// queues writes n queues, each by one item, between a beginning and an end.
func queues(n int, begin, item, between, end string) []byte {
	var b bytes.Buffer
	b.WriteString(begin)
	for i := range n {
		if i > 0 {
			b.WriteString(between)
		}
		fmt.Fprintf(&b, item, i, i%7, i%3, i*3, i%11, i%5, 10000000+i*1711)
	}
	b.WriteString(end)
	return b.Bytes()
}

const items = 5000

func jsonQueues() []byte {
	return queues(items, `{"queues":[`, `{"name":"orders.europe.%05d.incoming","vhost":"production-%d","node":"rabbit@node-%d.example.org","messages_ready":%d,"messages_unacknowledged":%d,"consumers":%d,"memory":%d}`, ",\n", "]}")
}

func yamlQueues() []byte {
	return queues(items, "queues:\n", "- name: orders.europe.%05d.incoming\n  vhost: production-%d\n  node: rabbit@node-%d.example.org\n  messages_ready: %d\n  messages_unacknowledged: %d\n  consumers: %d\n  memory: %d\n", "", "")
}

func xmlQueues() []byte {
	return queues(items, "<?xml version=\"1.0\"?>\n<queues>\n", `<queue name="orders.europe.%05d.incoming"><vhost>production-%d</vhost><node>rabbit@node-%d.example.org</node><messages_ready>%d</messages_ready><messages_unacknowledged>%d</messages_unacknowledged><consumers>%d</consumers><memory>%d</memory></queue>`, "\n", "</queues>")
}

func csvQueues() []byte {
	return queues(items, "name,vhost,node,messages_ready,messages_unacknowledged,consumers,memory\n", "orders.europe.%05d.incoming,production-%d,rabbit@node-%d.example.org,%d,%d,%d,%d", "\n", "\n")
}

func keyValueQueues() []byte {
	return queues(items, "", "Queue orders.europe.%05d.incoming: production-%d rabbit@node-%d.example.org %d %d %d %d", "\n", "\n")
}

func BenchmarkDecode(b *testing.B) {
	for _, c := range []struct {
		name, format string
		body         []byte
	}{
		{"small", "json", []byte(`{"current_requests":10,"pending_requests":2,"total_uptime":25.99274135,"health":"healthy"}`)},
		{"queues", "json", jsonQueues()},
		{"queues", "yaml", yamlQueues()},
		{"queues", "xml", xmlQueues()},
		{"queues", "csv", csvQueues()},
		{"queues", "keyvalue", keyValueQueues()},
		{"queues", `{regexp: {repeat: true, pattern: '^Queue (?P<name>\S+): (?P<vhost>\S+) (?P<node>\S+) (?P<ready>\d+)'}}`, keyValueQueues()},
	} {
		f := format(b, c.format)
		b.Run(f.Name+"/"+c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.body)))
			b.ReportAllocs()
			for b.Loop() {
				var doc document.Document
				if _, err := doc.Decode(b.Context(), f, c.body, "", document.DefaultLimits); err != nil {
					b.Fatal(err)
				}
				doc.Release()
			}
		})
	}
}

// What the libraries need alone: encoding/json for the same value, the others for
// their tokens and records.
func BenchmarkBare(b *testing.B) {
	for _, c := range []struct {
		name string
		body []byte
		read func(io.Reader) error
	}{
		{"json", jsonQueues(), func(r io.Reader) error {
			var v any
			dec := json.NewDecoder(r)
			dec.UseNumber()
			return dec.Decode(&v)
		}},
		{"xml", xmlQueues(), func(r io.Reader) error {
			dec := xml.NewDecoder(r)
			for {
				if _, err := dec.Token(); err != nil {
					return err
				}
			}
		}},
		{"csv", csvQueues(), func(r io.Reader) error {
			dec := csv.NewReader(r)
			for {
				if _, err := dec.Read(); err != nil {
					return err
				}
			}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.body)))
			b.ReportAllocs()
			for b.Loop() {
				if err := c.read(bytes.NewReader(c.body)); err != nil && !errors.Is(err, io.EOF) {
					b.Fatal(err)
				}
			}
		})
	}
}
