package spare

import (
	"slices"
	"unsafe"
)

// firstRoom is for how many items the first memory of a growing slice is.
const firstRoom = 16

// Room returns s with room for one more. append alone makes room for a quarter more,
// which in sum allocates twice as much for a long slice.
func Room[T any](s []T) []T {
	if len(s) < cap(s) {
		return s
	}
	return slices.Grow(s, max(firstRoom, len(s)))
}

// Bytes returns how many bytes of memory s holds, without what its items point to.
func Bytes[T any](s []T) int {
	var item T
	return cap(s) * int(unsafe.Sizeof(item))
}
