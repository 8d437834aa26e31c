package query

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/itchyny/gojq"

	"status_exporter/config/options"
)

// A syntaxHint fits to what stands before and after a place.
type syntaxHint struct {
	before, after *regexp.Regexp
	hint          string
}

// parseHints tell what was probably meant where jq's grammar allows nothing.
// The first counts whose patterns fit to what stands before the place and to
// what follows from there on.
var parseHints = sync.OnceValue(func() []syntaxHint {
	return []syntaxHint{
		{nil, regexp.MustCompile(`^'`), `a text stands in double quotes: "…"`},
		{nil, regexp.MustCompile(`^[“”„‘’]`), `a text stands in plain double quotes: "…"`},
		{nil, regexp.MustCompile(`^&`), `jq says and: .a and .b`},
		{regexp.MustCompile(`\|\s*$`), regexp.MustCompile(`^\|`), `jq says or: .a or .b`},
		{nil, regexp.MustCompile(`^!($|[^=])`), `jq says not behind it: .a | not`},
		{regexp.MustCompile(`=\s*$`), regexp.MustCompile(`^=`), `equal is ==`},
		{regexp.MustCompile(`\[\?\s*$|\[$`), regexp.MustCompile(`^[?(@]`), `items are chosen with .[] | select(.name == "x")`},
		{regexp.MustCompile(`^\s*$`), regexp.MustCompile(`^\$`), `a path begins with a dot: .a.b`},
		{nil, regexp.MustCompile(`^\$`), `the document is called $root`},
		{regexp.MustCompile(`[.[]\s*$`), regexp.MustCompile(`^\*`), `every item is .[]`},
		{regexp.MustCompile(`^\s*\{\s*$`), regexp.MustCompile(`^\.`), `a path has no braces around it: .a.b`},
		{regexp.MustCompile(`[a-zA-Z]\(\s*$`), regexp.MustCompile(`^\)`), `a function without arguments has no parentheses`},
		{nil, regexp.MustCompile(`^[)\]}]`), `there is nothing that it closes`},
		{regexp.MustCompile(`\?[^:]*$`), regexp.MustCompile(`^:`), choice},
		{regexp.MustCompile(`\s\?\s*$`), regexp.MustCompile(`^.*:`), choice},
		{regexp.MustCompile(`\.\*\s*$`), regexp.MustCompile(`^$`), `every item is .[]`},
		{regexp.MustCompile(`[{,]\s*[A-Za-z_][A-Za-z0-9_]*$`), regexp.MustCompile(`^[^\s,:}]`), `a key with such characters needs quotes: {"a-b": .c}`},
		{regexp.MustCompile(`\s$`), regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*\s*:`), `a comma stands before the next key`},
	}
})

const choice = `a choice is if … then … else … end`

var (
	number  = regexp.MustCompile(`^\.[0-9]+`)
	keyTail = regexp.MustCompile(`\.[A-Za-z_][A-Za-z0-9_]*([^\s."'|,;()[\]{}]*) ?$`)
	keyHead = regexp.MustCompile(`^[^\s."'|,;()[\]{}]+`)
)

// parseHint returns what was probably meant at offset.
func parseHint(source string, offset int, token string) string {
	before, after := source[:offset], source[offset:]
	for _, h := range parseHints() {
		if (h.before == nil || h.before.MatchString(before)) && h.after.MatchString(after) {
			return h.hint
		}
	}
	if number.MatchString(token) {
		if isWordByte(token[len(token)-1]) && strings.Trim(token, ".0123456789") != "" {
			return "a key that begins with a digit needs quotes: " + quotedKey(keyHead.FindString(source[offset+1:]))
		}
		return fmt.Sprintf("an item of an array is [%s]", strings.Trim(token, "."))
	}
	head := keyHead.FindString(after)
	if tail := keyTail.FindString(before); tail != "" && head != "" {
		return keyNeedsQuotes + quotedKey(tail[1:]+head)
	}
	if strings.HasSuffix(before, ".") && head != "" {
		return keyNeedsQuotes + quotedKey(head)
	}
	return ""
}

const keyNeedsQuotes = "a key with other characters than letters, digits and _ needs quotes: "

func quotedKey(key string) string { return ".[" + strconv.Quote(key) + "]" }

// variableHint names the variables that there are.
func variableHint(name string) string {
	names := slices.Sorted(maps.Keys(variables))
	if near := options.Nearest(name, names); near != "" {
		return "did you mean " + near + "?"
	}
	return "there are " + strings.Join(names, ", ") + "; a parameter of the module is $vars.NAME"
}

// otherNames are names that other languages have for what jq has.
var otherNames = map[string]string{
	"len": "length", "size": "length", "count": "length", "sum": "add", "avg": "add / length", "average": "add / length", "mean": "add / length",
	"lower": "ascii_downcase", "upper": "ascii_upcase", "downcase": "ascii_downcase", "upcase": "ascii_upcase",
	"replace": `sub("a"; "b")`, "substring": ".[0:3]", "exists": `has("key")`, "int": "floor", "toint": "floor",
	"float": "tonumber", "number": "tonumber", "tofloat": "tonumber", "string": "tostring", "str": "tostring",
	"filter": "select(…)", "where": "select(…)", "None": "null", "nil": "null", "True": "true", "False": "false",
}

var (
	oneWord  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	pathTail = regexp.MustCompile(`\.([A-Za-z_][A-Za-z0-9_]*[^\s."'|,;()[\]{}]*)$`)
)

// functionHint says what is wrong with a call of a function that jq does not
// know with so many arguments.
func functionHint(source string, offset int, name, arity string) (problem, hint string) {
	if slices.Contains(withheld, name) {
		return "jq's " + name + " cannot be used here", ""
	}
	known := functions()
	if arities := known[name]; arities != nil {
		problem = fmt.Sprintf("%s takes %s arguments, not %s", name, strings.Join(arities, " or "), arity)
		if arity == "1" && strings.Contains(source, ",") {
			hint = "arguments are separated by ;"
		}
		return problem, hint
	}
	problem = "there is no function " + name
	if offset > 0 {
		if tail := pathTail.FindStringSubmatch(source[:offset]); tail != nil {
			return problem, keyNeedsQuotes + quotedKey(tail[1]+keyHead.FindString(source[offset:]))
		}
	}
	if other := otherNames[name]; other != "" {
		return problem, "jq has " + other
	}
	if near := options.Nearest(name, slices.Sorted(maps.Keys(known))); near != "" {
		return problem, "did you mean " + near + "?"
	}
	if oneWord.MatchString(strings.TrimSpace(source)) {
		return problem, fmt.Sprintf(`a text has quotes of its own within those of YAML: '"%s"', and a key has a dot before it: .%s`, name, name)
	}
	return problem, fmt.Sprintf(`a text has quotes: "%s", and a key has a dot before it: .%s`, name, name)
}

// functions returns the numbers of arguments that each function takes.
func functions() map[string][]string {
	known := make(map[string][]string)
	add := func(name, arity string) {
		if !strings.HasPrefix(name, "_") && !slices.Contains(known[name], arity) {
			known[name] = append(known[name], arity)
			slices.Sort(known[name])
		}
	}
	parsed, _ := gojq.Parse("builtins[]")
	code, _ := gojq.Compile(parsed, valueFunctions()...)
	for it := code.Run(nil); ; {
		id, more := it.Next()
		if !more {
			break
		}
		if name, arity, ok := strings.Cut(id.(string), "/"); ok && !slices.Contains(withheld, name) {
			add(name, arity)
		}
	}
	for _, definition := range definitions() {
		add(definition.Name, strconv.Itoa(len(definition.Args)))
	}
	return known
}

// withheld are functions of jq that are not to be had here.
var withheld = []string{"debug", "env", "get_search_list", "input", "input_filename", "input_line_number", "inputs", "modulemeta", "stderr", "$__loc__", "$__prog_args"}

// slips returns what compiles and is still not what was meant.
func slips(parsed *gojq.Query) (warnings []string) {
	assigns := func(condition *gojq.Query) {
		if condition != nil && condition.Op == gojq.OpAssign {
			warnings = append(warnings, fmt.Sprintf("`%s` sets a value and is always true; to compare, write ==", condition))
		}
	}
	walk(reflect.ValueOf(parsed), func(node any) {
		switch node := node.(type) {
		case *gojq.Func:
			if node.Name == "select" && len(node.Args) == 1 {
				assigns(node.Args[0])
			}
		case *gojq.If:
			assigns(node.Cond)
		case *gojq.IfElif:
			assigns(node.Cond)
		}
	})
	return warnings
}
