//go:build linux

package live_test

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
)

func TestNATS(t *testing.T) {
	server := find(t, "nats-server", "nats-server")
	port, monitor := freePort(t), freePort(t)
	url := fmt.Sprintf("http://127.0.0.1:%d", monitor)
	start(t, server, "-a", "127.0.0.1", "-p", strconv.Itoa(port), "-m", strconv.Itoa(monitor),
		"-n", "nats1", "-js", "-sd", workdir(t)).await(t, answers(url+"/healthz"))

	shop := connectNATS(t, port, "shop")
	mailer := connectNATS(t, port, "mailer")
	connectNATS(t, port, "mailer")
	mailer.send("SUB mail.> 1\r\n")
	mailer.flush()
	shop.request("$JS.API.STREAM.CREATE.ORDERS", `{"name": "ORDERS", "subjects": ["orders.>"], "storage": "file"}`)
	shop.request("$JS.API.CONSUMER.DURABLE.CREATE.ORDERS.billing",
		`{"stream_name": "ORDERS", "config": {"durable_name": "billing", "ack_policy": "explicit"}}`)
	for range 20 {
		shop.publish("mail.welcome", "", "hello")
		shop.publish("orders.new", "", "{}")
	}
	shop.request("$JS.API.CONSUMER.MSG.NEXT.ORDERS.billing", "")

	e := newExporter(t, "")
	got := e.probeUntil(t, "nats", url, map[string]float64{
		"probe_success":                                           1,
		"nats_healthy":                                            1,
		"nats_connections":                                        3,
		"nats_connections_opened_total":                           3,
		"nats_received_messages_total":                            43,
		`nats_client_connections{client="mailer"}`:                2,
		`nats_client_connections{client="shop"}`:                  1,
		`nats_client_sent_messages{client="mailer"}`:              20,
		`nats_jetstream_streams`:                                  1,
		`nats_jetstream_api_requests_total`:                       2,
		`nats_stream_messages{account="$G",stream="ORDERS"}`:      20,
		`nats_stream_last_sequence{account="$G",stream="ORDERS"}`: 20,
		`nats_consumer_pending_messages{account="$G",consumer="billing",stream="ORDERS"}`: 19,
		`nats_consumer_unacked_messages{account="$G",consumer="billing",stream="ORDERS"}`: 1,
	})
	says := decode[struct {
		OutMsgs      float64 `json:"out_msgs"`
		InBytes      float64 `json:"in_bytes"`
		OutBytes     float64 `json:"out_bytes"`
		Subscription float64 `json:"subscriptions"`
		Cores        float64 `json:"cores"`
	}](t, get(t, url+"/varz"))
	got.want(t, map[string]float64{
		"nats_sent_messages_total":  says.OutMsgs,
		"nats_received_bytes_total": says.InBytes,
		"nats_sent_bytes_total":     says.OutBytes,
		"nats_subscriptions":        says.Subscription,
		"nats_cores":                says.Cores,
	})
	if rtt := got[`nats_client_rtt_seconds{client="shop"}`].value; rtt <= 0 || rtt > 1 {
		t.Errorf("the round trip to shop took %v s, expected a moment", rtt)
	}
}

// A natsClient speaks as much of the NATS protocol as the test needs.
type natsClient struct {
	t    *testing.T
	conn io.Writer
	r    *bufio.Reader
}

func connectNATS(t *testing.T, port int, name string) *natsClient {
	t.Helper()
	conn := connect(t, port, fmt.Sprintf("CONNECT {\"verbose\": false, \"headers\": true, \"name\": %q}\r\n", name))
	c := &natsClient{t, conn, bufio.NewReader(conn)}
	c.flush()
	return c
}

func (c *natsClient) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, text); err != nil {
		c.t.Fatal(err)
	}
}

func (c *natsClient) publish(subject, reply, message string) {
	c.t.Helper()
	c.send(fmt.Sprintf("PUB %s %s %d\r\n%s\r\n", subject, reply, len(message), message))
}

// flush waits until the server has read everything.
func (c *natsClient) flush() {
	c.t.Helper()
	c.send("PING\r\n")
	c.until("PONG")
}

// request publishes a message and waits for its reply.
func (c *natsClient) request(subject, message string) {
	c.t.Helper()
	c.send("SUB reply 9\r\nUNSUB 9 1\r\n")
	c.publish(subject, "reply", message)
	c.until("MSG")
}

// until reads lines up to one that begins with a word.
func (c *natsClient) until(word string) {
	c.t.Helper()
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			c.t.Fatal(err)
		}
		if strings.HasPrefix(line, "-ERR") {
			c.t.Fatalf("nats-server says %s", line)
		}
		if strings.HasPrefix(line, word) {
			return
		}
	}
}
