package tree

import (
	"slices"

	"status_exporter/collector/spare"
)

// A Builder puts a document together from the inside out: the members of an array or
// object are added one after the other, and then closed. Its memory is used again for
// the next document.
//
//	first := b.Mark()
//	b.Key("jobs"); b.Number("3")
//	b.Key("up"); b.Bool(true)
//	b.CloseObject(first)
//	root := b.Root()
type Builder struct {
	nodes []Node   // the members of what is open
	keys  []string // of the objects that are open

	members slab[Node] // of what is closed
	lists   slab[kids]
	shapes  map[string]*shape // by the first key: the last shape that begins with it
}

var builders = spare.Pool[*Builder]{New: func() *Builder { return new(Builder) }}

// NewBuilder returns an empty Builder.
func NewBuilder() *Builder { return builders.Get() }

// Release makes all nodes of the Builder invalid and its memory free for another. It
// need not be called. Texts stay valid: they are not the Builder's.
func (b *Builder) Release() {
	b.reset()
	builders.Put(b)
}

func (b *Builder) reset() {
	b.close(Mark{})
	b.members.empty()
	b.lists.empty()
	clear(b.shapes)
}

// Size returns how many bytes of memory the Builder holds.
func (b *Builder) Size() int {
	return b.members.size() + b.lists.size() + spare.Bytes(b.nodes) + spare.Bytes(b.keys)
}

// A Mark is where the members of an array or object begin.
type Mark struct {
	node, key int
	like      *shape // of the last object that began with the same key; nil: none, or not looked for
}

// Mark opens an array or object: what is added next is a member of it.
func (b *Builder) Mark() Mark { return Mark{node: len(b.nodes), key: len(b.keys)} }

// Null adds null.
func (b *Builder) Null() { b.add(Node{}) }

// Bool adds a truth value.
func (b *Builder) Bool(v bool) {
	kind := False
	if v {
		kind = True
	}
	b.add(Node{kind: kind})
}

// Number adds a number, spelled as JSON has it.
func (b *Builder) Number(text string) { b.add(textNode(Number, text)) }

// String adds a string.
func (b *Builder) String(text string) { b.add(textNode(String, text)) }

// Key begins a member of an object; its value is added next.
func (b *Builder) Key(key string) { b.keys = append(spare.Room(b.keys), key) }

// Keys returns how many keys were added since the mark.
func (b *Builder) Keys(m Mark) int { return len(b.keys) - m.key }

func (b *Builder) add(n Node) { b.nodes = append(spare.Room(b.nodes), n) }

// CloseArray makes an array of what was added since the mark.
func (b *Builder) CloseArray(m Mark) {
	var list *kids
	if members := b.nodes[m.node:]; len(members) > 0 {
		list = b.list(members)
	}
	b.close(m)
	b.add(parentNode(Array, list))
}

// CloseObject makes an object of the keys and values that were added since the mark.
// The last of two equal keys counts.
func (b *Builder) CloseObject(m Mark) { b.closeObject(m, (*Builder).lastOfEqual) }

// CloseGathered makes an object in which a key that was added several times has an
// array of its values, in order, and returns how many members it has. No value may be
// an array itself.
func (b *Builder) CloseGathered(m Mark) (members int) {
	b.closeObject(m, (*Builder).gather)
	return b.nodes[len(b.nodes)-1].Len()
}

// A union makes one member of those with equal keys, in place. The index has the
// place of the last of them.
type union func(b *Builder, keys []string, members []Node, index map[string]int32) int

func (b *Builder) closeObject(m Mark, unite union) {
	var list *kids
	if keys := b.keys[m.key:]; len(keys) > 0 {
		members := b.nodes[m.node:]
		s := m.like
		if s == nil {
			s = b.shapes[keys[0]]
		}
		if s == nil || !slices.Equal(s.keys, keys) {
			s, members = b.newShape(keys, members, unite)
		}
		list = b.list(members)
		list.shape = s
	}
	b.close(m)
	b.add(parentNode(Object, list))
}

// close forgets what was added since the mark: texts must not outlive their document.
func (b *Builder) close(m Mark) {
	clear(b.nodes[m.node:])
	clear(b.keys[m.key:])
	b.nodes, b.keys = b.nodes[:m.node], b.keys[:m.key]
}

// Guess returns the key that probably comes next in the open object, or "": the one
// that came at this place in the last object that began with the same key. Where
// the document has it indeed, it need not be read letter by letter.
func (b *Builder) Guess(m *Mark) string {
	have := b.Keys(*m)
	if have == 1 {
		m.like = b.shapes[b.keys[m.key]]
	}
	if m.like != nil && have < len(m.like.keys) {
		return m.like.keys[have]
	}
	return ""
}

// Len returns how many values were added, keys not counted, once they are in the Root.
func (b *Builder) Len() (n int) {
	for _, p := range b.members.pieces {
		n += len(p)
	}
	return n
}

// Root returns the value that everything was added to.
func (b *Builder) Root() any {
	root := &b.members.take(1)[0]
	*root = b.nodes[0]
	return root.Value()
}

// list keeps the members of an array or object.
func (b *Builder) list(members []Node) *kids {
	kept := b.members.take(len(members))
	copy(kept, members)
	list := &b.lists.take(1)[0]
	list.nodes = kept
	return list
}

// newShape returns the shape of an object, and its members with each key once. It
// moves them.
func (b *Builder) newShape(keys []string, members []Node, unite union) (*shape, []Node) {
	var index map[string]int32
	if !distinct(keys) {
		index = make(map[string]int32, len(keys))
		for i, key := range keys {
			index[key] = int32(i)
		}
		if len(index) < len(keys) {
			n := unite(b, keys, members, index)
			keys, members, index = keys[:n], members[:n], nil
		}
	}
	s := &shape{keys: slices.Clone(keys), index: index}
	if b.shapes == nil {
		b.shapes = make(map[string]*shape)
	}
	if _, known := b.shapes[keys[0]]; known || len(b.shapes) < mostShapes {
		b.shapes[keys[0]] = s
	}
	return s, members
}

func (b *Builder) lastOfEqual(keys []string, members []Node, index map[string]int32) (n int) {
	for i, key := range keys {
		if index[key] == int32(i) {
			keys[n], members[n] = key, members[i]
			n++
		}
	}
	return n
}

func (b *Builder) gather(keys []string, members []Node, index map[string]int32) (n int) {
	from := slices.Clone(members)
	before := make([]int32, len(keys)) // the place of the last equal key before, or -1
	clear(index)
	for i, key := range keys {
		before[i] = -1
		if last, again := index[key]; again {
			before[i] = last
		}
		index[key] = int32(i)
	}
	for i, key := range keys {
		if index[key] != int32(i) {
			continue
		}
		member := from[i]
		if before[i] >= 0 {
			var all []Node
			for at := int32(i); at >= 0; at = before[at] {
				all = append(all, from[at])
			}
			slices.Reverse(all)
			member = parentNode(Array, b.list(all))
		}
		keys[n], members[n] = key, member
		n++
	}
	return n
}

// mostShapes is for how many first keys a shape is remembered.
const mostShapes = 256

// distinct tells whether it is easy to see that no key comes twice.
func distinct(keys []string) bool {
	ascending := true
	for i := 1; i < len(keys) && ascending; i++ {
		ascending = keys[i-1] < keys[i]
	}
	if ascending || len(keys) > manyKeys {
		return ascending
	}
	for i, key := range keys {
		if slices.Contains(keys[:i], key) {
			return false
		}
	}
	return true
}

// A slab hands out pieces of memory that stay where they are.
type slab[T any] struct {
	pieces [][]T
	at     int // the piece that has room
}

// The first piece of a slab has room for few, and the next ones for twice as many
// each up to a limit: a small document must not cost much memory, a large one not
// many allocations.
const (
	firstSlab = 64
	lastSlab  = 8192
)

// take returns room for n. A piece that is empty and too small makes way for one with
// some room to spare: passed over, there would be one more of them for each document
// that has a longer array than the one before.
func (s *slab[T]) take(n int) []T {
	for s.at < len(s.pieces) && len(s.pieces[s.at]) > 0 && cap(s.pieces[s.at])-len(s.pieces[s.at]) < n {
		s.at++
	}
	if s.at == len(s.pieces) {
		size := firstSlab
		if s.at > 0 {
			size = min(2*cap(s.pieces[s.at-1]), lastSlab)
		}
		s.pieces = append(s.pieces, make([]T, 0, max(n, size)))
	}
	p := &s.pieces[s.at]
	if cap(*p)-len(*p) < n {
		*p = make([]T, 0, n+n/8)
	}
	*p = (*p)[:len(*p)+n]
	return (*p)[len(*p)-n : len(*p) : len(*p)]
}

// size returns how many bytes the pieces have.
func (s *slab[T]) size() (bytes int) {
	for _, p := range s.pieces {
		bytes += spare.Bytes(p)
	}
	return bytes
}

// empty clears the slab and keeps its pieces.
func (s *slab[T]) empty() {
	for i := range s.pieces {
		clear(s.pieces[i])
		s.pieces[i] = s.pieces[i][:0]
	}
	s.at = 0
}
