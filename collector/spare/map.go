package spare

import "sync"

// A Map keeps what was made for a key for the next who asks for the same one. The
// zero value is empty. It is safe for concurrent use.
type Map[K comparable, V any] struct {
	mu   sync.Mutex
	kept map[K]V
}

// Get returns what is kept for a key, and whether something is.
func (m *Map[K, V]) Get(key K) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.kept[key]
	return v, ok
}

// Add keeps a value for a key for which nothing is kept yet, and returns what is.
// Where there are most values any of them makes room, and not the oldest: that would
// lose all of those that are asked for in turns, where there is one more of them.
func (m *Map[K, V]) Add(key K, value V, most int) V {
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, ok := m.kept[key]; ok {
		return v
	}
	if len(m.kept) >= most {
		for other := range m.kept {
			delete(m.kept, other)
			break
		}
	}
	if m.kept == nil {
		m.kept = make(map[K]V)
	}
	m.kept[key] = value
	return value
}
