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
		{`.queue.messages`, document, "`.queue.messages` finds nothing; there is `.queues.messages`"},
		{`.Queues.Messages.ready`, document, "`.Queues.Messages.ready` finds nothing; there is `.queues`"},
		{`.queue.messages | length`, document, "`.queue.messages | length` finds nothing; there is `.queues.messages | length`"},
		{`.queue | map(.x)`, document, "`.queue` finds nothing; there is `.queues`"},
		{`.queues.mesages.redy`, document, "`.queues.mesages.redy` finds nothing; there is `.queues.messages`"},
		{`.queues["x_y"]`, document, "`.queues.x_y` finds nothing; there is `.queues[\"x y\"]`"},
		{`.queues.none`, document, "`.queues.none` finds nothing: `.queues.none` is null"},
		{`.queues.none.deeper`, document, "`.queues.none.deeper` finds nothing: `.queues.none` is null"},
		{`.queues.list[]`, document, "`.queues.list[]` finds nothing: `.queues.list` is empty"},
		{`.queues.list[0]`, document, "`.queues.list[0]` finds nothing: `.queues.list` is empty"},
		{`.empty.x`, document, "`.empty.x` finds nothing: `.empty` is empty"},
		{`.nodes[5]`, document, "`.nodes[5]` finds nothing: `.nodes` has only 2 items"},
		{`.nodes[-3].name`, document, "`.nodes[-3].name` finds nothing: `.nodes` has only 2 items"},
		{`.nodes[].disk.free`, document, ""},
		{`.nodes[].disc.free`, document, "`.nodes[].disc.free` finds nothing; there is `.nodes[].disk.free`"},
		{`.nodes | many | .nam`, document, "`.nodes | many.nam` finds nothing; there is `.nodes | many.name`"},
		{`.uptime`, document, "`.uptime` finds nothing; there is `.stats.uptime`"},
		{`.server.uptime`, document, "`.server.uptime` finds nothing; there is `.stats.uptime`"},
		{`.free`, document, "`.free` finds nothing; there is `.nodes[].disk.free`"},
		{`.my_key`, document, "`.my_key` finds nothing; the keys of `.` are empty, nodes, queues, stats, status"},
		{`.stats.my_key`, document, "`.stats.my_key` finds nothing; there is `.stats[\"my-key\"]`"},
		{`.status.x?`, document, "`.status.x?` finds nothing: `.status` is a text"},
		{`.nodes.name`, document, "`.nodes.name` finds nothing: `.nodes` is an array"},
		{`.["a b"]`, document, "`.[\"a b\"]` finds nothing; the keys of `.` are empty, nodes, queues, stats, status"},
		{`.uptime / .total`, document, "`.uptime` finds nothing; there is `.stats.uptime`"},
		{`.status / .uptime`, document, "`.uptime` finds nothing; there is `.stats.uptime`"},
		{`.a // .status`, document, "`.a` finds nothing; the keys of `.` are empty, nodes, queues, stats, status"},
		{`.uptime // 0`, document, "`.uptime` finds nothing; there is `.stats.uptime`"},
		{`[.uptime]`, document, "`.uptime` finds nothing; there is `.stats.uptime`"},
		{`try (.uptime)`, document, "`.uptime` finds nothing; there is `.stats.uptime`"},
		{`.queues | to_entries[] | .valeu`, document, "`.queues | to_entries[].valeu` finds nothing; there is `.queues | to_entries[].value`"},
		{`$root.queue`, item, "`$root.queue` finds nothing; there is `$root.queues`"},
		{`$docs.nodes`, item, "`$docs.nodes` finds nothing: `$docs` is empty"},
		{`.disk.free`, item, "`.disk.free` finds nothing; there is `.disc.free`"},
		{`.uptime`, item, "`.uptime` finds nothing; there is `$root.stats.uptime`"},
		{`.x.y`, nil, "`.x.y` finds nothing: `.` is null"},
		{`.x`, document, "`.x` finds nothing; the keys of `.` are empty, nodes, queues, stats, status"},
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
		{`.nowhere`, "`.nowhere` finds nothing; the keys of `.` are array, large"},
		{`.large.key199999.valeu`, "`.large.key199999.valeu` finds nothing; there is `.large.key199999.value`"},
		{`.large.nokey.value`, "`.large.nokey.value` finds nothing; there is `.large.key000000.value`"},
		{`.large[].valeu`, "`.large[].valeu` finds nothing; there is `.large[].value`"},
		{`.array[].nowhere`, "`.array[].nowhere` finds nothing; the keys of `.array[]` are a"},
		{`.deep`, "`.deep` finds nothing; there is `.large.key000000.more[].deep`"},
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
