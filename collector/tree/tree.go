// Package tree holds decoded documents in less memory, and with fewer allocations,
// than maps and interfaces take: half of what 5,000 JSON objects of ten members cost
// in a profile was making maps of them and boxing their numbers, most of which no rule
// reads.
//
// It stands beside the plain Go values that package document tells of, and never
// alone: Go gives the Go value that a node stands for, so that whoever wants one
// needs to know nothing else of this package. A node that null or a truth value
// stands for is never handed out: Value gives nil, true or false.
package tree

import (
	"encoding/json"
	"iter"
	"math"
	"slices"
	"strings"
	"unsafe"
)

// A Kind is what a node is.
type Kind uint8

// The kinds of nodes.
const (
	Null Kind = iota
	False
	True
	Number
	String
	Array
	Object
)

// A Node is one value of a document, in two words. It is only read once it is built,
// by one goroutine at a time.
type Node struct {
	// at is where a text begins: that of a string, or a number as it is spelled. In
	// an array or object it is the *kids, nil where there are none.
	at     unsafe.Pointer
	length uint32 // of the text
	kind   Kind
}

// kids are the members of an array or object.
type kids struct {
	nodes  []Node
	shape  *shape // nil in an array
	memory any    // the Go value, once it was asked for
}

// textNode returns a node of a string or number. A text above 4 GiB is cut: no body is
// that long.
func textNode(kind Kind, text string) Node {
	return Node{kind: kind, at: unsafe.Pointer(unsafe.StringData(text)), length: uint32(min(len(text), math.MaxUint32))}
}

// parentNode returns a node of an array or object.
func parentNode(kind Kind, k *kids) Node { return Node{kind: kind, at: unsafe.Pointer(k)} }

// kids returns the members of an array or object; nil where there are none.
func (n *Node) kids() *kids {
	if n.kind < Array {
		return nil
	}
	return (*kids)(n.at)
}

// Kind returns what the node is.
func (n *Node) Kind() Kind { return n.kind }

// Text returns the text of a string, or a number as the document spells it.
func (n *Node) Text() string {
	if n.kind >= Array {
		return ""
	}
	return unsafe.String((*byte)(n.at), n.length)
}

// Value returns nil for null, a bool for a truth value, and the node for all else.
func (n *Node) Value() any {
	switch n.kind {
	case Null:
		return nil
	case False:
		return false
	case True:
		return true
	default:
		return n
	}
}

// Len returns how many members an array or object has.
func (n *Node) Len() int {
	if k := n.kids(); k != nil {
		return len(k.nodes)
	}
	return 0
}

// Item returns the value of an item of an array.
func (n *Node) Item(i int) any { return n.kids().nodes[i].Value() }

// Member returns the value of a member of an object; nil where there is none.
func (n *Node) Member(name string) any {
	k := n.kids()
	if k == nil {
		return nil
	}
	if i := k.shape.find(name); i >= 0 {
		return k.nodes[i].Value()
	}
	return nil
}

// Values returns the values of an array, or of an object in the order of its keys,
// which is jq's.
func (n *Node) Values() iter.Seq[any] {
	return func(yield func(any) bool) {
		k := n.kids()
		if k == nil {
			return
		}
		var order []int32
		if k.shape != nil {
			order = k.shape.sorted()
		}
		for i := range k.nodes {
			if order != nil {
				i = int(order[i])
			}
			if !yield(k.nodes[i].Value()) {
				return
			}
		}
	}
}

// Members returns the keys and values of an object in the order of the document.
func (n *Node) Members() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		k := n.kids()
		if k == nil || k.shape == nil {
			return
		}
		for i, key := range k.shape.keys {
			if !yield(key, k.nodes[i].Value()) {
				return
			}
		}
	}
}

// entryShape is that of the objects in Entries. It is complete, as documents that are
// used at the same time have it in common.
var entryShape = &shape{keys: []string{"key", "value"}, order: []int32{0, 1}}

// Entries returns what jq's to_entries makes of an object.
func (n *Node) Entries() *Node {
	k := n.kids()
	if k == nil {
		return &Node{kind: Array}
	}
	count := len(k.nodes)
	nodes, pairs, members := make([]Node, count), make([]kids, count), make([]Node, 2*count)
	for i, at := range k.shape.sorted() {
		pair := members[2*i : 2*i+2 : 2*i+2]
		pair[0], pair[1] = textNode(String, k.shape.keys[at]), k.nodes[at]
		pairs[i] = kids{nodes: pair, shape: entryShape}
		nodes[i] = parentNode(Object, &pairs[i])
	}
	entries := parentNode(Array, &kids{nodes: nodes})
	return &entries
}

// Go returns v, or the Go value that it stands for where it is a node: json.Number,
// string, []any or map[string]any. That of an array or object is made once and is
// only to be read.
func Go(v any) any {
	if n, ok := v.(*Node); ok {
		return n.toGo()
	}
	return v
}

func (n *Node) toGo() any {
	switch n.kind {
	case Number:
		return json.Number(n.Text())
	case String:
		return n.Text()
	case Array, Object:
		return n.collection()
	default:
		return n.Value()
	}
}

func (n *Node) collection() any {
	k := n.kids()
	switch {
	case k == nil && n.kind == Array:
		return []any{}
	case k == nil:
		return map[string]any{}
	case k.memory != nil:
		return k.memory
	}
	if n.kind == Array {
		array := make([]any, len(k.nodes))
		for i := range array {
			array[i] = k.nodes[i].toGo()
		}
		k.memory = array
	} else {
		object := make(map[string]any, len(k.nodes))
		for i, key := range k.shape.keys {
			object[key] = k.nodes[i].toGo()
		}
		k.memory = object
	}
	return k.memory
}

// A shape holds the keys of an object, each once. Objects with the same keys in the
// same order share it.
type shape struct {
	keys  []string
	index map[string]int32 // where there are many keys
	order []int32          // the places of the keys in ascending order, once asked for
}

// manyKeys is how many keys are found faster in a map than one after the other.
const manyKeys = 16

// find returns the place of a key, or -1.
func (s *shape) find(name string) int {
	if s.index == nil && len(s.keys) > manyKeys {
		s.index = make(map[string]int32, len(s.keys))
		for i, key := range s.keys {
			s.index[key] = int32(i)
		}
	}
	if s.index != nil {
		if i, ok := s.index[name]; ok {
			return int(i)
		}
		return -1
	}
	return slices.Index(s.keys, name)
}

// sorted returns the places of the keys in ascending order.
func (s *shape) sorted() []int32 {
	if s.order == nil {
		s.order = make([]int32, len(s.keys))
		for i := range s.order {
			s.order[i] = int32(i)
		}
		slices.SortFunc(s.order, func(a, b int32) int { return strings.Compare(s.keys[a], s.keys[b]) })
	}
	return s.order
}
