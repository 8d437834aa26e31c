package spare

import "testing"

func TestMap(t *testing.T) {
	const most = 100
	var m Map[int, string]
	if v, ok := m.Get(1); v != "" || ok {
		t.Errorf("an empty map has %q", v)
	}
	for key := range most {
		if got := m.Add(key, "first", most); got != "first" {
			t.Errorf("%d: got %q, want what was added", key, got)
		}
		if got := m.Add(key, "second", most); got != "first" {
			t.Errorf("%d: got %q, want what was kept before", key, got)
		}
	}
	for key := range most {
		if v, ok := m.Get(key); v != "first" || !ok {
			t.Errorf("%d: got %q, want what was added", key, v)
		}
	}
	for added := range most {
		key, others := most+added, 0
		m.Add(key, "third", most)
		for other := range key {
			if _, ok := m.Get(other); ok {
				others++
			}
		}
		if _, ok := m.Get(key); !ok || others != most-1 {
			t.Fatalf("%d are kept beside the one that was added, which is %v, want %d", others, ok, most-1)
		}
	}
}
