package mapping_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/document"
	"status_exporter/collector/mapping"
)

func TestGroups(t *testing.T) {
	runAll(t, []mapTest{
		{
			name: "nested three deep, labels inherited",
			rules: `
- each: .regions[]
  labels: {region: .name}
  const_labels: {env: prod}
  metrics:
    - {name: shop_region_orders_total, value: .orders}
    - each: .hosts | many
      labels: {host: .id}
      metrics:
        - {name: shop_host_load_ratio, value: .load | percent}
        - each: .disks | to_entries[]
          labels: {disk: .key}
          const_labels: {kind: disk}
          metrics:
            - {name: shop_disk_bytes, values: {state: {used: .value.used, free: .value.free}}}
    - {name: shop_region_hosts, value: '.hosts | [many] | length'}
`,
			document: `{"regions": [
				{"name": "west", "orders": 7, "hosts": {"id": "w1", "load": "50 %", "disks": {"sdb": {"used": 3, "free": 4}, "sda": {"used": 1, "free": 2}}}},
				{"name": "east", "orders": 9, "hosts": [{"id": "e1", "load": 5}, {"id": "e2", "load": "x", "disks": {}}]},
				{"name": "void", "orders": 0}
			]}`,
			want: outcome{
				Satisfied: true,
				Samples: []string{
					`shop_region_orders_total{env="prod",region="east"} 9`,
					`shop_region_orders_total{env="prod",region="void"} 0`,
					`shop_region_orders_total{env="prod",region="west"} 7`,
					`shop_host_load_ratio{env="prod",host="e1",region="east"} 0.05`,
					`shop_host_load_ratio{env="prod",host="w1",region="west"} 0.5`,
					`shop_disk_bytes{disk="sda",env="prod",host="w1",kind="disk",region="west",state="free"} 2`,
					`shop_disk_bytes{disk="sda",env="prod",host="w1",kind="disk",region="west",state="used"} 1`,
					`shop_disk_bytes{disk="sdb",env="prod",host="w1",kind="disk",region="west",state="free"} 4`,
					`shop_disk_bytes{disk="sdb",env="prod",host="w1",kind="disk",region="west",state="used"} 3`,
					`shop_region_hosts{env="prod",region="east"} 2`,
					`shop_region_hosts{env="prod",region="void"} 0`,
					`shop_region_hosts{env="prod",region="west"} 1`,
				},
				Dropped: []string{
					"shop_host_load_ratio: 1 for evaluate; `.load | percent` failed: percent cannot read \"x\", expected a percentage such as \"5.0%\", \"5 %\" or a bare 5",
					"shop_disk_bytes: 1 for missing; `.disks | to_entries[]` found nothing (keys cannot be applied to: null)",
				},
			},
		},
		{
			name: "a label of the group that cannot be costs all its samples of the item",
			rules: `
- each: .[]
  labels: {n: .n}
  metrics:
    - {name: shop_a, value: .a}
    - metrics:
        - {name: shop_b, value: .b}
`,
			document: `[{"n": {}, "a": 1, "b": 2}, {"n": "x", "a": 3, "b": 4}]`,
			want: outcome{
				Satisfied: true,
				Samples:   []string{`shop_a{n="x"} 3`, `shop_b{n="x"} 4`},
				Dropped: []string{
					"shop_a: 1 for label; label n: `.n` found {}, expected a text or a number",
					"shop_b: 1 for label; label n: `.n` found {}, expected a text or a number",
				},
			},
		},
		{
			name: "nothing to iterate is fine, null is not",
			rules: `
- {name: shop_a, each: '.list[]', value: .v}
- {name: shop_b, each: '.object[]', value: .v}
- {name: shop_c, each: '.null[]', value: .v}
- {name: shop_d, each: '.absent[]', value: .v}
- {name: shop_e, each: ".null[]?", value: .v}
- {name: shop_f, each: .absent | many, value: .v}
- {name: shop_g, each: '.text[]', value: .v}
- {name: shop_h, each: '.nulls[]', value: .v}
`,
			document: `{"list": [], "object": {}, "null": null, "text": "x", "nulls": [null, {"v": 1}, null]}`,
			want: outcome{
				Satisfied: true,
				Samples:   []string{`shop_h 1`},
				Dropped: []string{
					"shop_c: 1 for missing; `.null[]` found nothing (cannot iterate over: null)",
					"shop_d: 1 for missing; `.absent[]` found nothing (cannot iterate over: null)",
					"shop_g: 1 for evaluate; `.text[]` failed: cannot iterate over: string (\"x\")",
					"shop_h: 2 for missing; `.nulls[]` found nothing",
				},
			},
		},
		{
			name:     "what each found before its error stands",
			rules:    `[{name: shop_a, each: ".[] | {v: (1 / .)}", labels: {v: .v}, value: .v}]`,
			document: `[1, 2, 0, 4]`,
			want: outcome{
				Satisfied: true,
				Samples:   []string{`shop_a{v="0.5"} 0.5`, `shop_a{v="1"} 1`},
				Dropped:   []string{"shop_a: 1 for evaluate; `.[] | {v: (1 / .)}` failed: cannot divide number (1) by: number (0)"},
			},
		},
		{
			name: "optional is inherited, and says nothing of what is missing, but of what is wrong",
			rules: `
- optional: true
  each: .a[]
  metrics:
    - {name: shop_a, value: .v}
    - {name: shop_b, value: .w}
- {name: shop_c, value: .c, optional: true}
- {name: shop_d, value: .d}
`,
			document: `{"a": [{"v": "x"}], "d": 1}`,
			want: outcome{
				Satisfied: true,
				Samples:   []string{`shop_d 1`},
				Dropped:   []string{"shop_a: 1 for not_a_number; `.v` found \"x\", expected a number"},
			},
		},
		{
			name: "two rules make one family",
			rules: `
- {name: shop_jobs, help: Jobs., const_labels: {state: ready}, value: .ready}
- {name: shop_other, value: .ready}
- {name: shop_jobs, const_labels: {state: done}, value: .done}
`,
			document: `{"ready": 1, "done": 2}`,
			want: outcome{Satisfied: true, Samples: []string{
				`shop_jobs{state="done"} 2`, `shop_jobs{state="ready"} 1`, `shop_other 1`,
			}},
		},
	})
}

func TestLabels(t *testing.T) {
	rules := mustCompile(t, `
- {name: shop_a, value: 1}
- {name: shop_b, value: 1, labels: {team: .team, zone: .zone, abc: .abc}}
- {name: shop_c, value: 1, const_labels: {team: "", zone: z}}
`)
	in := status(t, `{"team": "own", "zone": ""}`)
	in.Labels = []mapping.Label{{Name: "zone", Value: "target"}, {Name: "empty", Value: ""}, {Name: "team", Value: "checkout"}, {Name: "x", Value: "y"}}
	want := outcome{Satisfied: true, Samples: []string{
		`shop_a{team="checkout",x="y",zone="target"} 1`,
		`shop_b{team="own",x="y",zone="target"} 1`,
		`shop_c{team="checkout",x="y",zone="z"} 1`,
	}}
	if diff := cmp.Diff(want, read(rules.Map(t.Context(), in))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// documents are three documents of one target, the last of which failed.
func documents(t *testing.T) []*document.Document {
	return []*document.Document{
		{Name: "queues", Value: decode(t, `[{"name": "q1", "node": "n1", "messages": 4}, {"name": "q2", "node": "n2", "messages": 5}]`)},
		{Name: "nodes", Value: decode(t, `{"n1": {"up": true}, "n2": {"up": false}}`), StatusCode: 203},
		{Name: "limits", Optional: true, Failure: document.Failf(document.ReasonStatus, "status 404")},
	}
}

func TestDocuments(t *testing.T) {
	const text = `
- name: shop_messages
  from: queues
  each: .[]
  labels: {queue: .name, up: '$docs.nodes[.node].up', limit: '$docs.limits.x'}
  value: .messages
- {name: shop_nodes, from: nodes, value: length, labels: {status: $status}}
- {name: shop_limit, from: limits, value: .limit}
- const_labels: {env: prod}
  metrics:
    - {name: shop_queues, from: queues, value: length}
    - from: nodes
      metrics:
        - {name: shop_node_up, each: 'to_entries[]', labels: {node: .key}, value: .value.up}
        - {name: shop_first_queue_messages, from: queues, value: ".[0].messages"}
        - metrics:
            - {name: shop_root_keys, value: $root | length}
- from: limits
  metrics:
    - {name: shop_rate, value: .rate}
    - {name: shop_also_queues, from: queues, value: length}
- from: queues
  each: .[]
  labels: {queue: .name}
  metrics:
    - {name: shop_queue_nodes, from: nodes, value: length}
    - {name: shop_queue_limits, from: limits, value: length}
- from: limits
  each: .[]
  metrics:
    - {name: shop_lost, from: nodes, value: length}
`
	rules := mustCompile(t, text, "queues", "nodes", "limits")
	result := rules.Map(t.Context(), mapping.Input{Documents: documents(t)})
	want := outcome{Satisfied: true, Samples: []string{
		`shop_messages{queue="q1",up="true"} 4`,
		`shop_messages{queue="q2",up="false"} 5`,
		`shop_nodes{status="203"} 2`,
		`shop_queues{env="prod"} 2`,
		`shop_node_up{env="prod",node="n1"} 1`,
		`shop_node_up{env="prod",node="n2"} 0`,
		`shop_first_queue_messages{env="prod"} 4`,
		`shop_root_keys{env="prod"} 2`,
		`shop_also_queues 2`,
		`shop_queue_nodes{queue="q1"} 2`,
		`shop_queue_nodes{queue="q2"} 2`,
	}}
	if diff := cmp.Diff(want, read(result)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var skipped []string
	for _, f := range result.Findings {
		if f.Skipped {
			skipped = append(skipped, f.Metric+" "+f.Document)
		}
	}
	wantSkipped := []string{"shop_limit limits", "shop_rate limits", "shop_queue_limits limits", " limits", "shop_lost nodes"}
	if diff := cmp.Diff(wantSkipped, skipped); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
}

func TestVariables(t *testing.T) {
	rules := mustCompile(t, `[{name: shop_x, labels: {target: $target, pool: $vars.pool}, value: $vars.factor * .n}]`)
	in := status(t, `{"n": 3}`)
	in.Target = "http://shop:8000/status"
	in.Vars = map[string]any{"pool": "blue", "factor": 2.0}
	want := outcome{Satisfied: true, Samples: []string{`shop_x{pool="blue",target="http://shop:8000/status"} 6`}}
	if diff := cmp.Diff(want, read(rules.Map(t.Context(), in))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
