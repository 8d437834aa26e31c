package query

import (
	"fmt"
	"slices"

	"github.com/itchyny/gojq"
)

// jq's own functions that sort take seconds over a million values. These give
// the same results and end with the evaluation's context.
const sortDefinitions = `
def sort: _sort($__meter; .; "sort");
def sort_by(f): _sort($__meter; map([f]); "sort_by");
def group_by(f): _sort($__meter; map([f]); "group_by");
def unique: _sort($__meter; .; "unique");
def unique_by(f): _sort($__meter; map([f]); "unique_by");
`

func sortFunctions() []gojq.CompilerOption {
	return []gojq.CompilerOption{gojq.WithFunction("_sort", 3, 3, func(v any, args []any) any {
		values, areValues := v.([]any)
		keys, areKeys := args[1].([]any)
		if !areValues || !areKeys {
			return fmt.Errorf("%s cannot be applied to: %s (%s)", args[2], gojq.TypeOf(v), gojq.Preview(v))
		}
		items, err := sorted(args[0].(*meter), values, keys)
		if err != nil {
			return err
		}
		return sortForms[args[2].(string)](items)
	})}
}

type sortItem struct{ value, key any }

// sorted returns the values in the order of their keys.
func sorted(m *meter, values, keys []any) ([]sortItem, error) {
	items := make([]sortItem, len(values))
	for i, value := range values {
		items[i] = sortItem{value, keys[i]}
	}
	var err error
	compared, often := 0, 4096
	isLarge := size(keys) == largestInput // together, and so one of them may be
	if isLarge {
		often = 1
	}
	slices.SortStableFunc(items, func(a, b sortItem) int {
		if compared++; compared%often == 0 && err == nil {
			err = m.check()
		}
		if isLarge && err == nil {
			err = boundComparison(a.key, b.key)
		}
		if err != nil {
			return 0 // lets the sort come to its end
		}
		return gojq.Compare(a.key, b.key)
	})
	return items, err
}

// sortForms are what jq's functions make of sorted values.
var sortForms = map[string]func([]sortItem) any{
	"sort": all, "sort_by": all,
	"unique": firsts, "unique_by": firsts,
	"group_by": groups,
}

func all(items []sortItem) any {
	values := make([]any, len(items))
	for i, item := range items {
		values[i] = item.value
	}
	return values
}

func groups(items []sortItem) any {
	groups := []any{}
	var group []any
	for i, item := range items {
		group = append(group, item.value)
		if i+1 == len(items) || gojq.Compare(item.key, items[i+1].key) != 0 {
			groups = append(groups, group)
			group = nil
		}
	}
	return groups
}

func firsts(items []sortItem) any {
	values := []any{}
	for i, item := range items {
		if i == 0 || gojq.Compare(items[i-1].key, item.key) != 0 {
			values = append(values, item.value)
		}
	}
	return values
}
