package document_test

import "testing"

func TestXML(t *testing.T) {
	arrays := "{xml: {arrays: [service]}}"
	for _, c := range []decoding{
		{
			name: "documented", body: "<monit id=\"7\">\n  <service name=\"a\"/>\n  <service name=\"b\">\n    <load> 0.5 </load>\n  </service>\n  <note/>\n</monit>",
			want: `{"monit": {"@id": "7", "service": [{"@name": "a"}, {"@name": "b", "load": "0.5"}], "note": null}}`,
		},
		{name: "only text", body: "<a>x</a>", want: `{"a": "x"}`},
		{name: "nothing", body: "<a/>", want: `{"a": null}`},
		{name: "blank", body: "<a>\n \n</a>", want: `{"a": null}`},
		{name: "attribute and text", body: `<a b="1"> x </a>`, want: `{"a": {"@b": "1", "#text": "x"}}`},
		{name: "text between", body: "<a> x <b>1</b> y <c/></a>", want: `{"a": {"b": "1", "c": null, "#text": "x  y"}}`},
		{name: "interleaved", body: "<a><b>1</b><c>2</c><b/><c>4</c><b>5</b></a>", want: `{"a": {"b": ["1", null, "5"], "c": ["2", "4"]}}`},
		{name: "nested of one name", body: "<a><a><a>1</a><a>2</a></a></a>", want: `{"a": {"a": {"a": ["1", "2"]}}}`},
		{name: "data and references", body: "<a>&lt;<![CDATA[<&>]]>&#65;&#x42;&amp;&eacute;</a>", want: `{"a": "<<&>AB&é"}`},
		{name: "comments and instructions", body: "<?xml version='1.0'?><!-- x --><?y z?><a>1<!-- 2 -->3</a><!-- 4 -->\n", want: `{"a": "13"}`},
		{
			name: "namespaces", body: `<s:a xmlns="urn:x" xmlns:s="urn:s" s:b="1"><s:c>2</s:c><d xml:lang="en">3</d></s:a>`,
			want: `{"a": {"@b": "1", "c": "2", "d": {"@lang": "en", "#text": "3"}}}`,
		},
		{name: "document type", body: "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<!DOCTYPE monit [<!ELEMENT monit (a)>]>\n<monit><a>caf\xe9</a></monit>", want: `{"monit": {"a": "café"}}`},
		{name: "encoding", body: "<?xml version='1.0' encoding='windows-1251' standalone='yes'?><a b='\xc4'>\xe0</a>", want: `{"a": {"@b": "Д", "#text": "а"}}`},
		{name: "wrong encoding", body: "<?xml version='1.0' encoding='UTF-16'?><a>é</a>", want: `{"a": "é"}`},
		{name: "stray bytes after it", body: "<a>1</a>\x00\xff garbage & more", want: `{"a": "1"}`},

		{name: "always an array, once", format: arrays, body: "<a><service>x</service><b/></a>", want: `{"a": {"service": ["x"], "b": null}}`},
		{name: "always an array, twice", format: arrays, body: "<a><service/><service/></a>", want: `{"a": {"service": [null, null]}}`},
		{name: "always an array, never", format: arrays, body: "<a><b/></a>", want: `{"a": {"b": null}}`},

		{name: "two roots", body: "<a/><b/>", wantErr: "line 1, column 9: found a second root element <b>, expected XML"},
		{name: "text before it", body: "OK\n<a/>", wantErr: `line 2, column 1: found the text "OK" before the first element, expected XML`},
		{name: "JSON", body: `{"a": 1}`, wantErr: `line 1, column 9: found the text "{\"a\": 1}" before the first element, expected XML`},
		{name: "half a document", body: "<a>\n<b>", wantErr: "the answer ends in the middle of the document, at line 2, column 4, expected XML"},
		{name: "half a tag", body: "<a b='1", wantErr: "the answer ends in the middle of the document, at line 1, column 8, expected XML"},
		{name: "only a declaration", body: "<?xml version='1.0'?>\n", wantErr: "the answer ends in the middle of the document, at line 2, column 1, expected XML"},
		{name: "wrong end", body: "<a>\n <b>1</a>\n</b>", wantErr: "line 2, column 10: element <b> closed by </a>, expected XML"},
		{name: "no quotes", body: "<a b=1/>", wantErr: "line 1, column 7: unquoted or missing attribute value in element, expected XML"},
		{name: "unknown reference", body: "<a>&no;</a>", wantErr: "line 1, column 8: invalid character entity &no;, expected XML"},
		{name: "control character", body: "<a>\x01</a>", wantErr: "line 1, column 5: illegal character code U+0001, expected XML"},
	} {
		if c.format == "" {
			c.format = "xml"
		}
		c.run(t)
	}
}
