//go:build linux

package live_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

func TestRabbitMQ(t *testing.T) {
	web, prometheus := startRabbitMQ(t)
	e := newExporter(t, fmt.Sprintf(`
modules:
  rabbit:
    extends: rabbitmq
    http:
      client: {basic_auth: {username: guest, password: guest}}
      allow: [%q]
`, web))
	e.probeUntil(t, "rabbit", web, map[string]float64{
		"probe_success":   1,
		"rabbitmq_queues": 0,
		`rabbitmq_node_running{node="rabbit@localhost"}`: 1,
	})

	a := newAPI(web, "Accept", "application/json")
	a.set = func(r *http.Request) { r.SetBasicAuth("guest", "guest") }
	a.ask(t, http.MethodPut, "/api/vhosts/shop", "{}")
	for queue, arguments := range map[string]string{
		"%2F/orders":           `{}`,
		"%2F/audit":            `{"x-queue-type": "quorum"}`,
		"shop/gr%C3%B6%C3%9Fe": `{}`,
	} {
		a.ask(t, http.MethodPut, "/api/queues/"+queue, `{"durable": true, "arguments": `+arguments+`}`)
	}
	for range 5 {
		a.ask(t, http.MethodPost, "/api/exchanges/%2F/amq.default/publish",
			`{"properties": {"delivery_mode": 2}, "routing_key": "orders", "payload": "0123456789", "payload_encoding": "string"}`)
	}
	a.ask(t, http.MethodPost, "/api/exchanges/%2F/amq.default/publish",
		`{"properties": {}, "routing_key": "nowhere", "payload": "lost", "payload_encoding": "string"}`)
	a.ask(t, http.MethodPost, "/api/queues/%2F/orders/get", `{"count": 2, "ackmode": "ack_requeue_false", "encoding": "auto"}`)

	orders := `{queue="orders",vhost="/"}`
	e.probeUntil(t, "rabbit", web, map[string]float64{
		"probe_success":                                                  1,
		"rabbitmq_queues":                                                3,
		"rabbitmq_messages":                                              3,
		"rabbitmq_queue_messages" + orders:                               3,
		"rabbitmq_queue_messages_ready" + orders:                         3,
		"rabbitmq_queue_messages_unacked" + orders:                       0,
		"rabbitmq_queue_messages_bytes" + orders:                         30,
		"rabbitmq_queue_messages_persistent" + orders:                    3,
		"rabbitmq_queue_messages_published_total" + orders:               5,
		"rabbitmq_queue_running" + orders:                                1,
		`rabbitmq_queue_messages{queue="größe",vhost="shop"}`:            0,
		`rabbitmq_queue_members_online{queue="audit",vhost="/"}`:         1,
		"rabbitmq_messages_published_total":                              6,
		"rabbitmq_messages_unroutable_returned_total":                    1,
		"rabbitmq_queues_created_total":                                  3,
		`rabbitmq_alarms_memory_used_watermark{node="rabbit@localhost"}`: 0,
	})

	// RabbitMQ's own Prometheus plugin tells of the node that it runs on, ours of
	// every node: the label node is what it lacks.
	eventually(t, "RabbitMQ's Prometheus plugin to agree", func(context.Context) error {
		theirs, got := scrape(t, prometheus+"/metrics/per-object"), e.probe(t, "rabbit", web)
		compared := 0
		for series, says := range theirs {
			our, ok := got[series]
			if !ok {
				says.labels["node"] = "rabbit@localhost"
				our, ok = got[says.series()]
			}
			if !ok || moves(says.family) {
				continue
			}
			if !near(our.value, says.value) {
				return fmt.Errorf("%s is %v there and %v here", series, says.value, our.value)
			}
			compared++
		}
		if compared < 30 {
			return fmt.Errorf("only %d samples stand in both", compared)
		}
		t.Logf("%d samples are equal", compared)
		return nil
	})
}

// moves tells whether a metric of RabbitMQ changes while nothing is asked of it.
func moves(family string) bool {
	for _, prefix := range []string{"rabbitmq_erlang_", "rabbitmq_process_", "rabbitmq_io_", "rabbitmq_disk_space_available_bytes", "rabbitmq_queue_process_memory_bytes"} {
		if strings.HasPrefix(family, prefix) {
			return true
		}
	}
	return false
}

// startRabbitMQ returns the URLs of the management and the Prometheus plugin.
func startRabbitMQ(t *testing.T) (web, prometheus string) {
	t.Helper()
	// /usr/sbin/rabbitmq-server changes the user and forgets the environment.
	server := find(t, "rabbitmq-server", "/usr/lib/rabbitmq/bin/rabbitmq-server")
	epmd := find(t, "erlang-base", "epmd")
	dir := workdir(t)
	names := strconv.Itoa(freePort(t)) // of Erlang's port mapper
	start(t, epmd, "-address", "127.0.0.1", "-port", names)

	webPort, prometheusPort := freePort(t), freePort(t)
	config := writeFile(t, dir, "rabbitmq.conf", fmt.Sprintf(`
listeners.tcp.1 = 127.0.0.1:%d
management.tcp.ip = 127.0.0.1
management.tcp.port = %d
prometheus.tcp.ip = 127.0.0.1
prometheus.tcp.port = %d
collect_statistics_interval = 1000
cluster_name = shop
log.console = true
log.file = false
`, freePort(t), webPort, prometheusPort), 0o644)
	plugins := writeFile(t, dir, "enabled_plugins", "[rabbitmq_management,rabbitmq_prometheus].\n", 0o644)
	web, prometheus = fmt.Sprintf("http://127.0.0.1:%d", webPort), fmt.Sprintf("http://127.0.0.1:%d", prometheusPort)
	startWith(t, func(c *exec.Cmd) {
		c.Env = append(os.Environ(),
			"HOME="+dir, // for Erlang's cookie
			"ERL_EPMD_PORT="+names,
			"RABBITMQ_CONF_ENV_FILE=/dev/null",
			"RABBITMQ_NODENAME=rabbit@localhost",
			"RABBITMQ_DIST_PORT="+strconv.Itoa(freePort(t)),
			"RABBITMQ_CONFIG_FILE="+config,
			"RABBITMQ_ENABLED_PLUGINS_FILE="+plugins,
			"RABBITMQ_MNESIA_BASE="+dir+"/mnesia",
			"RABBITMQ_LOG_BASE="+dir+"/log",
			"RABBITMQ_GENERATED_CONFIG_DIR="+dir+"/generated",
			"RABBITMQ_PID_FILE="+dir+"/pid",
			"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}",
		)
	}, server).await(t, func(ctx context.Context) error {
		if err := answers(prometheus + "/metrics")(ctx); err != nil {
			return err
		}
		return listens(webPort)(ctx)
	})
	return web, prometheus
}
