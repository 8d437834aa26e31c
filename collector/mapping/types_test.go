package mapping_test

import "testing"

func TestTypes(t *testing.T) {
	runAll(t, []mapTest{
		{
			name: "the type follows from the name",
			rules: `
- {name: shop_jobs, value: .jobs}
- {name: shop_orders_total, value: .orders}
- {name: shop_build_info, labels: {version: .version}}
- {name: shop_odd, type: untyped, value: .jobs}
- {name: shop_tries, type: counter, value: .orders}
`,
			document: `{"jobs": 3, "orders": 7, "version": "1.2"}`,
			want: outcome{Satisfied: true, Samples: []string{
				`shop_jobs 3`,
				`shop_orders_total 7`,
				`shop_build_info{version="1.2"} 1`,
				`shop_odd 3`,
				`shop_tries 7`,
			}},
		},
		{
			name:     "info of several items",
			rules:    `[{name: shop_node_info, each: ".nodes[]", labels: {node: .name, os: .os}}]`,
			document: `{"nodes": [{"name": "b", "os": "linux"}, {"name": "a"}, {"name": "a"}]}`,
			want: outcome{Satisfied: true, Samples: []string{
				`shop_node_info{node="a"} 1`,
				`shop_node_info{node="b",os="linux"} 1`,
			}},
		},
		{
			name:     "values, one label with one sample for each of its values",
			rules:    `[{name: shop_jobs, const_labels: {env: prod}, values: {state: {running: .running, ready: .ready, gone: .gone}}}]`,
			document: `{"ready": 1, "running": "2"}`,
			want: outcome{
				Satisfied: true,
				Samples: []string{
					`shop_jobs{env="prod",state="ready"} 1`,
					`shop_jobs{env="prod",state="running"} 2`,
				},
				Dropped: []string{"shop_jobs: 1 for missing; `.gone` found nothing"},
			},
		},
		{
			name:     "state set",
			rules:    `[{name: shop_health, type: stateset, states: [healthy, unhealthy], value: .health}]`,
			document: `{"health": " healthy\n"}`,
			want: outcome{Satisfied: true, Samples: []string{
				`shop_health{shop_health="healthy"} 1`,
				`shop_health{shop_health="unhealthy"} 0`,
			}},
		},
		{
			name:     "state set with a label of its own and states that are no texts",
			rules:    `[{name: shop_up, type: stateset, states: ["true", "false", "1"], label: state, value: ".[]", each: ".nodes | map([.]) | .[]"}]`,
			document: `{"nodes": [true]}`,
			want: outcome{Satisfied: true, Samples: []string{
				`shop_up{state="1"} 0`,
				`shop_up{state="false"} 0`,
				`shop_up{state="true"} 1`,
			}},
		},
		{
			name:     "a state that is not known makes all states 0",
			rules:    `[{name: shop_health, type: stateset, states: [healthy, unhealthy], each: ".[]", labels: {node: .n}, value: .h}]`,
			document: `[{"n": "a", "h": "on fire"}, {"n": "b", "h": {"x": 1}}, {"n": "c", "h": null}, {"n": "d", "h": "unhealthy"}]`,
			want: outcome{
				Satisfied: true,
				Samples: []string{
					`shop_health{node="a",shop_health="healthy"} 0`,
					`shop_health{node="a",shop_health="unhealthy"} 0`,
					`shop_health{node="b",shop_health="healthy"} 0`,
					`shop_health{node="b",shop_health="unhealthy"} 0`,
					`shop_health{node="d",shop_health="healthy"} 0`,
					`shop_health{node="d",shop_health="unhealthy"} 1`,
				},
				Dropped: []string{
					"shop_health: 2 for unknown_state; `.h` found \"on fire\", expected one of healthy, unhealthy",
					"shop_health: 1 for missing; `.h` found nothing",
				},
			},
		},
		{
			name: "created",
			rules: `
- {name: shop_orders_total, value: .orders, created: .since | timestamp}
- {name: shop_tries_total, value: .orders, created: .never}
- {name: shop_faults_total, value: .orders, created: .orders_since}
`,
			document: `{"orders": 7, "since": "2026-11-20T10:00:00.5Z", "orders_since": "yesterday"}`,
			want: outcome{
				Satisfied: true,
				Samples: []string{
					`shop_orders_total 7 created 2026-11-20T10:00:00.5Z`,
					`shop_tries_total 7`,
				},
				Dropped: []string{"shop_faults_total: 1 for not_a_number; `.orders_since` found \"yesterday\", expected a time as Unix seconds"},
			},
		},
		{
			name:     "created out of the range of time",
			rules:    `[{name: shop_orders_total, value: 1, created: .t, each: ".[]", labels: {n: .n}}]`,
			document: `[{"n": 1, "t": 1e300}, {"n": 2, "t": "NaN"}, {"n": 3, "t": 0}]`,
			want: outcome{
				Satisfied: true,
				Samples:   []string{`shop_orders_total{n="3"} 1 created 1970-01-01T00:00:00Z`},
				Dropped:   []string{"shop_orders_total: 2 for not_a_number; `.t` found 1e300, expected a time as Unix seconds"},
			},
		},
	})
}

func TestHistograms(t *testing.T) {
	runAll(t, []mapTest{
		{
			name:     "object, cumulative",
			rules:    `[{name: shop_seconds, type: histogram, buckets: .b, sum: .s, count: .c, created: .t}]`,
			document: `{"b": {"0.1": 1, "0.5": "3", "+Inf": 4}, "s": 2.5, "c": 4, "t": 1000}`,
			want: outcome{Satisfied: true, Samples: []string{
				`shop_seconds le=0.1:1 le=0.5:3 count=4 sum=2.5 created 1970-01-01T00:16:40Z`,
			}},
		},
		{
			name:     "pairs, in any order, without sum and count",
			rules:    `[{name: shop_seconds, type: histogram, buckets: .b, labels: {path: .p}}]`,
			document: `{"b": [[1, 5], [0.1, 2], [10, null]], "p": "/"}`,
			want:     outcome{Satisfied: true, Samples: []string{`shop_seconds{path="/"} le=0.1:2 le=1:5 count=5 sum=NaN`}},
		},
		{
			name:     "not cumulative",
			rules:    `[{name: shop_seconds, type: histogram, cumulative: false, buckets: .b}]`,
			document: `{"b": {"1": 2, "0.1": 1, "10": 0, "+Inf": 3}}`,
			want:     outcome{Satisfied: true, Samples: []string{`shop_seconds le=0.1:1 le=1:3 le=10:3 count=6 sum=NaN`}},
		},
		{
			name:     "count beyond the highest bucket",
			rules:    `[{name: shop_seconds, type: histogram, buckets: .b, count: .c}]`,
			document: `{"b": {"1": 2}, "c": 9}`,
			want:     outcome{Satisfied: true, Samples: []string{`shop_seconds le=1:2 count=9 sum=NaN`}},
		},
		{
			name:     "empty",
			rules:    `[{name: shop_seconds, type: histogram, buckets: .b}]`,
			document: `{"b": {}}`,
			want:     outcome{Satisfied: true, Samples: []string{`shop_seconds count=0 sum=NaN`}},
		},
		{
			name:     "summary",
			rules:    `[{name: shop_seconds, type: summary, quantiles: .q, sum: .s, count: .c}]`,
			document: `{"q": {"0.99": 3, "0.5": "NaN"}, "s": 12, "c": 8}`,
			want:     outcome{Satisfied: true, Samples: []string{`shop_seconds q=0.5:NaN q=0.99:3 count=8 sum=12`}},
		},
		{
			name:     "summary of count and sum",
			rules:    `[{name: shop_seconds, type: summary, sum: .s, count: .c}]`,
			document: `{"s": 12, "c": 8}`,
			want:     outcome{Satisfied: true, Samples: []string{`shop_seconds count=8 sum=12`}},
		},
	})
}

func TestBadDistributions(t *testing.T) {
	const rules = `
- {name: h, type: histogram, each: .h | many, buckets: .b, sum: .s, count: .c}
- {name: n, type: histogram, each: .n | many, buckets: .b, cumulative: false}
- {name: s, type: summary, each: .s | many, quantiles: .q, sum: .s, count: .c}
`
	tests := []struct{ document, want string }{
		{`{"h": {"b": {"1": 1}, "s": 1}}`, "h: 1 for missing; `.c` found nothing"},
		{`{"h": {"b": {"1": 1}, "c": 1}}`, "h: 1 for missing; `.s` found nothing"},
		{`{"h": {"s": 1, "c": 1}}`, "h: 1 for missing; `.b` found nothing"},
		{`{"h": {"b": 5, "s": 1, "c": 1}}`, "h: 1 for not_a_number; `.b` found 5, expected an object with a number under each number, or an array of pairs of numbers"},
		{`{"h": {"b": {"a": 5}, "s": 1, "c": 1}}`, "h: 1 for not_a_number; `.b` found {\"a\":5}, expected an object with a number under each number, or an array of pairs of numbers"},
		{`{"h": {"b": {"NaN": 5}, "s": 1, "c": 1}}`, "h: 1 for not_a_number; `.b` found {\"NaN\":5}, expected an object with a number under each number, or an array of pairs of numbers"},
		{`{"h": {"b": [[1, 2, 3]], "s": 1, "c": 1}}`, "h: 1 for not_a_number; `.b` found [[1,2,3]], expected an object with a number under each number, or an array of pairs of numbers"},
		{`{"h": {"b": [1], "s": 1, "c": 1}}`, "h: 1 for not_a_number; `.b` found [1], expected an object with a number under each number, or an array of pairs of numbers"},
		{`{"h": {"b": {"1": 3, "2": 2}, "s": 1, "c": 3}}`, "h: 1 for not_a_number; `.b` found 2, expected at least 3 for le=2: each bucket counts those below it as well, unless cumulative is false"},
		{`{"h": {"b": {"1": 1.5}, "s": 1, "c": 2}}`, "h: 1 for not_a_number; `.b` found 1.5, expected a whole number of at least 0 for le=1"},
		{`{"h": {"b": {"1": 4}, "s": 1, "c": 3}}`, "h: 1 for not_a_number; `.c` found 3, expected at least 4 as the buckets have"},
		{`{"h": {"b": {"1": 1}, "s": 1, "c": -3}}`, "h: 1 for not_a_number; `.c` found -3, expected a whole number of at least 0"},
		{`{"h": {"b": {"1": 1}, "s": 1, "c": "1e30"}}`, "h: 1 for not_a_number; `.c` found 1000000000000000000000000000000, expected a whole number of at least 0"},
		{`{"h": {"b": {"1": 1}, "s": "x", "c": 1}}`, "h: 1 for not_a_number; `.s` found \"x\", expected a number"},
		{`{"n": {"b": {"1": -1}}}`, "n: 1 for not_a_number; `.b` found -1, expected a whole number of at least 0 for le=1"},
		{`{"n": {"b": {"1": "NaN"}}}`, "n: 1 for not_a_number; `.b` found NaN, expected a whole number of at least 0 for le=1"},
		{`{"s": {"q": {"1.5": 1}, "s": 1, "c": 1}}`, "s: 1 for not_a_number; `.q` found 1.5, expected quantiles from 0 to 1"},
		{`{"s": {"q": "x", "s": 1, "c": 1}}`, "s: 1 for not_a_number; `.q` found \"x\", expected an object with a number under each number, or an array of pairs of numbers"},
	}
	for _, test := range tests {
		(&mapTest{test.document, rules, test.document, outcome{Dropped: []string{test.want}, Satisfied: true}}).run(t)
	}
}
