// Package document turns the bytes of a status page into a value, whatever the
// page's format is. In go the bytes of one answer and its Content-Type, out
// comes the value or a sentence that says where the bytes are not what the
// format wants.
//
// The value is what JSON can say, in these Go types and no others:
//
//	nil, bool, string, []any, map[string]any
//	json.Number    every number, in the spelling of the document
//
// or, from json, csv and keyvalue, a *tree.Node that stands for such a value: tree.Go
// makes it.
//
// Numbers keep their digits: whole numbers above 2^53 stay exact until a sample
// is made of them. Only json and yaml know numbers; the other formats yield
// strings, and a string that is a number counts as one in a rule.
//
// In every format
//
//   - the text is UTF-8, or what a byte order mark says, or what the charset of the
//     Content-Type says (never for json), or what XML itself declares; bytes that
//     mean nothing in it become U+FFFD, so that every string is valid UTF-8;
//   - lines end in LF or CRLF;
//   - an empty answer is an error, and so is an HTML page where it was not asked for:
//     nothing is guessed, and no login page passes for a status page;
//   - what is there but empty (an XML element, a cell, the value of a key) is null,
//     which rules call missing;
//   - values and nesting are counted against the Limits while decoding, and decoding
//     ends soon after its context does.
//
// # json
//
// One value (RFC 8259), `null` included; or several on lines of their own
// (newline-delimited JSON), which become an array. The last of two equal keys
// counts. NaN and Infinity are not JSON; 1e400 is, and keeps its spelling.
//
//	{"jobs": 3, "up": true}        {"jobs": 3, "up": true}
//
//	{"id": 1}                      [{"id": 1}, {"id": 2}]
//	{"id": 2}
//
// # yaml
//
// One document, or several, which become an array. Aliases and merge keys (<<) are
// resolved. Keys are strings as they are written (`8080: up` has the key "8080");
// the last of two equal keys counts. Numbers that JSON cannot spell are rewritten
// (0x1F is 31, 1_000 is 1000); .nan, .inf and -.inf are the strings "NaN", "+Inf"
// and "-Inf"; dates are strings as they are written.
//
//	jobs: 3                        {"jobs": 3, "since": "2026-11-20", "ports": {"8080": "up"}}
//	since: 2026-11-20
//	ports: {8080: up}
//
// # xml
//
// An object with the root element under its name. An element that holds only text
// is a string, without the white space around it. Any other element is an object:
// attributes under "@name", children under their names, text between them under
// "#text". A child that occurs several times is an array, one that occurs once is
// the thing itself, so `.x | many` iterates none, one and many; the option arrays
// names elements that are an array even when they occur once. Names are local names:
// the prefixes and declarations of namespaces are left out. What follows the root
// element is ignored, unless it is another element.
//
//	<monit id="7">                 {"monit": {"@id": "7",
//	  <service name="a"/>            "service": [{"@name": "a"}, {"@name": "b", "load": "0.5"}],
//	  <service name="b">             "note": null}}
//	    <load> 0.5 </load>
//	  </service>
//	  <note/>
//	</monit>
//
// The encoding is the declared one, else that of the Content-Type.
// Options: arrays (names).
//
// # csv
//
// An array of rows (RFC 4180), each an object of column → cell, or with
// `header: false` an array of cells. Cells are strings. A cell that a row is short
// of is absent; cells beyond the header, or under an empty name, are left out; the
// last of two columns with one name counts.
//
//	# name,qcur,                   [{"name": "web", "qcur": "3"},
//	web,3,                          {"name": "api", "qcur": null}]
//	api,,
//
// Options: delimiter (one character, "," by default), header (true, false, or the
// column names of a document that has none), header_prefix (what stands before the
// first column name, `# ` above), comment (one character; lines that begin with it
// are skipped), lazy_quotes (quotes within cells are text), and tables: true for
// several tables in one document, each ended by an empty line or a line that begins
// with header_prefix: the value is an array of tables then.
//
// # keyvalue
//
// An object with one key for each line `key: value`. The line is cut at its first
// separator; white space around both parts is left out. Values are strings. A key that
// occurs several times is an array of its values in order. Lines without the
// separator are an array under the key "". Colours (ANSI escapes) are left out.
//
//	localhost                      {"": ["localhost"], "Total Accesses": "7",
//	Total Accesses: 7               "Worker": ["http://a", "http://b"]}
//	Worker: http://a
//	Worker: http://b
//
// Options: separator (any text, ":" by default; " " stands for any white space),
// comment (lines that begin with it are skipped).
//
// # regexp
//
// An object of the named groups of one or more patterns, each searched for once in the
// whole text; a group that took no part in a match is null. It is an error if none
// of them matches. With `repeat: true` an array of such objects, one for each match;
// none is an empty array. ^ and $ match at lines, as with (?m); the dot does not match a
// line break unless the pattern says (?s). Colours (ANSI escapes) are left out.
// A text above 1 MiB is refused: a search cannot be stopped on the way.
//
//	Active connections: 291        pattern: 'Active connections: (?P<active>\d+)'
//	                               {"active": "291"}
//
// Options: pattern or patterns (https://pkg.go.dev/regexp/syntax), repeat.
package document
