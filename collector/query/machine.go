package query

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/itchyny/gojq"

	"status_exporter/collector/tree"
)

// A program is an expression compiled for the jq machine.
type program struct {
	code      *gojq.Code
	variables []string   // that the expression reads, in the order in which code takes them
	exclusive *sync.Pool // of *gojq.Code, where it writes to what it is given; else nil
}

// writing are the functions and operators with which jq deletes. They write to
// all of the value from which they delete, and if only what stands there
// already: to the document, to variables, and to the constants in the code.
// Two evaluations at once would end the process.
var writing = []string{"|=", "del", "delpaths", "map_values", "walk", "truncate_stream"}

// definitions are the functions that are written in jq, in an order in which
// each uses only those before it. A function that jq has already is replaced.
var definitions = sync.OnceValue(func() []*gojq.FuncDef {
	return parseDefinitions(manyDefinition + boundedDefinitions + sortDefinitions + matchDefinitions)
})

func parseDefinitions(source string) []*gojq.FuncDef {
	parsed, err := gojq.Parse(source)
	if err != nil {
		panic(err)
	}
	return parsed.FuncDefs
}

// meterVariable hands the meter of an evaluation to our functions.
const meterVariable = "$__meter"

// build compiles a parsed expression, which it changes.
func build(parsed *gojq.Query) (*program, error) {
	boundExpression(parsed)
	words := make(map[string]bool)
	collect := func(node any) { addWords(words, node) }
	walk(reflect.ValueOf(parsed), collect)

	for _, definition := range slices.Backward(definitions()) {
		if words[definition.Name] {
			parsed.FuncDefs = slices.Insert(parsed.FuncDefs, 0, definition)
			walk(reflect.ValueOf(definition.Body), collect)
		}
	}
	p := &program{}
	for name := range variables {
		if words[name] {
			p.variables = append(p.variables, name)
		}
	}
	if words[meterVariable] {
		p.variables = append(p.variables, meterVariable)
	}
	compile := func() (*gojq.Code, error) {
		environment := false
		options := slices.Concat(valueFunctions(), boundedFunctions(), arithmeticFunctions(), sortFunctions(), matchFunctions(), []gojq.CompilerOption{
			gojq.WithVariables(p.variables),
			gojq.WithEnvironLoader(func() []string { environment = true; return nil }),
		})
		code, err := gojq.Compile(parsed, options...)
		if environment {
			return nil, errEnvironment
		}
		return code, err
	}
	var err error
	if p.code, err = compile(); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(writing, func(name string) bool { return words[name] }) {
		p.exclusive = &sync.Pool{New: func() any {
			code, _ := compile()
			return code
		}}
	}
	return p, nil
}

var errEnvironment = errors.New("environment not available")

// walk calls visit for every node of a parsed expression, before its children.
func walk(v reflect.Value, visit func(node any)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			visit(v.Interface())
			walk(v.Elem(), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			walk(v.Field(i), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), visit)
		}
	}
}

// addWords adds the functions and variables that a node names, and "|=" for
// every operator that updates.
func addWords(words map[string]bool, node any) {
	switch node := node.(type) {
	case *gojq.Func:
		words[node.Name] = true
	case *gojq.ObjectKeyVal: // {$root}
		words[node.Key] = true
	case *gojq.Query:
		switch node.Op {
		case gojq.OpModify, gojq.OpUpdateAdd, gojq.OpUpdateSub, gojq.OpUpdateMul, gojq.OpUpdateDiv, gojq.OpUpdateMod, gojq.OpUpdateAlt:
			words["|="] = true
		}
	}
}

// run evaluates the program, leaves out as many results as skip says, and
// yields the others and the error that ends the evaluation.
func (p *program) run(ctx context.Context, env *Env, input any, skip int, yield func(any, error) bool) {
	code, own := p.code, tree.Go
	if p.exclusive != nil {
		code, own = p.exclusive.Get().(*gojq.Code), func(v any) any { return clone(tree.Go(v)) }
		defer p.exclusive.Put(code)
	}
	if p.exclusive != nil && isDeep(input) {
		yield(nil, errDeep(input))
		return
	}
	m := newMeter(ctx)
	defer m.end()
	bindings := make([]any, len(p.variables))
	for i, name := range p.variables {
		if name == meterVariable {
			bindings[i] = m
		} else {
			bindings[i] = own(allGo(variables[name](env)))
		}
	}
	it := code.RunWithContext(m, own(input), bindings...)
	for {
		v, ok, err := next(it)
		if !ok {
			return
		}
		if err != nil {
			yield(nil, err)
			return
		}
		if skip > 0 {
			skip--
			continue
		}
		if !yield(v, nil) {
			return
		}
	}
}

// next returns the next result. A panic of the machine, which it has for
// values that JSON does not know, is an error like any other.
func next(it gojq.Iter) (v any, ok bool, err error) {
	defer func() {
		if defect := recover(); defect != nil {
			v, ok, err = nil, true, fmt.Errorf("jq cannot work with this value: %v", defect)
		}
	}()
	v, ok = it.Next()
	if err, _ = v.(error); err == nil {
		return v, ok, nil
	}
	var halt *gojq.HaltError
	if errors.As(err, &halt) && halt.Value() == nil { // halt
		return nil, false, nil
	}
	if text := err.Error(); len(text) > longestError { // error(.) has a whole document in it
		err = errors.New(strings.ToValidUTF8(text[:longestError], "") + "…")
	}
	return nil, true, err
}

const longestError = 500 // bytes

// allGo returns the value of a variable without a node in it: $docs has some.
func allGo(v any) any {
	docs, ok := v.(map[string]any)
	if !ok {
		return v
	}
	values := make(map[string]any, len(docs))
	for name, doc := range docs {
		values[name] = tree.Go(doc)
	}
	return values
}

// clone returns a deep copy.
func clone(v any) any {
	switch v := v.(type) {
	case []any:
		copied := make([]any, len(v))
		for i, item := range v {
			copied[i] = clone(item)
		}
		return copied
	case map[string]any:
		copied := make(map[string]any, len(v))
		for name, member := range v {
			copied[name] = clone(member)
		}
		return copied
	}
	return v
}
