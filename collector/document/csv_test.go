package document_test

import "testing"

func TestCSV(t *testing.T) {
	const haproxy = `{csv: {header_prefix: "# "}}`
	for _, c := range []decoding{
		{name: "documented", format: haproxy, body: "# name,qcur,\nweb,3,\napi,,\n", want: `[{"name": "web", "qcur": "3"}, {"name": "api", "qcur": null}]`},
		{name: "header", format: "csv", body: "a,b\n1,2\n3,4", want: `[{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]`},
		{name: "only a header", format: "csv", body: "a,b\n", want: `[]`},
		{name: "names are trimmed, cells are not", format: "csv", body: "a , b\n1 , 2", want: `[{"a": "1 ", "b": " 2"}]`},
		{name: "quotes", format: "csv", body: "a,\"b,\"\n\"x\n\"\"y\"\"\",\" \"\n", want: `[{"a": "x\n\"y\"", "b,": " "}]`},
		{name: "short and long rows", format: "csv", body: "a,b\n1\n1,2,3\n,\n", want: `[{"a": "1"}, {"a": "1", "b": "2"}, {"a": null, "b": null}]`},
		{name: "empty and equal names", format: "csv", body: ",a,a\n1,2,3", want: `[{"a": "3"}]`},
		{name: "empty lines", format: "csv", body: "\n\na\n\n1\n\n", want: `[{"a": "1"}]`},
		{name: "delimiter", format: `{csv: {delimiter: ";"}}`, body: "a;b\n1,5;2", want: `[{"a": "1,5", "b": "2"}]`},
		{name: "tab", format: `{csv: {delimiter: \t}}`, body: "a\tb\n1\t2", want: `[{"a": "1", "b": "2"}]`},
		{name: "tab in quotes", format: `{csv: {delimiter: "\t"}}`, body: "a\tb\n1\t2", want: `[{"a": "1", "b": "2"}]`},
		{name: "no header", format: `{csv: {header: false}}`, body: "proxy.uptime,17\nproxy.name,\n", want: `[["proxy.uptime", "17"], ["proxy.name", null]]`},
		{name: "own names", format: `{csv: {header: [name, value]}}`, body: "proxy.uptime,17\n", want: `[{"name": "proxy.uptime", "value": "17"}]`},
		{name: "no header prefix", format: haproxy, body: "name\nweb", want: `[{"name": "web"}]`},
		{name: "comments", format: `{csv: {comment: "#"}}`, body: "#datatype,string\na,b\n# x\n1,2\n", want: `[{"a": "1", "b": "2"}]`},
		{name: "quotes within cells", format: `{csv: {lazy_quotes: true}}`, body: "a,b\nsay \"x\",2", want: `[{"a": "say \"x\"", "b": "2"}]`},

		{
			name: "tables by empty lines", format: `{csv: {tables: true, comment: "#"}}`,
			body: "#group,x\r\n,result,n\r\n,,1\r\n,,2\r\n\r\n#group,y\r\n,result,m,host\r\n,,3,a\r\n\r\n",
			want: `[[{"result": null, "n": "1"}, {"result": null, "n": "2"}], [{"result": null, "m": "3", "host": "a"}]]`,
		},
		{name: "tables after comments", format: `{csv: {tables: true, comment: "#"}}`, body: "a\n1\n#x\n\n\n#y\nb\n2", want: `[[{"a": "1"}], [{"b": "2"}]]`},
		{name: "tables by header lines", format: `{csv: {tables: true, header_prefix: "#"}}`, body: "#a,b\n1,2\n#c\n3\n", want: `[[{"a": "1", "b": "2"}], [{"c": "3"}]]`},
		{name: "tables without header", format: `{csv: {tables: true, header: false}}`, body: "1,2\n\n3", want: `[[["1", "2"]], [["3"]]]`},
		{name: "tables with own names", format: `{csv: {tables: true, header: [a]}}`, body: "1\n\n2", want: `[[{"a": "1"}], [{"a": "2"}]]`},
		{name: "one table", format: `{csv: {tables: true}}`, body: "a\n\"1\n\n2\"\n", want: `[[{"a": "1\n\n2"}]]`},
		{name: "empty table", format: `{csv: {tables: true}}`, body: "a\n\nb\n1", want: `[[], [{"b": "1"}]]`},

		{name: "quote in a cell", format: "csv", body: "a,b\n1,x\"y", wantErr: "line 2, column 4: found a quote within a cell that does not begin with one, expected CSV (lazy_quotes: true accepts it)"},
		{name: "text after a quote", format: "csv", body: "a,b\n\"1\"x,2\n3,4", wantErr: "line 2, column 3: found more text after the closing quote of a cell, expected CSV (lazy_quotes: true accepts it)"},
		{name: "half a document", format: "csv", body: "a,b\n1,2\n\"3\n4", wantErr: "the answer ends within the quoted cell that begins in line 3, expected a closing quote"},
	} {
		c.run(t)
	}
}
