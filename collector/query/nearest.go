package query

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/itchyny/gojq"

	"status_exporter/collector/tree"
	"status_exporter/config/options"
)

// Nearest explains why the expression finds nothing in input, as far as paths
// are concerned: it names the path that leads nowhere and the nearest one that
// exists, "`.queue.messages` found nothing; the document has `.queues.messages`". It
// returns "" where every path of the expression leads somewhere. However large
// the input is, only a part of bounded size is looked at.
func (q *Query) Nearest(env *Env, input any) string {
	goEnv := *env
	goEnv.Root, input = tree.Go(env.Root), tree.Go(input)
	for _, p := range q.leads {
		s := &survey{env: &goEnv, input: input, left: 20000}
		if end, found := s.follow(p, input, 0); !found {
			return fmt.Sprintf("`%s` found nothing%s", p, s.explain(p, end))
		}
	}
	return ""
}

// leads returns the paths with which the expression begins: both of .a / .b,
// for example.
func leads(q *gojq.Query) []path {
	if p, whole := plain(q); whole || len(p) > 0 {
		return []path{p}
	}
	switch {
	case q.Term == nil && q.Op == gojq.OpPipe:
		return leads(q.Left)
	case q.Term == nil && q.Left != nil && q.Right != nil:
		return append(leads(q.Left), leads(q.Right)...)
	case q.Term == nil || len(q.FuncDefs) > 0:
		return nil
	}
	switch t := q.Term; t.Type {
	case gojq.TermTypeQuery:
		return leads(t.Query)
	case gojq.TermTypeArray:
		if t.Array.Query != nil {
			return leads(t.Array.Query)
		}
	case gojq.TermTypeTry:
		return leads(t.Try.Body)
	}
	return nil
}

// A survey looks through a document.
type survey struct {
	env   *Env
	input any
	left  int // how many values may still be looked at
}

// A deadEnd is where a path stops to lead anywhere: before which step, and at
// which value.
type deadEnd struct {
	step int
	at   any
}

// follow follows the path from v, which its first steps have led to, until it
// finds something that is not null, or returns where it gets farthest.
func (s *survey) follow(p path, v any, steps int) (end deadEnd, found bool) {
	for i := steps; i < len(p); i++ {
		if s.left--; s.left < 0 {
			return deadEnd{}, true
		}
		end = deadEnd{i, v}
		switch p[i].kind {
		case keyStep:
			object, _ := v.(map[string]any)
			v = object[p[i].name]
		case itemStep:
			array, _ := v.([]any)
			v = at(array, p[i].index)
		case variableStep:
			v = allGo(p[i].value(s.env))
		case manyStep:
			if _, several := v.([]any); several {
				return s.followEach(p, v, i)
			}
		case eachStep:
			return s.followEach(p, v, i)
		case callStep:
			if p[i].name != "to_entries" {
				return deadEnd{}, true
			}
			few := make(map[string]any)
			for _, m := range s.members(v) {
				few[m.step.name] = m.value
			}
			v = entries(few)
		}
		if v == nil {
			return end, false
		}
	}
	return deadEnd{len(p), v}, v != nil
}

// followEach follows the path from the first members of v.
func (s *survey) followEach(p path, v any, i int) (farthest deadEnd, found bool) {
	farthest = deadEnd{i, v}
	for _, m := range s.members(v) {
		end, found := s.follow(p, m.value, i+1)
		if found {
			return end, true
		}
		if end.step > farthest.step {
			farthest = end
		}
	}
	return farthest, false
}

// A member of an array or object, and the step that leads to it.
type member struct {
	step  step
	value any
}

// members returns the first members of an array or object.
func (s *survey) members(v any) (members []member) {
	const few = 20
	switch v := v.(type) {
	case []any:
		for _, value := range v[:min(few, len(v))] {
			members = append(members, member{step{kind: eachStep}, value})
		}
	case map[string]any:
		s.left -= len(v) / 100
		for _, name := range firstKeys(v) {
			members = append(members, member{step{kind: keyStep, name: name}, v[name]})
		}
	}
	return members
}

// firstKeys returns the sorted keys of an object, or the very first one where
// sorting them would take long.
func firstKeys(object map[string]any) []string {
	const sortable = 1000
	if len(object) <= sortable {
		return slices.Sorted(maps.Keys(object))
	}
	var first string
	for first = range object {
		break
	}
	for name := range object {
		first = min(first, name)
	}
	return []string{first}
}

// explain says what there is at a dead end, or somewhere else.
func (s *survey) explain(p path, end deadEnd) string {
	here := path(nil)
	if end.step > 0 {
		here = p[:end.step]
	}
	switch v := end.at.(type) {
	case nil:
		return fmt.Sprintf(": `%s` is null", here)
	case []any:
		if len(v) == 0 {
			return fmt.Sprintf(": `%s` is empty", here)
		}
		if end.step < len(p) && p[end.step].kind == itemStep {
			return fmt.Sprintf(": `%s` has only %d items", here, len(v))
		}
	case map[string]any:
		if len(v) == 0 {
			return fmt.Sprintf(": `%s` is empty", here)
		}
		if end.step < len(p) && p[end.step].kind == keyStep {
			return s.explainKey(p, end.step, v)
		}
	}
	return fmt.Sprintf(": `%s` is %s", here, describe(end.at))
}

// explainKey tells of the key that was probably meant by a step.
func (s *survey) explainKey(p path, i int, object map[string]any) string {
	if value, present := object[p[i].name]; present && value == nil {
		return fmt.Sprintf(": `%s` is null", p[:i+1])
	}
	names := s.members(object)
	known := make([]string, len(names))
	for j, m := range names {
		known[j] = m.step.name
	}
	if near := options.Nearest(p[i].name, known); near != "" {
		fixed := slices.Clone(p)
		fixed[i].name = near
		if _, found := s.follow(fixed, object, i); !found {
			fixed = fixed[:i+1]
		}
		return fmt.Sprintf("; the document has `%s`", fixed)
	}
	for from := i; from < len(p); from++ {
		if p[from].kind == keyStep {
			if elsewhere := s.search(p[from:]); elsewhere != nil {
				return fmt.Sprintf("; the document has `%s`", elsewhere)
			}
		}
	}
	const shown = 8
	list := strings.Join(known[:min(shown, len(known))], ", ")
	if len(object) > shown {
		list += ", …"
	}
	return fmt.Sprintf("; the keys of `%s` are %s", p[:i], list)
}

// search returns the shortest path from the input, or else from the document,
// that ends with tail and finds something.
func (s *survey) search(tail path) path {
	type place struct {
		path  path
		value any
	}
	root := path{{kind: variableStep, name: "$root"}}
	for _, start := range []place{{nil, s.input}, {root, s.env.Root}} {
		queue := []place{start}
		for len(queue) > 0 {
			here := queue[0]
			queue = queue[1:]
			if s.left--; s.left < 0 {
				return nil
			}
			if object, ok := here.value.(map[string]any); ok && object[tail[0].name] != nil {
				if _, found := s.follow(tail, here.value, 0); found {
					return append(here.path, tail...)
				}
			}
			for _, m := range s.members(here.value) {
				queue = append(queue, place{append(slices.Clip(here.path), m.step), m.value})
			}
		}
	}
	return nil
}

func describe(v any) string {
	switch gojq.TypeOf(v) {
	case "array":
		return "an array"
	case "object":
		return "an object"
	case "string":
		return "a text"
	case "boolean":
		return "true or false"
	default:
		return "a number"
	}
}

// String writes the path as jq.
func (p path) String() string {
	var s strings.Builder
	dot := true // whether a bracket needs a dot before it
	pipe := func() {
		if s.Len() > 0 {
			s.WriteString(" | ")
		}
	}
	for _, step := range p {
		bracket := ""
		switch step.kind {
		case keyStep:
			if oneWord.MatchString(step.name) {
				s.WriteString("." + step.name)
			} else {
				bracket = quotedKey(step.name)[1:]
			}
		case itemStep:
			bracket = fmt.Sprintf("[%d]", step.index)
		case eachStep:
			bracket = "[]"
		case manyStep:
			pipe()
			s.WriteString("many")
		case elseStep:
		default:
			pipe()
			s.WriteString(step.name)
		}
		if bracket != "" && dot {
			s.WriteString(".")
		}
		s.WriteString(bracket)
		if step.optional {
			s.WriteString("?")
		}
		dot = false
	}
	if s.Len() == 0 {
		return "."
	}
	return s.String()
}
