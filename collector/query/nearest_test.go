package query_test

import (
	"fmt"
	"testing"
	"time"

	"status_exporter/collector/query"
)

func TestNearest(t *testing.T) {
	document := decode(t, `{
		"queues": {"messages": {"ready": 3}, "x y": 1, "none": null, "list": []},
		"nodes": [{"name": "a", "disk": {"free": 1}}, {"name": "b"}],
		"stats": {"uptime": 5, "my-key": 7},
		"status": "ok", "empty": {}
	}`)
	item := decode(t, `{"name": "a", "disc": {"free": 1}}`)
	for _, test := range []struct {
		source string
		input  any
		want   string
	}{
		{`.queues.messages`, document, ""},
		{`.queue.messages`, document, "`.queue.messages` found nothing; the document has `.queues.messages`"},
		{`.Queues.Messages.ready`, document, "`.Queues.Messages.ready` found nothing; the document has `.queues`"},
		{`.queue.messages | length`, document, "`.queue.messages | length` found nothing; the document has `.queues.messages | length`"},
		{`.queue | map(.x)`, document, "`.queue` found nothing; the document has `.queues`"},
		{`.queues.mesages.redy`, document, "`.queues.mesages.redy` found nothing; the document has `.queues.messages`"},
		{`.queues["x_y"]`, document, "`.queues.x_y` found nothing; the document has `.queues[\"x y\"]`"},
		{`.queues.none`, document, "`.queues.none` found nothing: `.queues.none` is null"},
		{`.queues.none.deeper`, document, "`.queues.none.deeper` found nothing: `.queues.none` is null"},
		{`.queues.list[]`, document, "`.queues.list[]` found nothing: `.queues.list` is empty"},
		{`.queues.list[0]`, document, "`.queues.list[0]` found nothing: `.queues.list` is empty"},
		{`.empty.x`, document, "`.empty.x` found nothing: `.empty` is empty"},
		{`.nodes[5]`, document, "`.nodes[5]` found nothing: `.nodes` has only 2 items"},
		{`.nodes[-3].name`, document, "`.nodes[-3].name` found nothing: `.nodes` has only 2 items"},
		{`.nodes[].disk.free`, document, ""},
		{`.nodes[].disc.free`, document, "`.nodes[].disc.free` found nothing; the document has `.nodes[].disk.free`"},
		{`.nodes | many | .nam`, document, "`.nodes | many.nam` found nothing; the document has `.nodes | many.name`"},
		{`.uptime`, document, "`.uptime` found nothing; the document has `.stats.uptime`"},
		{`.server.uptime`, document, "`.server.uptime` found nothing; the document has `.stats.uptime`"},
		{`.free`, document, "`.free` found nothing; the document has `.nodes[].disk.free`"},
		{`.my_key`, document, "`.my_key` found nothing; the keys of `.` are empty, nodes, queues, stats, status"},
		{`.stats.my_key`, document, "`.stats.my_key` found nothing; the document has `.stats[\"my-key\"]`"},
		{`.status.x?`, document, "`.status.x?` found nothing: `.status` is a text"},
		{`.nodes.name`, document, "`.nodes.name` found nothing: `.nodes` is an array"},
		{`.["a b"]`, document, "`.[\"a b\"]` found nothing; the keys of `.` are empty, nodes, queues, stats, status"},
		{`.uptime / .total`, document, "`.uptime` found nothing; the document has `.stats.uptime`"},
		{`.status / .uptime`, document, "`.uptime` found nothing; the document has `.stats.uptime`"},
		{`.a // .status`, document, "`.a` found nothing; the keys of `.` are empty, nodes, queues, stats, status"},
		{`.uptime // 0`, document, "`.uptime` found nothing; the document has `.stats.uptime`"},
		{`[.uptime]`, document, "`.uptime` found nothing; the document has `.stats.uptime`"},
		{`try (.uptime)`, document, "`.uptime` found nothing; the document has `.stats.uptime`"},
		{`.queues | to_entries[] | .valeu`, document, "`.queues | to_entries[].valeu` found nothing; the document has `.queues | to_entries[].value`"},
		{`$root.queue`, item, "`$root.queue` found nothing; the document has `$root.queues`"},
		{`$docs.nodes`, item, "`$docs.nodes` found nothing: `$docs` is empty"},
		{`.disk.free`, item, "`.disk.free` found nothing; the document has `.disc.free`"},
		{`.uptime`, item, "`.uptime` found nothing; the document has `$root.stats.uptime`"},
		{`.x.y`, nil, "`.x.y` found nothing: `.` is null"},
		{`.x`, document, "`.x` found nothing; the keys of `.` are empty, nodes, queues, stats, status"},
		{`1 + 1`, document, ""},
		{`"a"`, document, ""},
		{`.status | percent`, document, ""},
	} {
		if got := compile(t, test.source).Nearest(&query.Env{Root: document, Docs: map[string]any{}}, test.input); got != test.want {
			t.Errorf("%s\ngot  %s\nwant %s", test.source, got, test.want)
		}
	}
}

func TestNearestIsQuickAndTheSameEveryTime(t *testing.T) {
	large := make(map[string]any)
	for i := range 200_000 {
		large[fmt.Sprintf("key%06d", i)] = map[string]any{"value": i, "more": []any{map[string]any{"deep": i}}}
	}
	array := make([]any, 1_000_000)
	for i := range array {
		array[i] = map[string]any{"a": i}
	}
	document := map[string]any{"large": large, "array": array}
	for _, test := range []struct{ source, want string }{
		{`.nowhere`, "`.nowhere` found nothing; the keys of `.` are array, large"},
		{`.large.key199999.valeu`, "`.large.key199999.valeu` found nothing; the document has `.large.key199999.value`"},
		{`.large.nokey.value`, "`.large.nokey.value` found nothing; the document has `.large.key000000.value`"},
		{`.large[].valeu`, "`.large[].valeu` found nothing; the document has `.large[].value`"},
		{`.array[].nowhere`, "`.array[].nowhere` found nothing; the keys of `.array[]` are a"},
		{`.deep`, "`.deep` found nothing; the document has `.large.key000000.more[].deep`"},
	} {
		q := compile(t, test.source)
		for range 3 {
			start := time.Now()
			if got := q.Nearest(&query.Env{Root: document}, document); got != test.want {
				t.Errorf("%s\ngot  %s\nwant %s", test.source, got, test.want)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("%s takes %v", test.source, took)
			}
		}
	}
}
