package tree_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"status_exporter/collector/document"
	"status_exporter/collector/tree"
)

// A node answers every question as the Go value does that it stands for.
func FuzzNode(f *testing.F) {
	for _, seed := range []string{
		`{"jobs": 3, "up": true, "a": [1, -2.5e-3, "x", null, false], "b": {"a": {}}}`, `[{"a": 1, "b": 2}, {"a": 3, "b": 4}, {"a": 5}, {"b": 6, "a": 7}, {}]`,
		`{"a": 1, "b": 2, "a": {"b": [], "b": 1}}`, `[{"b": 1, "b": 2}, {"b": 1, "b": 2}]`, `"text"`, `null`, "1\n2",
		`{"q": 0, "w": 1, "e": 2, "r": 3, "t": 4, "z": 5, "u": 6, "i": 7, "o": 8, "p": 9, "a": 10, "s": 11, "d": 12, "f": 13, "g": 14, "h": 15, "j": 16, "k": 17, "q": 18}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := document.JSON.Decode(context.Background(), text, "", document.DefaultLimits)
		if err != nil {
			return
		}
		check(t, v, tree.Go(v))
	})
}

func check(t *testing.T, v, want any) {
	t.Helper()
	n, ok := v.(*tree.Node)
	if !ok {
		if v != want {
			t.Fatalf("got %v, want %v", v, want)
		}
		return
	}
	if again := tree.Go(n); !cmp.Equal(again, want) {
		t.Fatalf("got %v the second time, want %v", again, want)
	}
	switch want := want.(type) {
	case []any:
		if n.Kind() != tree.Array || n.Len() != len(want) {
			t.Fatalf("got kind %d with %d members, want an array of %v", n.Kind(), n.Len(), want)
		}
		i := 0
		for item := range n.Values() {
			check(t, item, want[i])
			check(t, n.Item(i), want[i])
			i++
		}
	case map[string]any:
		if n.Kind() != tree.Object || n.Len() != len(want) {
			t.Fatalf("got kind %d with %d members, want an object of %v", n.Kind(), n.Len(), want)
		}
		keys := slices.Sorted(maps.Keys(want))
		i := 0
		for member := range n.Values() {
			check(t, member, want[keys[i]])
			check(t, n.Member(keys[i]), want[keys[i]])
			entry := tree.Go(n.Entries().Item(i))
			if diff := cmp.Diff(map[string]any{"key": keys[i], "value": want[keys[i]]}, entry); diff != "" {
				t.Fatalf("entry %d (-want +got):\n%s", i, diff)
			}
			i++
		}
		if i != len(want) {
			t.Fatalf("got %d members, want %d", i, len(want))
		}
		if v := n.Member("\xff no key of valid UTF-8"); v != nil {
			t.Fatalf("got %v under a key that is not there", v)
		}
	default:
		if n.Kind() != tree.Number && n.Kind() != tree.String {
			t.Fatalf("got kind %d, want %v", n.Kind(), want)
		}
	}
}

// Documents that are used at the same time have the keys of their entries in common.
func TestEntriesSideBySide(t *testing.T) {
	var users sync.WaitGroup
	for range 4 {
		users.Go(func() {
			v, err := document.JSON.Decode(context.Background(), []byte(`{"b": 2, "a": 1}`), "", document.DefaultLimits)
			if err != nil {
				t.Error(err)
				return
			}
			first := v.(*tree.Node).Entries().Item(0).(*tree.Node)
			if got := slices.Collect(first.Values()); len(got) != 2 || tree.Go(got[0]) != "a" {
				t.Errorf("the first entry has %v", got)
			}
		})
	}
	users.Wait()
}
