package query

import (
	"fmt"
	"strings"

	"github.com/itchyny/gojq"
)

// Neither a target nor an expression may make one instruction of the machine
// take minutes or gigabytes, because the meter looks at the clock only between
// instructions. So the built-in functions that could are given a look at their
// input first, and those that search texts are replaced.
const (
	longestText   = 32 << 20 // bytes that a text made of others may have
	mostItems     = 1 << 20  // that an array or object made of others may have
	longestNumber = 1000     // digits; reading a number takes the square of their count
	longestIndex  = 16       // items of an array that is searched for in another by .[…]
	largestIndex  = 1 << 20  // of an array: assigning to an item makes those before it as well
	refusedIndex  = 1 << 29  // from which on jq itself refuses to do so
	largestOrder  = 1 << 20  // of a Bessel function, which takes as many steps
	largestInput  = 32 << 20 // bytes, as size counts them, that are worked on in one step
	largestQuoted = 4 << 20  // that are written as a text, where a byte becomes up to six: control characters in JSON
	escaping      = 6        // times as long as what is written so may become
	mostValues    = 1 << 20  // that fromjson and transpose may make
	mostPairs     = 1 << 22  // of values, one of them from each of two arrays
	deepest       = 10_000   // levels of a value: what walks through one calls itself for each, and Go ends a process whose stack is full
	longestPath   = 10_000   // keys and indexes, for the same reason
	longestLayout = 1000     // bytes of a format of times, each of which may become many
	longestTime   = 1000     // bytes of a text that is read as a time: where it is none, the error quotes it several times
	longestJSON   = 4 << 20  // bytes of a text that fromjson reads
	mostEntries   = 250_000  // that from_entries may make an object of: see document.Limits.Members
)

// A definition that calls the function that it replaces needs another name for
// that one: within its own body a name means itself.
const boundedDefinitions = `
def _tonumber: tonumber;
def tonumber: _bound_number | _tonumber;
def _fromjson: fromjson;
def fromjson: _bound_json | _fromjson;
def _transpose: transpose;
def transpose: _bound_table | _transpose;
def _contains($x): contains($x);
def contains($x): _bound_pairs(.; $x) | _contains($x);
def inside($x): . as $v | $x | contains($v);
def _texts($x): type == "string" and ($x | type == "string");
def _indices($x): indices($x);
def indices($x): if _texts($x) then _positions($__meter; $x) else _bound_pairs(.; $x) | _indices($x) end;
def _index($x): index($x);
def index($x): if _texts($x) then _position($x; false) else _bound_pairs(.; $x) | _index($x) end;
def _rindex($x): rindex($x);
def rindex($x): if _texts($x) then _position($x; true) else _bound_pairs(.; $x) | _rindex($x) end;
def add(f): [f] | _bound_input($__meter; 2) | add;
def _join($x): join($x);
def join($x): _bound_join($__meter; $x) | _join($x);
def min_by(f): _min_by(map([f]) | _bound_input($__meter; 0));
def max_by(f): _max_by(map([f]) | _bound_input($__meter; 0));
def IN(s): any(_bound_equal(s; .); .);
def IN(src; s): any(_bound_equal(src; s); .);
def _setpath(p; v): setpath(p; v);
def setpath(p; v): _setpath(p | _bound_path; v | _bound_items);
def _delpaths(p): delpaths(p);
def delpaths(p): _delpaths(p | _bound_path);
def _bound_paths(f): . as $v | reduce path(f) as $p (null; $p | _bound_path | null) | $v;
def map_values(f): _bound_nesting($__meter) | .[] |= f;
def _getpath(p): getpath(p);
def getpath(p): _getpath(p | _bound_path);
def _nth($n): nth($n);
def nth($n): _nth($n | _bound_index);
def nth($n; f): first(skip($n; f));
def pick(f): . as $v | reduce path(f) as $p (null; setpath($p; $v | getpath($p)));
def _fromstream(f): fromstream(f);
def fromstream(f): _fromstream(f | _bound_path);
def _jn(x; y): jn(x; y);
def jn(x; y): _jn(x | _bound_order; y);
def _strftime(f): strftime(f);
def strftime(f): _strftime(f | _bound_layout);
def _strflocaltime(f): strflocaltime(f);
def strflocaltime(f): _strflocaltime(f | _bound_layout);
def _strptime(f): strptime(f);
def strptime(f): _bound_time | _strptime(f | _bound_layout);
def _fromdateiso8601: fromdateiso8601;
def fromdateiso8601: _bound_time | _fromdateiso8601;
def fromdate: fromdateiso8601;
def _from_entries: from_entries;
def from_entries: _bound_entries | _from_entries;
def with_entries(f): to_entries | map(f) | from_entries;
def _split($x): split($x);
def split($x): _bound_split($__meter; $x) | _split($x);
def _yn(x; y): yn(x; y);
def yn(x; y): _yn(x | _bound_order; y);
`

func boundedFunctions() []gojq.CompilerOption {
	return []gojq.CompilerOption{
		gojq.WithFunction("_bound_number", 0, 0, func(v any, _ []any) any { return boundNumber(v) }),
		gojq.WithFunction("_bound_json", 0, 0, func(v any, _ []any) any { return boundJSON(v) }),
		gojq.WithFunction("_bound_table", 0, 0, func(v any, _ []any) any { return boundTable(v) }),
		gojq.WithFunction("_bound_index", 0, 0, func(v any, _ []any) any { return boundIndex(v) }),
		gojq.WithFunction("_bound_items", 0, 0, func(v any, _ []any) any { return boundItems(v) }),
		gojq.WithFunction("_bound_pairs", 2, 2, func(v any, args []any) any { return boundPairs(v, args[0], args[1]) }),
		gojq.WithFunction("_bound_path", 0, 0, func(v any, _ []any) any { return boundPath(v) }),
		gojq.WithFunction("_bound_time", 0, 0, func(v any, _ []any) any { return boundTime(v) }),
		gojq.WithFunction("_bound_entries", 0, 0, func(v any, _ []any) any { return boundEntries(v) }),
		gojq.WithFunction("_bound_split", 2, 2, func(v any, args []any) any { return boundSplit(args[0].(*meter), v, args[1]) }),
		gojq.WithFunction("_bound_layout", 0, 0, func(v any, _ []any) any { return boundLayout(v) }),
		gojq.WithFunction("_bound_nesting", 1, 1, func(v any, args []any) any { return args[0].(*meter).boundNesting(v) }),
		gojq.WithFunction("_bound_order", 0, 0, func(v any, _ []any) any { return boundOrder(v) }),
		gojq.WithFunction("_bound_input", 2, 2, func(v any, args []any) any {
			return boundInputOf(args[0].(*meter), v, args[1].(int))
		}),
		gojq.WithFunction("_bound_text", 1, 1, func(v any, args []any) any { return boundTextOf(args[0].(*meter), v) }),
		gojq.WithFunction("_bound_join", 2, 2, func(v any, args []any) any {
			return boundJoin(args[0].(*meter), v, args[1])
		}),
		gojq.WithFunction("_position", 2, 2, func(v any, args []any) any {
			return position(v.(string), args[0].(string), args[1] == true)
		}),
		gojq.WithFunction("_positions", 2, 2, func(v any, args []any) any {
			return positions(args[0].(*meter), v.(string), args[1].(string))
		}),
	}
}

func boundNumber(v any) any {
	if text, ok := v.(string); ok && len(text) > longestNumber {
		return fmt.Errorf("tonumber cannot read %s: it is longer than %d characters", quote(text), longestNumber)
	}
	return v
}

// boundJSON counts the values of a JSON text by what stands between them.
func boundJSON(v any) any {
	text, ok := v.(string)
	if !ok {
		return v
	}
	if len(text) > longestJSON {
		return fmt.Errorf("fromjson cannot read %s: it is longer than %d MiB", quote(text), longestJSON>>20)
	}
	if strings.Count(text, ",")+strings.Count(text, "[")+strings.Count(text, "{") > mostValues {
		return fmt.Errorf("fromjson cannot read %s: it has more than %d values", quote(text), mostValues)
	}
	run := 0
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			run = 0
		} else if run++; run > longestNumber {
			return fmt.Errorf("fromjson cannot read %s: it has a number of more than %d digits", quote(text), longestNumber)
		}
	}
	return v
}

// boundTable looks at the table that transpose would fill: as many cells as
// there are rows times the longest row.
func boundTable(v any) any {
	rows, _ := v.([]any)
	longest := 0
	for _, row := range rows {
		cells, _ := row.([]any)
		longest = max(longest, len(cells))
	}
	if longest > 0 && len(rows) > mostValues/longest {
		return fmt.Errorf("transpose cannot make a table of %d by %d: it has more than %d values", longest, len(rows), mostValues)
	}
	return v
}

// boundIndex looks at what an array is indexed with.
func boundIndex(v any) any {
	if array, ok := v.([]any); ok && len(array) > longestIndex {
		return fmt.Errorf("%s cannot be an index: it has more than %d items", gojq.Preview(v), longestIndex)
	} else if ok && isDeep(v) {
		return fmt.Errorf("%s cannot be an index: it is too large", gojq.Preview(v))
	}
	if n, ok := gojq.ToInt(v); ok && n > largestIndex && n < refusedIndex {
		return fmt.Errorf("%s cannot be an index: it is larger than %d", gojq.Preview(v), largestIndex)
	}
	return v
}

// boundPath looks at the indexes of a path, at those of several paths, or of one
// with which an event of a stream begins.
func boundPath(v any) any {
	path, _ := v.([]any)
	ownKeys := 0
	for _, index := range path {
		part, isPath := index.([]any)
		if !isPath {
			ownKeys++
			part = []any{index}
		}
		if max(len(part), ownKeys) > longestPath {
			return fmt.Errorf("%s cannot be a path: it has more than %d keys", gojq.Preview(v), longestPath)
		}
		for _, index := range part {
			if err, ok := boundIndex(index).(error); ok {
				return err
			}
		}
	}
	return v
}

// boundLayout looks at the format of a time.
func boundLayout(v any) any {
	if layout, ok := v.(string); ok && len(layout) > longestLayout {
		return fmt.Errorf("%s cannot be the format of a time: it is longer than %d characters", quote(layout), longestLayout)
	}
	return v
}

// boundTime looks at a text that is read as a time.
func boundTime(v any) any {
	if text, ok := v.(string); ok && len(text) > longestTime {
		return fmt.Errorf("%s is no time: it is longer than %d characters", quote(text), longestTime)
	}
	return v
}

// boundEntries looks at what becomes an object.
func boundEntries(v any) any {
	if entries, ok := v.([]any); ok && len(entries) > mostEntries {
		return fmt.Errorf("from_entries cannot make an object of %d entries: the limit is %d", len(entries), mostEntries)
	}
	return v
}

// boundSplit returns a text if it does not fall into too many parts.
func boundSplit(m *meter, v, separator any) any {
	text, ok := v.(string)
	between, alsoOK := separator.(string)
	if !ok || !alsoOK {
		return v
	}
	parts := len(text) // of one character each
	if between != "" {
		parts = strings.Count(text, between) + 1
	}
	if parts > mostItems {
		return fmt.Errorf("%s cannot be split: it has more than %d parts", quote(text), mostItems)
	}
	if err := m.room(32 * parts); err != nil {
		return err
	}
	return v
}

// boundNesting refuses to update a value that is too deep. Updates come in loops
// over one value, and so it is not looked at again after a few steps: it takes some
// of them to make a value one level deeper.
func (m *meter) boundNesting(v any) any {
	const often = 50_000 // steps
	if m.nested > 0 && m.steps-m.nested < often {
		return v
	}
	m.nested = max(m.steps, 1)
	if isDeep(v) {
		return errDeep(v)
	}
	return v
}

func errDeep(v any) error {
	return fmt.Errorf("%s cannot be updated: it is too large, or has more than %d levels", gojq.Preview(v), deepest)
}

// isDeep tells whether a value has more values in it, or more levels, than may be
// walked through.
func isDeep(v any) bool { return count(v, mostPairs) == mostPairs }

// boundItems looks at what is put into an array in place of a part of it, which is
// copied into one array with the rest.
func boundItems(v any) any {
	if items, ok := v.([]any); ok && len(items) > mostItems {
		return fmt.Errorf("%s cannot be assigned: it has more than %d items", gojq.Preview(v), mostItems)
	}
	return v
}

func boundOrder(v any) any {
	if n, ok := gojq.ToInt(v); ok && (n > largestOrder || n < -largestOrder) {
		return fmt.Errorf("the Bessel function of order %s takes too long", gojq.Preview(v))
	}
	return v
}

// boundInputOf returns v if what takes time in proportion to it, and times as
// much memory, is quick and has room.
func boundInputOf(m *meter, v any, times int) any {
	bytes, limit := size(v), largestInput
	if times == escaping {
		limit = largestQuoted
	}
	if bytes >= limit {
		return fmt.Errorf("%s is too large to work on, the limit is about %d MiB", gojq.Preview(v), limit>>20)
	}
	if err := m.room(bytes * times); err != nil {
		return err
	}
	return v
}

// boundTextOf does so for what is written as a text, if it is none yet.
func boundTextOf(m *meter, v any) any {
	switch v.(type) {
	case []any, map[string]any:
		return boundInputOf(m, v, escaping)
	}
	return v
}

// boundJoin does so for what is joined with a text between all items.
func boundJoin(m *meter, v, between any) any {
	items, _ := v.([]any)
	if text, ok := between.(string); ok && len(text) > 1 {
		if err := m.room(len(text) * len(items)); err != nil {
			return err
		}
	}
	return boundInputOf(m, v, 2)
}

// boundPairs returns v if it is cheap to compare each value in a with each in b.
func boundPairs(v, a, b any) any {
	if _, ok := a.(string); ok {
		return v
	}
	limit := mostPairs + 1
	if first := count(a, limit); first > 1 {
		if second := count(b, limit/first+1); first*second > mostPairs {
			return fmt.Errorf("comparing each value of %s with each of %s takes too long", gojq.Preview(a), gojq.Preview(b))
		}
	}
	return v
}
